"""Rollout, advantages, policy and value loss with gradients: TRL's PPOTrainer on six episodes."""

from types import SimpleNamespace

import torch
from trl.experimental.ppo import ppo_trainer
from trl.experimental.ppo.ppo_trainer import PolicyAndValueWrapper, forward, truncate_response
from trl.experimental.utils import first_true_indices, get_reward
from trl.trainer.utils import entropy_from_logits, selective_log_softmax

import trl_source
from models import causal_model, gradients, in_both, numbers, right_padded, scalar_model

FULL = ("layers.0.input_layernorm.weight", "layers.1.self_attn.k_proj.weight", "model.norm.weight",
        "score.weight", "score.bias")


class Episodes:
    """Left-padded prompts and right-padded responses, as TRL's collator and sampler make them."""

    def __init__(self, inputs):
        self.pad, self.eos, self.R = inputs["pad"], inputs["eos"], inputs["responseLength"]
        rows = inputs["episodes"]
        self.context = max(len(row["prompt"]) for row in rows)
        queries = torch.tensor([[self.pad] * (self.context - len(r["prompt"])) + r["prompt"] for r in rows])
        # After its EOS a real sampler may go on: truncate_response has to cut that off.
        sampled = torch.tensor([r["response"] + [7] * (self.R - len(r["response"])) for r in rows])
        self.responses = truncate_response(self.eos, self.pad, sampled)
        self.query_responses = torch.cat((queries, self.responses), 1)
        self.sequence_lengths = first_true_indices(self.responses == self.pad) - 1
        self.ends = torch.any(self.responses == self.eos, dim=-1)
        assert (self.sequence_lengths + 1).tolist() == [len(r["response"]) for r in rows]
        assert self.ends.tolist() == [r["ends"] for r in rows]

    def logits(self, model, temperature):
        logits = forward(model, self.query_responses, self.pad).logits[:, self.context - 1 : -1]
        return logits / (temperature + 1e-7)

    def logprobs(self, model, temperature):
        return selective_log_softmax(self.logits(model, temperature), self.responses)

    def of_rows(self, x):
        """[B, R] -> a list for each row, padding left out."""
        return [numbers(row[: n + 1]) for row, n in zip(x, self.sequence_lengths)]


def rollout(inputs):
    """Everything up to the advantages; `placement` is where the score lands."""
    episodes, settings, weights = Episodes(inputs), inputs["ppoSettings"], inputs["ppoModels"]
    load = lambda name: causal_model(inputs["model"], weights[name])
    head = lambda name: scalar_model(inputs["model"], weights[name], inputs["pad"])
    temperature = settings["temperature"]
    with torch.no_grad():
        logprobs = episodes.logprobs(load("old"), temperature)
        ref_logprobs = episodes.logprobs(load("reference"), temperature)
        full_value, _, _ = get_reward(head("oldValue"), episodes.query_responses, episodes.pad, episodes.context)
        values = full_value[:, episodes.context - 1 : -1].squeeze(-1)
        _, raw, _ = get_reward(head("reward"), episodes.query_responses, episodes.pad, episodes.context)
    scores = raw.clone()
    scores[~episodes.ends] -= settings["missing_eos_penalty"]
    start = dict(scores=scores, responses=episodes.responses, values=values,
                 sequence_lengths=episodes.sequence_lengths, logprobs=logprobs, ref_logprobs=ref_logprobs)

    def advantages(whiten_rewards, placement, kl_estimator="k1"):
        names = trl_source.mask_padding(start)
        if placement == "last-token":
            # Two masks of TRL's that differ by the place after EOS made one: no other line changes.
            names["padding_mask_p1"] = names["padding_mask"]
            names["sequence_lengths_p1"] = torch.full_like(episodes.sequence_lengths, episodes.R)
            names["values"] = torch.masked_fill(names["values"], names["padding_mask"], 0)
        names["args"] = SimpleNamespace(**settings, whiten_rewards=whiten_rewards, kl_estimator=kl_estimator)
        return trl_source.objective(trl_source.rewards_and_advantages(names))

    return episodes, dict(raw=raw, values=values, logprobs=logprobs, ref_logprobs=ref_logprobs), advantages


def rollout_fixture(inputs):
    def compute():
        episodes, seen, advantages = rollout(inputs)
        policy = causal_model(inputs["model"], inputs["ppoModels"]["policy"])
        temperature = inputs["ppoSettings"]["temperature"]
        with torch.no_grad():
            entropy = entropy_from_logits(episodes.logits(policy, temperature))
            plain = episodes.logprobs(policy, 1.0)
        result = {
            "logprobs": episodes.of_rows(seen["logprobs"]),
            "refLogprobs": episodes.of_rows(seen["ref_logprobs"]),
            "plainLogprobs": episodes.of_rows(plain),
            "entropy": episodes.of_rows(entropy),
            "values": episodes.of_rows(seen["values"]),
            "rawScores": numbers(seen["raw"]),
        }
        k3 = advantages(False, "last-token", "k3")
        result["k3"] = episodes.of_rows(k3["kl"])
        for whiten_rewards in (False, True):
            for placement in ("last-token", "after-eos"):
                names = advantages(whiten_rewards, placement)
                # All R places: the reward after EOS lies in what is padding elsewhere.
                keep = lambda x: numbers(torch.masked_fill(x, names["padding_mask_p1"], 0))
                result[f"{placement}{'-whitened' if whiten_rewards else ''}"] = {
                    "scores": numbers(names["scores"]),
                    "rewards": keep(names["rewards"]),
                    "values": keep(names["values"]),
                    "advantages": numbers(names["advantages"]),
                    "returns": keep(names["returns"]),
                    "kl": numbers(names["mean_kl"]),
                    "entropy": numbers(names["mean_entropy"]),
                    "non_score_reward": numbers(names["mean_non_score_reward"]),
                    "rlhf_reward": numbers(names["rlhf_reward"]),
                }
        return result

    return in_both(compute)


