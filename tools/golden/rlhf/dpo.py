"""DPO loss, plain and with label smoothing, with gradients: TRL's DPOTrainer._compute_loss."""

from collections import defaultdict
from types import SimpleNamespace

import torch
from trl import DPOTrainer

from models import causal_model, gradients, in_both, numbers, right_padded
from reward import pairs_of

FULL = ("layers.0.input_layernorm.weight", "layers.1.self_attn.v_proj.weight", "model.norm.weight")
METRICS = ("rewards/chosen", "rewards/rejected", "rewards/accuracies", "rewards/margins",
           "logps/chosen", "logps/rejected")


def trl_loss(policy, reference, batch, pairs, loss_type, settings):
    """
    DPOTrainer._compute_loss on (winner, loser) rows: TRL reads chosen rows first, then rejected ones.
    With all pairs of one prompt its mean is the loss of that prompt.
    """
    trainer = SimpleNamespace(
        model=policy, ref_model=reference, beta=settings["beta"], label_smoothing=settings["label_smoothing"],
        loss_types=[loss_type], loss_weights=[1.0], f_divergence_type="reverse_kl", ld_alpha=None,
        use_weighting=False, aux_loss_enabled=False, precompute_ref_logps=False, _total_train_tokens=0,
        accelerator=SimpleNamespace(device="cpu", gather=lambda x: x, gather_for_metrics=lambda x: x),
        args=SimpleNamespace(gradient_checkpointing_kwargs=None),
        _metrics=defaultdict(lambda: defaultdict(list)),
    )
    rows = [w for w, _ in pairs] + [l for _, l in pairs]
    loss = DPOTrainer._compute_loss(trainer, policy, {name: x[rows] for name, x in batch.items()}, False)
    return loss, {name: trainer._metrics["eval"][name][-1] for name in METRICS}


def kwise_loss(groups, **given):
    """Mean over prompts of TRL's loss on all pairs of the prompt."""
    return torch.stack([trl_loss(pairs=pairs, **given)[0] for pairs in groups]).mean()


def dpo_fixture(inputs):
    ranked, settings = inputs["ranked"], inputs["dpoSettings"]
    rows = [row for group in ranked for row in group["rows"]]
    ids, mask = right_padded([row["input_ids"] for row in rows], inputs["pad"])
    prompts = torch.tensor([row["promptLength"] for row in rows])
    completion = mask * (torch.arange(ids.shape[1]) >= prompts[:, None])
    batch = {"input_ids": ids, "attention_mask": mask, "completion_mask": completion}
    groups, at = [], 0
    for group in ranked:
        groups.append([(w + at, l + at) for w, l in pairs_of(group["ranks"])])
        at += len(group["ranks"])
    # One pair of each prompt: what TRL's own data set holds.
    single = [pairs[0] for pairs in groups]

    def compute():
        load = lambda name: causal_model(inputs["model"], inputs["ppoModels"][name])
        policy, reference = load("policy"), load("reference")
        result = {}
        for name, loss_type in (("plain", "sigmoid"), ("smoothed", "robust")):
            given = dict(policy=policy, reference=reference, batch=batch, loss_type=loss_type, settings=settings)
            policy.zero_grad()
            loss, metrics = trl_loss(pairs=single, **given)
            loss.backward()
            result[f"pairwise-{name}"] = {"loss": numbers(loss), "metrics": metrics}
            result[f"pairwiseGradients-{name}"] = gradients(policy, FULL)
            policy.zero_grad()
            loss = kwise_loss(groups, **given)
            loss.backward()
            result[f"kwise-{name}"] = {"loss": numbers(loss)}
            result[f"kwiseGradients-{name}"] = gradients(policy, FULL)
        start = dict(policy=load("reference"), reference=reference, batch=batch, loss_type="sigmoid",
                     settings=settings)
        result["start"] = numbers(kwise_loss(groups, **start))
        return result

    exact, spread = in_both(compute)
    return {**exact, "pairs": single}, spread
