"""50 steps of SFT and 20 of a reward model, in float32, on the batches that the page draws."""

import torch

from models import causal_model, numbers, right_padded, scalar_model
from optimizer import adamw, clip_and_step, lambda_of
from reward import kwise_loss
from transformers import get_cosine_with_min_lr_schedule_with_warmup
from transformers.optimization import get_cosine_with_min_lr_schedule_with_warmup_lr_rate

PAD = 0


def learning_rates(settings, total):
    """transformers' cosine to a share of the peak; its warm-up that starts above 0."""
    warmup = round(settings["warmup_ratio"] * total)
    arguments = dict(num_warmup_steps=warmup, num_training_steps=total, min_lr_rate=settings["min_lr_ratio"])
    rising = lambda_of(get_cosine_with_min_lr_schedule_with_warmup_lr_rate, **arguments)
    falling = lambda_of(get_cosine_with_min_lr_schedule_with_warmup, **arguments)
    return [settings["learning_rate"] * (rising if s < warmup else falling)(s) for s in range(total)]


def check_batches(batches, per_epoch, count):
    """Every row once in each epoch: an order that lost rows would otherwise agree with itself."""
    for start in range(0, len(batches), per_epoch):
        rows = sorted(row for batch in batches[start : start + per_epoch] for row in batch)
        assert rows == list(range(count)), f"epoch at step {start}"


def supervised_loss(model, rows):
    """LlamaForCausalLM's own loss, prompt and padding labelled −100."""
    ids, mask = right_padded([row["input_ids"] for row in rows], PAD)
    labels = torch.where(mask == 1, ids, -100)
    for b, row in enumerate(rows):
        labels[b, : row["promptLength"]] = -100
    return model(input_ids=ids, attention_mask=mask, labels=labels).loss


def train(model, losses, batches, settings):
    """AdamW over `batches`; `losses(batch)` gives the loss."""
    optimizer = adamw(model, settings)
    rates = learning_rates(settings, len(batches))
    result = {"loss": [], "grad_norm": [], "learning_rate": rates}
    for batch, rate in zip(batches, rates):
        optimizer.zero_grad()
        loss = losses(batch)
        loss.backward()
        norm = clip_and_step(optimizer, model.parameters(), settings, rate)
        result["loss"].append(numbers(loss))
        result["grad_norm"].append(numbers(norm))
    return result


def sft_fixture(inputs):
    given = inputs["batches"]["sft"]
    check_batches(given["batches"], given["stepsPerEpoch"], len(given["rows"]))
    model = causal_model(inputs["modelConfig"], inputs["weights"])
    result = train(
        model, lambda batch: supervised_loss(model, [given["rows"][i] for i in batch]), given["batches"], inputs["sft"])
    with torch.no_grad():
        # The batches weigh by tokens, as one batch of all held-out rows does.
        result["eval_loss"] = numbers(supervised_loss(model, given["heldOut"]))
    return result


def reward_trajectory_fixture(inputs):
    given, settings = inputs["batches"]["reward"], inputs["reward"]
    check_batches(given["batches"], given["stepsPerEpoch"], len(given["groups"]))
    model = scalar_model(inputs["modelConfig"], inputs["rewardWeights"], PAD)
    model.config.pad_token_id = -1

    def scored(rows):
        ids, mask = right_padded([row["input_ids"] for row in rows], PAD)
        hidden = model.model(input_ids=ids, attention_mask=mask).last_hidden_state
        return model.score(hidden).squeeze(-1)[torch.arange(len(rows)), mask.sum(1) - 1]

    def loss(batch):
        groups, rows = [], []
        for i in batch:
            group = given["groups"][i]
            groups.append((len(rows), [(p["winner"], p["loser"]) for p in group["pairs"]]))
            rows += group["rows"]
        return kwise_loss(scored(rows), groups, settings["margin"] or None, settings["center_rewards_coefficient"])

    result = train(model, loss, given["batches"], settings)
    with torch.no_grad():
        demonstrated = scored(given["demonstrations"])
        ranked = scored([row for group in given["groups"] for row in group["rows"]])
    result["rewardShift"] = numbers(demonstrated.mean())
    result["rewardScale"] = numbers(1 / ranked.std(correction=0))
    return result
