"""Golden numbers for tests/gpu/model*.test.ts, losses*.test.ts and optimizer*.test.ts.

Run: python tools/golden/llama_fixture.py   (needs torch and transformers; writes tests/golden/llama/)
Reference: transformers' LlamaForCausalLM in f32 on the CPU, a grouped-query config, right padding.
"""

import json
import pathlib

import torch
import transformers
from transformers import LlamaConfig, LlamaForCausalLM

OUT = pathlib.Path(__file__).resolve().parents[2] / "tests" / "golden" / "llama"
CONFIG = dict(
    vocab_size=40,
    hidden_size=32,
    intermediate_size=48,
    num_hidden_layers=2,
    num_attention_heads=4,
    num_key_value_heads=2,
    max_position_embeddings=24,
    rms_norm_eps=1e-5,
    rope_theta=10000,
    tie_word_embeddings=True,
)
ROWS = [[3, 17, 5, 39, 8, 8, 21], [12, 1, 30, 2, 25, 9, 33, 14, 0, 7, 11], [6, 28, 19]]
PROMPTS = [3, 4, 1]


def numbers(tensor):
    return [float(f"{x:.9g}") for x in tensor.detach().flatten().tolist()]


def named(tensors):
    return {name: {"shape": list(t.shape), "data": numbers(t)} for name, t in tensors}


def model_with_weights():
    torch.manual_seed(7)
    model = LlamaForCausalLM(
        LlamaConfig(**{k: v for k, v in CONFIG.items() if k != "rope_theta"},
                    rope_parameters={"rope_type": "default", "rope_theta": CONFIG["rope_theta"]},
                    attn_implementation="eager")
    ).float()
    with torch.no_grad():
        for name, p in model.named_parameters():
            # Larger than fresh weights and norms off 1, so that every term matters.
            p.copy_(1 + 0.3 * torch.randn_like(p) if p.dim() == 1 else 0.25 * torch.randn_like(p))
    return model


def model_fixture(model):
    T = max(map(len, ROWS))
    ids = torch.zeros(len(ROWS), T, dtype=torch.long)
    labels = torch.full((len(ROWS), T), -100)
    attention = torch.zeros(len(ROWS), T, dtype=torch.long)
    for b, (row, prompt) in enumerate(zip(ROWS, PROMPTS)):
        ids[b, : len(row)] = torch.tensor(row)
        labels[b, prompt : len(row)] = torch.tensor(row[prompt:])
        attention[b, : len(row)] = 1
    output = model(input_ids=ids, attention_mask=attention, labels=labels)
    output.loss.backward()
    logp = torch.log_softmax(output.logits / 0.7, -1)
    entropy = -(logp.exp() * logp).sum(-1)
    rows = []
    for b, row in enumerate(ROWS):
        n = len(row)
        rows.append({
            "input_ids": row,
            "promptLength": PROMPTS[b],
            "logits": numbers(output.logits[b, :n]),
            "logprobs": numbers(logp[b, torch.arange(n - 1), torch.tensor(row[1:])]),
            "entropy": numbers(entropy[b, : n - 1]),
        })
    return {
        "versions": {"torch": torch.__version__, "transformers": transformers.__version__},
        "config": CONFIG,
        "weights": named(model.named_parameters()),
        "rows": rows,
        "temperature": 0.7,
        "loss": output.loss.item(),
        "gradients": named((n, p.grad) for n, p in model.named_parameters()),
    }


def adamw_fixture(model):
    """Losses, norms and final weights of 5 clipped AdamW steps on the same batch."""
    T = max(map(len, ROWS))
    ids = torch.zeros(len(ROWS), T, dtype=torch.long)
    labels = torch.full((len(ROWS), T), -100)
    for b, (row, prompt) in enumerate(zip(ROWS, PROMPTS)):
        ids[b, : len(row)] = torch.tensor(row)
        labels[b, prompt : len(row)] = torch.tensor(row[prompt:])
    options = dict(adam_beta1=0.9, adam_beta2=0.999, adam_epsilon=1e-5, weight_decay=0.1, max_grad_norm=1.0)
    rates = [1e-3, 3e-3, 5e-3, 2e-3, 1e-3]
    matrices = [p for p in model.parameters() if p.dim() >= 2]
    vectors = [p for p in model.parameters() if p.dim() < 2]
    optimizer = torch.optim.AdamW(
        [{"params": matrices, "weight_decay": options["weight_decay"]}, {"params": vectors, "weight_decay": 0.0}],
        lr=rates[0], betas=(options["adam_beta1"], options["adam_beta2"]), eps=options["adam_epsilon"],
    )
    losses, norms = [], []
    for rate in rates:
        for group in optimizer.param_groups:
            group["lr"] = rate
        optimizer.zero_grad()
        loss = model(input_ids=ids, labels=labels).loss
        loss.backward()
        norms.append(torch.nn.utils.clip_grad_norm_(model.parameters(), options["max_grad_norm"]).item())
        optimizer.step()
        losses.append(loss.item())
    return {
        "versions": {"torch": torch.__version__, "transformers": transformers.__version__},
        "options": options, "learning_rates": rates, "losses": losses, "grad_norms": norms,
        "weights": named(model.named_parameters()),
    }


if __name__ == "__main__":
    OUT.mkdir(parents=True, exist_ok=True)
    model = model_with_weights()
    (OUT / "model.json").write_text(json.dumps(model_fixture(model)) + "\n")
    model.zero_grad()
    (OUT / "adamw.json").write_text(json.dumps(adamw_fixture(model)) + "\n")
