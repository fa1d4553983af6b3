"""AdamW with clipping, learning-rate schedules and the KL controller."""

import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from transformers import (
    LlamaConfig,
    LlamaForCausalLM,
    Trainer,
    get_constant_schedule_with_warmup,
    get_cosine_with_min_lr_schedule_with_warmup,
    get_linear_schedule_with_warmup,
)
from transformers.optimization import get_cosine_with_min_lr_schedule_with_warmup_lr_rate

import trl_source
from models import in_both, numbers


def decaying_names(model):
    """The parameters that transformers' Trainer decays: no norm, no bias."""
    return Trainer.get_decay_parameter_names(None, model)


def adamw(model, options):
    """torch.optim.AdamW with Trainer's two groups."""
    decaying = set(decaying_names(model))
    named = list(model.named_parameters())
    return torch.optim.AdamW(
        [
            {"params": [p for n, p in named if n in decaying], "weight_decay": options["weight_decay"]},
            {"params": [p for n, p in named if n not in decaying], "weight_decay": 0.0},
        ],
        lr=0.0, betas=(options["adam_beta1"], options["adam_beta2"]), eps=options["adam_epsilon"],
    )


def clip_and_step(optimizer, parameters, options, rate):
    """Clips by the global norm (0 turns it off), steps at `rate`, gives the norm before clipping."""
    parameters = list(parameters)
    limit = options["max_grad_norm"] if options["max_grad_norm"] > 0 else float("inf")
    norm = torch.nn.utils.clip_grad_norm_(parameters, limit)
    for group in optimizer.param_groups:
        group["lr"] = rate
    optimizer.step()
    return norm


def adamw_fixture(inputs):
    """Parameters, moments and norms after the given gradients, for each set of options."""
    given = inputs["adamw"]

    def case(options):
        model = nn.Module()
        model.matrix, model.bias = (
            nn.Parameter(torch.tensor(p["start"]).reshape(p["shape"])) for p in given["parameters"])
        optimizer = adamw(model, options)
        average = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(given["emaDecay"]))
        # Its first update only copies: that is where ours starts.
        average.update_parameters(model)
        norms = []
        for step, rate in enumerate(given["rates"]):
            for parameter, source in zip(model.parameters(), given["parameters"]):
                parameter.grad = torch.tensor(source["gradients"][step]).reshape(source["shape"])
            norms.append(clip_and_step(optimizer, model.parameters(), options, rate))
            average.update_parameters(model)
        state = optimizer.state
        return {
            "norms": numbers(torch.stack(norms)),
            "weights": [numbers(p.flatten()) for p in model.parameters()],
            "average": [numbers(p.flatten()) for p in average.module.parameters()],
            "m": [numbers(state[p]["exp_avg"].flatten()) for p in model.parameters()],
            "v": [numbers(state[p]["exp_avg_sq"].flatten()) for p in model.parameters()],
        }

    exact, spread = in_both(lambda: {str(i): case(options) for i, options in enumerate(given["cases"])})
    fields = {k: v for k, v in inputs["model"].items() if k != "rope_theta"}
    decaying = decaying_names(LlamaForCausalLM(LlamaConfig(**fields)))
    return {"cases": list(exact.values()), "decaying": sorted(decaying)}, spread


def lambda_of(make, **arguments):
    """The factor that a transformers schedule gives to each step."""
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=1.0)
    return make(optimizer, **arguments).lr_lambdas[0]


def schedules_fixture(inputs):
    """
    For each (total, warm-up): transformers' factor at steps 0 … total. transformers' warm-up starts
    at 0 and ours at its first step above 0; `cosineWarmup` is the schedule of theirs that does so too.
    """
    result = []
    for given in inputs["schedules"]:
        total, warmup = given["total"], given["warmup"]
        steps = range(total + 1)
        of = lambda f: [float(f(s)) for s in steps]
        ratio = inputs["minLrRatio"]
        result.append({
            "total": total,
            "warmup": warmup,
            "constant": of(lambda_of(get_constant_schedule_with_warmup, num_warmup_steps=warmup)),
            "linear": of(lambda_of(get_linear_schedule_with_warmup, num_warmup_steps=warmup, num_training_steps=total)),
            "cosine": of(lambda_of(get_cosine_with_min_lr_schedule_with_warmup, num_warmup_steps=warmup,
                                   num_training_steps=total, min_lr_rate=ratio)),
            "cosineWarmup": of(lambda_of(get_cosine_with_min_lr_schedule_with_warmup_lr_rate, num_warmup_steps=warmup,
                                         num_training_steps=total, min_lr_rate=ratio)),
        })
    return result


def controller_fixture(inputs, wheel):
    given = inputs["controller"]
    adaptive_class, fixed_class = trl_source.kl_controllers(wheel)
    adaptive = adaptive_class(given["kl_coef"], given["target_kl"], given["kl_horizon"])
    fixed = fixed_class(given["kl_coef"])
    result = {"adaptive": [], "fixed": []}
    for kl in given["kls"]:
        for name, controller in (("adaptive", adaptive), ("fixed", fixed)):
            controller.update(kl, given["episodes"])
            result[name].append(float(controller.value))
    return result
