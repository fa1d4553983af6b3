"""Prints samples of a base model: `python tools/base-model/sample.py --model public/models/nano`.

Each sample is a document of its own, started with a first token that training documents start with.
`--jsonl` writes {text, finish} rows.
"""

import argparse
import json
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer

from llama import Llama, sample
from pretrain import END_ID, read_documents


def load(folder: Path) -> tuple[Llama, Tokenizer]:
    model = Llama(json.loads((folder / "config.json").read_text()))
    model.load_state_dict({name: t.float() for name, t in load_file(folder / "model.safetensors").items()})
    return model.eval(), Tokenizer.from_file(str(folder / "tokenizer.json"))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True, help="folder with heldout-seen.bin, for first tokens")
    parser.add_argument("--count", type=int, default=50)
    parser.add_argument("--max-new", type=int, default=96)
    parser.add_argument("--temperature", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jsonl", type=Path)
    args = parser.parse_args()

    torch.set_num_threads(1)
    model, tokenizer = load(args.model)
    generator = torch.Generator().manual_seed(args.seed)
    firsts = [int(row[0]) for row in read_documents(args.data / "heldout-seen.bin", 128)]
    starts = np.random.default_rng(args.seed).choice(firsts, args.count)
    rows = sample(model, [[int(first)] for first in starts], args.max_new, args.temperature, END_ID, generator)
    texts = []
    for first, row in zip(starts, rows):
        ended = row[-1] == END_ID
        text = tokenizer.decode([int(first), *(row[:-1] if ended else row)], skip_special_tokens=False)
        texts.append(dict(text=text, finish="eos" if ended else "length"))
    if args.jsonl:
        args.jsonl.write_text("".join(json.dumps(t) + "\n" for t in texts))
        return
    for entry in texts:
        print("*", entry["text"].replace("\n", " // "), "" if entry["finish"] == "eos" else "[cut]")


if __name__ == "__main__":
    main()
