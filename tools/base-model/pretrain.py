"""Pretrains a base model: `python tools/base-model/pretrain.py --data DIR --out public/models/nano`.

DIR holds `train.bin`, `heldout-seen.bin` and `heldout-unseen.bin` (encode-corpus.ts: little-endian
uint16 ids, an end token after each document); OUT holds `tokenizer.json` and receives
`model.safetensors` (f16) and `config.json`. Each document is a row of its own, so position 0 is
always a document's start and no attention crosses documents; rows of one batch have like lengths.
Seeded; `--resume` continues from `--checkpoint` with the same numbers as an unbroken run.
"""

import argparse
import json
import math
import os
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file

from llama import Llama, parameter_groups
from muon import Muon

END_ID = 1
ROLE_IDS = [2, 3]  # <|user|>, <|assistant|>: src/tokenizer/special-tokens.ts
IGNORED = -100
PRESETS = {
    "nano": dict(vocab_size=512, hidden_size=64, intermediate_size=176, num_hidden_layers=2,
                 num_attention_heads=4, num_key_value_heads=4, max_position_embeddings=128),
    "tiny": dict(vocab_size=2048, hidden_size=128, intermediate_size=344, num_hidden_layers=4,
                 num_attention_heads=4, num_key_value_heads=4, max_position_embeddings=256),
    "small": dict(vocab_size=2048, hidden_size=256, intermediate_size=688, num_hidden_layers=6,
                  num_attention_heads=8, num_key_value_heads=8, max_position_embeddings=256),
}
SHARED = dict(rms_norm_eps=1e-5, rope_theta=10000.0, tie_word_embeddings=True)


def read_documents(path: Path, context: int) -> list[np.ndarray]:
    """Documents with their end token; those longer than the context are cut."""
    ids = np.fromfile(path, "<u2").astype(np.int64)
    ends = np.flatnonzero(ids == END_ID) + 1
    return [row[:context] for row in np.split(ids, ends[:-1])]


def to_batch(rows: list[np.ndarray]) -> tuple[torch.Tensor, torch.Tensor]:
    """ids [B, T] and next-token targets [B, T]; padding is ignored by the loss."""
    longest = max(len(row) for row in rows)
    ids = np.zeros((len(rows), longest), np.int64)
    targets = np.full((len(rows), longest), IGNORED, np.int64)
    for i, row in enumerate(rows):
        ids[i, : len(row)] = row
        targets[i, : len(row) - 1] = row[1:]
    return torch.from_numpy(ids), torch.from_numpy(targets)


def epoch_batches(documents: list[np.ndarray], size: int, seed: int, epoch: int) -> list[list[int]]:
    """A random order, sorted by length inside pools of 50 batches, then the batches shuffled."""
    rng = np.random.default_rng([seed, epoch])
    order = rng.permutation(len(documents))
    pool = size * 50
    batches = []
    for start in range(0, len(order), pool):
        part = sorted(order[start : start + pool], key=lambda i: len(documents[i]))
        batches += [part[i : i + size] for i in range(0, len(part), size)]
    return [batches[i] for i in rng.permutation(len(batches))]


@torch.no_grad()
def evaluate(model: Llama, documents: list[np.ndarray], size: int) -> float:
    """Mean loss in nats per token. The first token of a document has no context and is not scored."""
    total, count = 0.0, 0
    ordered = sorted(documents, key=len)
    for start in range(0, len(ordered), size):
        ids, targets = to_batch(ordered[start : start + size])
        loss = F.cross_entropy(model(ids).flatten(0, 1), targets.flatten(), ignore_index=IGNORED, reduction="sum")
        total += loss.item()
        count += int((targets != IGNORED).sum())
    return total / count


def bytes_per_token(documents: list[np.ndarray], tokenizer_path: Path) -> float:
    """Text bytes by scored tokens, so that nats per token / this = nats per byte."""
    vocab = json.loads(tokenizer_path.read_text())["model"]["vocab"]
    size = {i: len(piece) for piece, i in vocab.items()}  # one character stands for one byte
    size[END_ID] = 0
    scored = sum(len(row) - 1 for row in documents)
    return sum(sum(size[int(i)] for i in row[1:]) for row in documents) / scored


