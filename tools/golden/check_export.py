"""Loads an exported zip in `transformers`, unchanged, and compares it with the page.

    npx tsx tools/golden/export_probe.ts --out DIR
    python tools/golden/check_export.py DIR/policy.zip --probe DIR/policy.json

Without --probe it only shows that the zip loads, and what the model writes or scores.
With it: the largest difference of logits (policy) or of scores (reward model: logit - reward_offset),
and the number of strings whose token ids, chat-template text or chat-template ids differ.
Exit status 1 when a difference exceeds 1e-4 or any id or text differs.

Versions used: torch 2.13.0, transformers 5.23.0, tokenizers 0.23.3.
"""

import argparse
import base64
import json
import os
import sys
import tempfile
import zipfile
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"

import numpy as np
import tokenizers
import torch
import transformers
from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification, AutoTokenizer

TOLERANCE = 1e-4
FILES = {
    "policy": {
        "README.md", "config.json", "generation_config.json", "model.safetensors", "tokenizer.json",
        "tokenizer_config.json",
    },
    "reward": {"README.md", "config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"},
}


class Report:
    def __init__(self):
        self.failed = False

    def line(self, name, value, ok=True):
        self.failed |= not ok
        print(f"{name:42} {value}{'' if ok else '   <-- WRONG'}")


def load(folder, report):
    """Kind, tokenizer, model; nothing may be missing, left over or newly made."""
    architecture = json.loads((folder / "config.json").read_text())["architectures"][0]
    kind = {"LlamaForCausalLM": "policy", "LlamaForSequenceClassification": "reward"}[architecture]
    found = {path.name for path in folder.iterdir()}
    report.line("files", " ".join(sorted(found)), found == FILES[kind])
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    auto = AutoModelForCausalLM if kind == "policy" else AutoModelForSequenceClassification
    model, info = auto.from_pretrained(folder, local_files_only=True, output_loading_info=True)
    model.eval()
    wrong = {key: sorted(map(str, value)) for key, value in info.items() if value}
    report.line("class", f"{type(model).__name__}, {type(tokenizer).__name__}", type(model).__name__ == architecture)
    report.line("dtype", model.dtype, model.dtype == torch.float32)
    report.line("tensors missing, left over, mismatched", wrong or "none", not wrong)
    return kind, tokenizer, model


def smoke(kind, tokenizer, model, report):
    chat = [{"role": "user", "content": "Write about the harbour."}]
    if kind == "policy":
        torch.manual_seed(1)
        inputs = tokenizer.apply_chat_template(chat, add_generation_prompt=True, return_tensors="pt", return_dict=True)
        output = model.generate(**inputs, max_new_tokens=24)
        report.line("writes", repr(tokenizer.decode(output[0, inputs["input_ids"].shape[1]:])))
    else:
        chat.append({"role": "assistant", "content": "The harbour is quiet."})
        inputs = tokenizer.apply_chat_template(chat, return_tensors="pt", return_dict=True)
        with torch.no_grad():
            report.line("scores", (model(**inputs).logits[0, 0] - model.config.reward_offset).item())


def check_ids(tokenizer, probe, report):
    texts = probe["texts"]
    wrong = [row["text"] for row in texts if tokenizer(row["text"])["input_ids"] != row["ids"]]
    report.line(f"ids differ, of {len(texts)} strings", len(wrong), not wrong)
    encoded = tokenizer([row["text"] for row in texts if row["ids"]])
    report.line("what models are given", " ".join(encoded.keys()), list(encoded) == ["input_ids", "attention_mask"])
    wrong = [row["text"] for row in texts if tokenizer.decode(row["ids"]) != row["text"]]
    report.line("decoded text differs", len(wrong), not wrong)


def check_chat(tokenizer, probe, report):
    def messages(row):
        chat = [{"role": "user", "content": row["prompt"]}]
        return chat + ([{"role": "assistant", "content": row["completion"]}] if "completion" in row else [])

    for name, generate in (("prompts", True), ("dialogues", False)):
        rows = probe[name]
        text = ids = 0
        for row in rows:
            options = dict(add_generation_prompt=generate)
            text += tokenizer.apply_chat_template(messages(row), tokenize=False, **options) != row["text"]
            ids += tokenizer.apply_chat_template(messages(row), return_dict=True, **options)["input_ids"] != row["ids"]
        report.line(f"chat template: texts differ, of {len(rows)} {name}", text, not text)
        report.line(f"chat template: ids differ, of {len(rows)} {name}", ids, not ids)


@torch.no_grad()
def check_logits(model, probe, report):
    largest, count, size = 0.0, 0, 0.0
    for row in probe["texts"]:
        if "logits" not in row:
            continue
        ours = np.frombuffer(base64.b64decode(row["logits"]), "<f4").reshape(-1, model.config.vocab_size)
        theirs = model(torch.tensor([row["ids"][: len(ours)]])).logits[0].numpy()
        difference = np.abs(ours - theirs).max()
        largest = max(largest, difference) if difference == difference else np.inf
        size = max(size, np.abs(theirs).max())
        count += 1
    report.line(f"largest |logit|, {count} strings", f"{size:.2f}", count >= 200)
    report.line("largest logit difference", f"{largest:.2e}", largest < TOLERANCE)


@torch.no_grad()
def check_scores(tokenizer, model, probe, report):
    rows = [row for row in probe["texts"] + probe["dialogues"] if "score" in row]
    ours = torch.tensor([row["score"] for row in rows])

    def scores(chosen):
        batch = tokenizer.pad({"input_ids": [row["ids"] for row in chosen]}, return_tensors="pt")
        return model(**batch).logits[:, 0] - model.config.reward_offset

    single = torch.cat([scores([row]) for row in rows])
    padded = torch.cat([scores(rows[i : i + 16]) for i in range(0, len(rows), 16)])
    spread = f"{ours.min():.2f} … {ours.max():.2f}"
    report.line(f"scores of {len(rows)} rows, offset {model.config.reward_offset:.4f}", spread, len(rows) >= 200)
    for name, theirs in (("one by one", single), ("padded batches", padded)):
        largest = (theirs - ours).abs().max().item()
        report.line(f"largest score difference, {name}", f"{largest:.2e}", largest < TOLERANCE)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("zip", type=Path)
    parser.add_argument("--probe", type=Path)
    args = parser.parse_args()
    torch.set_num_threads(1)
    print(f"torch {torch.__version__}, transformers {transformers.__version__}, tokenizers {tokenizers.__version__}")
    report = Report()
    with tempfile.TemporaryDirectory() as folder:
        with zipfile.ZipFile(args.zip) as archive:
            bad = archive.testzip()
            report.line("checksums of the archive", bad or "right", bad is None)
            archive.extractall(folder)
        kind, tokenizer, model = load(Path(folder), report)
        smoke(kind, tokenizer, model, report)
    if args.probe:
        probe = json.loads(args.probe.read_text())
        report.line("compared with the page on", probe["adapter"], probe["kind"] == kind)
        check_ids(tokenizer, probe, report)
        check_chat(tokenizer, probe, report)
        if kind == "policy":
            check_logits(model, probe, report)
        else:
            check_scores(tokenizer, model, probe, report)
    sys.exit(report.failed)


if __name__ == "__main__":
    main()
