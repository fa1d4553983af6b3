"""Makes a larger model that computes what a smaller one does (but for the norms' epsilon), to be trained on:
`python tools/base-model/grow.py --from public/models/tiny --preset small --out DATA/grown.safetensors`,
then `pretrain.py --preset small --init DATA/grown.safetensors`.

In the spirit of Net2Net (Chen et al. 2016, arXiv:1511.05641), but nothing is copied twice, so no
symmetry has to be broken: what is new reads at random and writes zeros. Heads keep their size, or
RoPE would turn them differently.
"""

import argparse
import json
import math
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from llama import Llama
from pretrain import PRESETS, SHARED

NORMS = ("layernorm.weight", "model.norm.weight")
#: Their outputs are added to the residual stream.
WRITERS = ("o_proj.weight", "down_proj.weight")


@torch.no_grad()
def grow(small: dict[str, torch.Tensor], config: dict, from_size: int) -> dict[str, torch.Tensor]:
    """Weights of `Llama(config)` with the same logits as those of `small`.

    The residual stream of a row of size C becomes C' with zeros in the new places, so its root mean
    square is √(C/C') of what it was, and the gains of the norms make up for that: exactly but for epsilon,
    which is not small against a row of the embedding (logits differ by a few hundredths).
    """
    model = Llama(config)
    state = model.state_dict()
    gain = math.sqrt(from_size / config["hidden_size"])
    for name, new in state.items():
        old = small.get(name)
        if name.endswith(NORMS):
            if old is not None:
                new[: len(old)] = old * gain
        elif name == "model.embed_tokens.weight":
            new.zero_()
            new[:, :from_size] = old
        elif old is None:  # a layer more
            if name.endswith(WRITERS):
                new.zero_()
        else:
            rows, columns = old.shape
            if name.endswith(WRITERS):
                new.zero_()
            new[:rows, :columns] = old
    return state


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--from", dest="source", type=Path, required=True)
    parser.add_argument("--preset", choices=PRESETS, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    old = json.loads((args.source / "config.json").read_text())
    config = {**PRESETS[args.preset], **SHARED}
    for key in ("vocab_size", "rms_norm_eps", "rope_theta"):
        if old[key] != config[key]:
            raise SystemExit(f"{key}: {old[key]} in {args.source}, {config[key]} in {args.preset}")
    head = old["hidden_size"] // old["num_attention_heads"]
    if config["hidden_size"] // config["num_attention_heads"] != head:
        raise SystemExit(f"heads of {args.preset} do not have the {head} numbers of those in {args.source}")
    weights = {name: t.float() for name, t in load_file(args.source / "model.safetensors").items()}
    small = Llama({**config, **{key: old[key] for key in PRESETS[args.preset]}})
    small.load_state_dict(weights)
    grown = grow(weights, config, old["hidden_size"])
    large = Llama(config)
    large.load_state_dict(grown)
    ids = torch.randint(0, config["vocab_size"], (4, 64))
    with torch.no_grad():
        print(f"largest difference of logits: {(small(ids) - large(ids)).abs().max():.1e}")
    args.out.parent.mkdir(parents=True, exist_ok=True)
    save_file({name: t.contiguous() for name, t in grown.items()}, args.out, metadata={"format": "pt"})


if __name__ == "__main__":
    main()
