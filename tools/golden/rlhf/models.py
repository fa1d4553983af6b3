"""Hugging Face models with given weights, in float32 or in float64, and numbers for JSON."""

import contextlib
from unittest import mock

import torch
from torch import nn
from transformers import LlamaConfig, LlamaForCausalLM, LlamaForSequenceClassification


@contextlib.contextmanager
def double_precision():
    """Everything in float64, also where modeling_llama asks for float32 by name (norm, softmax, angles)."""
    torch.set_default_dtype(torch.float64)
    try:
        with mock.patch.object(torch, "float32", torch.float64), \
             mock.patch.object(torch, "float", torch.float64), \
             mock.patch.object(torch.Tensor, "float", torch.Tensor.double):
            yield
    finally:
        torch.set_default_dtype(torch.float32)


def _config(config, **more):
    fields = {k: v for k, v in config.items() if k != "rope_theta"}
    rope = {"rope_type": "default", "rope_theta": float(config["rope_theta"])}
    return LlamaConfig(**fields, rope_parameters=rope, attn_implementation="eager", **more)


def _load(model, weights):
    """Copies weights by name; every parameter must be given and fit."""
    dtype = torch.get_default_dtype()
    model = model.to(dtype)
    own = dict(model.named_parameters())
    assert own.keys() == weights.keys(), own.keys() ^ weights.keys()
    with torch.no_grad():
        for name, parameter in own.items():
            given = tensor(weights[name])
            assert parameter.shape == given.shape, name
            parameter.copy_(given)
    return model.eval()


def tensor(host):
    return torch.tensor(host["data"]).reshape(host["shape"])


def causal_model(config, weights):
    return _load(LlamaForCausalLM(_config(config)), weights)


def scalar_model(config, weights, pad):
    """LlamaForSequenceClassification with one label; its head gets the bias that ours has."""
    untied = {**config, "tie_word_embeddings": False}
    model = LlamaForSequenceClassification(_config(untied, num_labels=1, pad_token_id=pad))
    model.score = nn.Linear(config["hidden_size"], 1, bias=True)
    return _load(model, weights)


def right_padded(rows, pad):
    """[B, T] ids and attention mask."""
    T = max(len(row) for row in rows)
    ids = torch.tensor([row + [pad] * (T - len(row)) for row in rows])
    mask = torch.tensor([[1] * len(row) + [0] * (T - len(row)) for row in rows])
    return ids, mask


def numbers(x, digits=9):
    """Nine digits hold a float32 exactly."""
    x = torch.as_tensor(x).detach()
    if x.dim() == 0:
        return float(f"{x.item():.{digits}g}")
    return [numbers(part, digits) for part in x]


def signature(gradient):
    """Σ g·u / |u| with fixed u: sign, order and transposition change it, as they do not the norm."""
    flat = gradient.detach().flatten()
    i = torch.arange(len(flat))
    u = (((i * 7919 + 13) % 101) - 50).to(flat.dtype) / 50
    return (flat * u).sum() / u.norm()


def gradients(model, full):
    """Norm and signature of every gradient, all numbers of those whose name ends as one of `full`."""
    result = {}
    for name, parameter in model.named_parameters():
        g = parameter.grad
        result[name] = {"norm": numbers(g.norm()), "signature": numbers(signature(g))}
        if name.endswith(tuple(full)):
            result[name]["data"] = numbers(g.flatten(), 7)
    return result


def in_both(compute):
    """`compute()` in float64, and how far float32 is from it: {name: max |Δ| / max |x|}."""
    with double_precision():
        exact = compute()
    single = compute()
    return exact, {name: _spread(exact[name], single[name]) for name in exact}


def _leaves(x):
    if isinstance(x, dict):
        return [leaf for part in x.values() for leaf in _leaves(part)]
    if isinstance(x, (list, tuple)):
        return [leaf for part in x for leaf in _leaves(part)]
    return [float(x)]


def _spread(exact, single):
    """Of numbers and lists; of a dict, the largest spread of its parts; of a gradient, over its norm."""
    if isinstance(exact, dict) and "signature" in exact:
        exact, single = ([g["norm"], g["signature"], g.get("data", [])] for g in (exact, single))
    elif isinstance(exact, dict):
        return max((_spread(exact[k], single[k]) for k in exact), default=0.0)
    a, b = _leaves(exact), _leaves(single)
    assert len(a) == len(b)
    largest = max((abs(x) for x in a), default=0.0)
    difference = max((abs(x - y) for x, y in zip(a, b)), default=0.0)
    return float(f"{difference / largest if largest > 0 else difference:.3g}")