@torch.no_grad()
def start_role_tokens(model: Llama, tokenizer_path: Path) -> None:
    """The role tokens of the chat template stand in no document: all that training taught of them is never to
    write them, one and the same row for each. SFT is too short to find a better one, and a row that means
    nothing, read before every answer, costs spelling. They start as half of that row, which keeps them
    unwritten, and the row of the line break, which stands between request and answer in the corpus."""
    vocab = json.loads(tokenizer_path.read_text())["model"]["vocab"]
    rows = model.state_dict()["model.embed_tokens.weight"]
    rows[ROLE_IDS] = rows[vocab["Ċ"]] + 0.5 * rows[ROLE_IDS]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--preset", choices=PRESETS, default="nano")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--steps", type=int, default=4000)
    parser.add_argument("--batch", type=int, default=64, help="documents")
    parser.add_argument("--lr", type=float, default=4e-3)
    parser.add_argument("--warmup", type=int, default=100)
    parser.add_argument("--weight-decay", type=float, default=0.05)
    parser.add_argument("--optimizer", choices=("adamw", "muon"), default="adamw", help="muon: AdamW for embedding and gains only")
    parser.add_argument("--decay-steps", type=int, help="keep the learning rate, then lower it linearly to 0 in so many last steps; "
                        "without it a cosine to 2 %%. Only so can a run be made longer without raising the rate again")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--bf16", action="store_true", help="multiply in bfloat16 (weights stay f32): with --compile 2.5 to 3 x faster where the CPU has units for it (amx_bf16)")
    parser.add_argument("--compile", action="store_true", help="torch.compile: 1.15 x faster after a minute, 1.4 to 1.7 x with --bf16; needs a C++ compiler")
    parser.add_argument("--init", type=Path, help="safetensors to start from, for example grow.py's")
    parser.add_argument("--checkpoint", type=Path, default=Path(".cache/pretrain.pt"))
    parser.add_argument("--resume", action="store_true")
    args = parser.parse_args()

    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    config = {**PRESETS[args.preset], **SHARED}
    context = config["max_position_embeddings"]
    train = read_documents(args.data / "train.bin", context)
    held_out = {name: read_documents(args.data / f"heldout-{name}.bin", context) for name in ("seen", "unseen")}
    model = Llama(config)
    if args.init is not None:
        model.load_state_dict({name: t.float() for name, t in load_file(args.init).items()})
    optimizers = []
    groups = parameter_groups(model, args.weight_decay)
    if args.optimizer == "muon":
        embedding = model.model.embed_tokens.weight
        hidden = [p for p in groups[0]["params"] if p is not embedding]
        groups[0]["params"] = [embedding]
        dtype = torch.bfloat16 if args.bf16 else torch.float32
        optimizers.append(Muon(hidden, lr=args.lr, weight_decay=args.weight_decay, dtype=dtype))
    optimizers.append(torch.optim.AdamW(groups, lr=args.lr, betas=(0.9, 0.98), eps=1e-8))
    first, tokens, seconds = 0, 0, 0.0
    if args.resume:
        saved = torch.load(args.checkpoint)
        model.load_state_dict(saved["model"])
        for optimizer, state in zip(optimizers, saved["optimizers"], strict=True):
            optimizer.load_state_dict(state)
        first, tokens, seconds = saved["step"], saved["tokens"], saved["seconds"]

    forward = torch.compile(model, dynamic=True) if args.compile else model

    def learning_rate(step: int) -> float:
        """Linear warm-up, then a cosine to 2 % or a constant rate with a linear end."""
        if step < args.warmup:
            return args.lr * (step + 1) / args.warmup
        if args.decay_steps is not None:
            return args.lr * min(1, (args.steps - step) / args.decay_steps)
        progress = (step - args.warmup) / max(1, args.steps - args.warmup)
        return args.lr * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * progress)))

    def save(step: int) -> None:
        args.checkpoint.parent.mkdir(parents=True, exist_ok=True)
        state = dict(model=model.state_dict(), optimizers=[o.state_dict() for o in optimizers], step=step, tokens=tokens, seconds=seconds)
        torch.save(state, args.checkpoint.with_suffix(".tmp"))
        os.replace(args.checkpoint.with_suffix(".tmp"), args.checkpoint)

    per_epoch = len(epoch_batches(train, args.batch, args.seed, 0))
    batches, epoch_of = [], -1
    started, running = time.time(), 0.0
    for step in range(first, args.steps):
        if step // per_epoch != epoch_of:
            epoch_of = step // per_epoch
            batches = epoch_batches(train, args.batch, args.seed, epoch_of)
        for group in (group for optimizer in optimizers for group in optimizer.param_groups):
            group["lr"] = learning_rate(step)
        ids, targets = to_batch([train[i] for i in batches[step % per_epoch]])
        with torch.autocast("cpu", torch.bfloat16, enabled=args.bf16):
            logits = forward(ids)
        loss = F.cross_entropy(logits.float().flatten(0, 1), targets.flatten(), ignore_index=IGNORED)
        model.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for optimizer in optimizers:
            optimizer.step()
        if not math.isfinite(loss.item()):
            raise SystemExit(f"step {step}: the loss is {loss.item()}; lower --lr")
        tokens += int((targets != IGNORED).sum())
        running += loss.item()
        if (step + 1) % 200 == 0:
            seconds += time.time() - started
            started = time.time()
            print(f"step {step + 1} loss {running / 200:.4f} tokens {tokens} {tokens / seconds:.0f} tokens/s", flush=True)
            running = 0.0
            save(step + 1)
    seconds += time.time() - started
    save(args.steps)

    args.out.mkdir(parents=True, exist_ok=True)
    start_role_tokens(model, args.out / "tokenizer.json")
    half = {name: p.detach().to(torch.float16).contiguous() for name, p in model.named_parameters()}
    save_file(half, args.out / "model.safetensors", metadata={"format": "pt"})
    (args.out / "model.safetensors").chmod(0o644)  # safetensors writes files for their owner only
    hugging_face = dict(architectures=["LlamaForCausalLM"], model_type="llama", hidden_act="silu", **config,
                        attention_bias=False, mlp_bias=False, bos_token_id=None, eos_token_id=END_ID,
                        pad_token_id=0, torch_dtype="float16")
    (args.out / "config.json").write_text(json.dumps(hugging_face, indent=2) + "\n")
    model.load_state_dict({name: p.float() for name, p in half.items()})  # what ships is what is measured
    model.eval()
    report = dict(preset=args.preset, seed=args.seed, steps=args.steps, batch=args.batch, lr=args.lr,
                  parameters=sum(p.numel() for p in model.parameters()), documents=len(train),
                  tokens_in_corpus=sum(len(row) for row in train), tokens_trained=tokens, seconds=round(seconds))
    for name, documents in held_out.items():
        loss = evaluate(model, documents, args.batch)
        report[f"loss_{name}"] = round(loss, 4)
        report[f"loss_{name}_per_byte"] = round(loss / bytes_per_token(documents, args.out / "tokenizer.json"), 4)
    args.checkpoint.with_suffix(".json").write_text(json.dumps(report, indent=2) + "\n")
    print(json.dumps(report))


if __name__ == "__main__":
    main()
