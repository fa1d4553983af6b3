"""Holds a shipped base model against `transformers`:
`python tools/base-model/check_parity.py public/models/nano` prints the largest logit difference and
fails above 1e-4 (f32, 32 random sequences over the whole context)."""

import sys
from pathlib import Path

import torch
from transformers import LlamaForCausalLM

from sample import load

LIMIT = 1e-4

folder = Path(sys.argv[1])
torch.set_num_threads(1)
ours, _ = load(folder)
theirs = LlamaForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
shape = (32, ours.config["max_position_embeddings"])
ids = torch.randint(ours.config["vocab_size"], shape, generator=torch.Generator().manual_seed(1))
with torch.no_grad():
    difference = (ours(ids) - theirs(ids).logits).abs().max().item()
print(f"largest logit difference: {difference:.2e}")
if not difference <= LIMIT:
    sys.exit(f"above {LIMIT}")
