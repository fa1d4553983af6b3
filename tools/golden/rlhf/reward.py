"""Pairwise and K-wise reward losses with gradients: TRL's RewardTrainer.compute_loss."""

from collections import defaultdict
from types import SimpleNamespace

import torch
from trl import RewardTrainer

from models import gradients, in_both, numbers, right_padded, scalar_model

FULL = ("layers.0.input_layernorm.weight", "layers.1.self_attn.v_proj.weight", "model.norm.weight",
        "score.weight", "score.bias")


def trl_loss(rewards, pairs, margin=None, center=None):
    """
    RewardTrainer.compute_loss on (winner, loser) rows of `rewards` [B]: TRL reads chosen rows first,
    then rejected ones. With all pairs of one prompt its mean is 1/C(K,2)·Σ of InstructGPT's equation 1.
    """
    trainer = SimpleNamespace(
        model=SimpleNamespace(training=True),
        args=SimpleNamespace(center_rewards_coefficient=center),
        accelerator=SimpleNamespace(gather=lambda x: x, gather_for_metrics=lambda x: x),
        _metrics=defaultdict(lambda: defaultdict(list)),
        _total_train_tokens=0,
    )
    rows = [w for w, _ in pairs] + [l for _, l in pairs]
    inputs = {"attention_mask": torch.ones(1)}
    if margin is not None:
        inputs["margin"] = torch.full((len(pairs),), margin)
    model = lambda **_: SimpleNamespace(logits=rewards[rows].unsqueeze(-1))
    loss = RewardTrainer.compute_loss(trainer, model, inputs)
    return loss, {name: values[-1] for name, values in trainer._metrics["train"].items()}


def pairs_of(ranks):
    """Every pair that the ranks decide, better one first; ties give none."""
    k = range(len(ranks))
    return [(i, j) for i in k for j in k if ranks[i] < ranks[j]]


def kwise_loss(rewards, groups, margin=None, center=None):
    """Mean over prompts of TRL's loss on all pairs of the prompt; `groups` are (first row, pairs)."""
    losses = [trl_loss(rewards, [(w + at, l + at) for w, l in pairs], margin, center)[0] for at, pairs in groups]
    return torch.stack(losses).mean()


def reward_fixture(inputs):
    ranked, settings = inputs["ranked"], inputs["rewardSettings"]
    ids, mask = right_padded([row["input_ids"] for group in ranked for row in group["rows"]], inputs["pad"])
    groups, at = [], 0
    for group in ranked:
        groups.append((at, pairs_of(group["ranks"])))
        at += len(group["ranks"])
    # One pair of each prompt: what TRL's own data set holds.
    single = [(w + start, l + start) for start, pairs in groups for w, l in pairs[:1]]

    def compute():
        model = scalar_model(inputs["model"], inputs["rewardWeights"], inputs["pad"])
        scored = lambda: model(input_ids=ids, attention_mask=mask).logits.squeeze(-1)
        result = {"rewards": numbers(scored())}
        options = {
            "plain": {},
            "margin": {"margin": settings["margin"]},
            "center": {"center": settings["center"]},
            "both": settings,
        }
        for name, option in options.items():
            model.zero_grad()
            loss, metrics = trl_loss(scored(), single, **option)
            loss.backward()
            result[f"pairwise-{name}"] = {"loss": numbers(loss), "metrics": metrics}
            if name == "plain":
                result["pairwiseGradients"] = gradients(model, ("score.weight",))
            model.zero_grad()
            loss = kwise_loss(scored(), groups, **option)
            loss.backward()
            result[f"kwise-{name}"] = {"loss": numbers(loss)}
            if name == "both":
                result["kwiseGradients"] = gradients(model, FULL)
        return result

    exact, spread = in_both(compute)
    return {**exact, "pairs": single, "zeroHead": zero_head(inputs, ids, mask, groups)}, spread


def zero_head(inputs, ids, mask, groups):
    """The loss before anything is learnt: ln 2."""
    weights = {k: dict(v) for k, v in inputs["rewardWeights"].items()}
    for name in ("score.weight", "score.bias"):
        weights[name]["data"] = [0.0] * len(weights[name]["data"])
    model = scalar_model(inputs["model"], weights, inputs["pad"])
    return numbers(kwise_loss(model(input_ids=ids, attention_mask=mask).logits.squeeze(-1), groups))