def update_fixture(inputs):
    """One micro batch of all six episodes, with gradients to logits, values and every weight."""
    settings = SimpleNamespace(**inputs["ppoSettings"])

    def names_of(episodes, advantages):
        names = advantages(False, "last-token")
        mb = {f"mb_{k}": names[v] for k, v in dict(
            advantage="advantages", responses="responses", logprobs="logprobs", values="values").items()}
        return {**mb, "mb_return": names["returns"], "mb_query_responses": episodes.query_responses,
                "args": settings, "context_length": episodes.context, "micro_batch_inds": slice(None),
                "padding_mask": names["padding_mask"], "padding_mask_p1": names["padding_mask_p1"],
                "processing_class": SimpleNamespace(pad_token_id=episodes.pad)}

    def compute():
        episodes, _, advantages = rollout(inputs)
        policy = causal_model(inputs["model"], inputs["ppoModels"]["policy"])
        value = scalar_model(inputs["model"], inputs["ppoModels"]["value"], inputs["pad"])
        names = names_of(episodes, advantages)
        out = trl_source.losses_and_statistics({**names, "model": PolicyAndValueWrapper(policy, value)})
        out["loss"].backward()
        mask = ~names["padding_mask"]
        mean = lambda x: ppo_trainer.masked_mean(x, mask)
        ratio, difference = out["ratio"].detach(), out["logprobs_diff"].detach()
        result = {
            "policyLoss": numbers(out["pg_loss"]),
            "valueLoss": numbers(out["vf_loss"]),
            "clipfrac": numbers(out["pg_clipfrac"]),
            "valueClipfrac": numbers(out["vf_clipfrac"]),
            "newLogprobs": episodes.of_rows(out["new_logprobs"]),
            "newValues": episodes.of_rows(out["vpred"]),
            # Masked by us: the same quantities over valid tokens.
            "approxkl": numbers(0.5 * mean(difference**2)),
            "ratio": numbers(mean(ratio)),
            "ratioVariance": numbers(mean((ratio - mean(ratio)) ** 2)),
            "entropy": numbers(mean(out["entropy"])),
            # As TRL logs them: over padding too.
            "trlApproxkl": numbers(out["approxkl"]),
            "trlRatio": numbers(ratio.mean()),
            "trlEntropy": numbers(out["entropy"].mean()),
            "policyGradients": gradients(policy, FULL),
            "valueGradients": gradients(value, FULL),
        }
        assert 0 < result["clipfrac"] < 1 and 0 < result["valueClipfrac"] < 1
        result.update(leaf_gradients(episodes, names, policy, value))
        result["sharedGradients"] = shared_trunk_gradients(names, inputs)
        result.update(pretraining_term(inputs))
        return result

    return in_both(compute)


def leaf_gradients(episodes, names, policy, value):
    """Gradients with respect to the logits (before temperature) and the values themselves."""
    with torch.no_grad():
        output, vpred = forward(PolicyAndValueWrapper(policy, value), episodes.query_responses, episodes.pad)
    logits, vpred = output.logits.requires_grad_(), vpred.requires_grad_()
    # TRL divides in place, which a leaf does not allow: hence · 1.
    given = SimpleNamespace(logits=logits * 1), vpred * 1
    out = trl_source.losses_and_statistics({**names, "model": None, "forward": lambda *_: given})
    out["loss"].backward()
    place = slice(episodes.context - 1, -1)
    by_logits = logits.grad[:, place]
    return {
        # [tokens of each row · V], three rows.
        "logitGradients": [numbers(by_logits[b, : int(n) + 1].flatten(), 7)
                           for b, n in enumerate(episodes.sequence_lengths)][1:4:2],
        "logitGradientNorm": numbers(by_logits.norm()),
        "valueGradient": episodes.of_rows(vpred.grad[:, place].squeeze(-1)),
    }


def shared_trunk_gradients(names, inputs):
    """The same loss where the value head stands on the policy itself: both terms meet in one trunk."""
    policy = causal_model(inputs["model"], inputs["ppoModels"]["policy"])
    value = scalar_model(inputs["model"], inputs["ppoModels"]["value"], inputs["pad"])
    value.model = policy.model
    out = trl_source.losses_and_statistics({**names, "model": PolicyAndValueWrapper(policy, value)})
    out["loss"].backward()
    return {**gradients(value, FULL), **gradients(policy, FULL)}


def pretraining_term(inputs):
    """InstructGPT's equation 2: γ·E[−log π] over whole texts; LlamaForCausalLM's own loss times γ."""
    policy = causal_model(inputs["model"], inputs["ppoModels"]["policy"])
    rows = [row["input_ids"] for group in inputs["ranked"] for row in group["rows"]]
    ids, mask = right_padded(rows, inputs["pad"])
    loss = policy(input_ids=ids, attention_mask=mask, labels=torch.where(mask == 1, ids, -100)).loss
    loss = inputs["ppoSettings"]["ptx_coef"] * loss
    loss.backward()
    return {"pretrainingLoss": numbers(loss), "pretrainingGradients": gradients(policy, ("model.norm.weight",))}
