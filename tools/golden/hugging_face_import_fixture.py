"""Model folders as transformers saves them, for tests of the import, with their logits.

    python tools/golden/hugging_face_import_fixture.py     (after tokenizer_fixture.py)

Writes tests/golden/hugging-face-import/NAME/ (tiny Llamas with random weights: grouped-query, tied and
untied, f32, f16, bf16, sharded) and expected.json beside them: for each tensor the SHA-256 of its f32
bytes, and the f32 logits of LlamaForCausalLM on the CPU as base64.
"""

import base64
import hashlib
import json
import platform
import shutil
from pathlib import Path

import safetensors
import tokenizers
import torch
import transformers
from transformers import LlamaConfig, LlamaForCausalLM

GOLDEN = Path(__file__).resolve().parents[2] / "tests" / "golden"
FOLDER = GOLDEN / "hugging-face-import"
SPARE_ROWS = 6
MODELS = {
    # Grouped-query, untied, bf16, in shards, rows to spare in the embedding, as Llama 3.
    "gqa-untied-bf16-sharded": dict(
        tokenizer="llama3", eos="<|eot|>", dtype=torch.bfloat16, shard="24KB",
        config=dict(hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2,
                    max_position_embeddings=64, rms_norm_eps=1e-5, tie_word_embeddings=False),
        rope_theta=500000.0,
    ),
    # Tied, three heads that share one, f16, as SmolLM2.
    "mqa-tied-f16": dict(
        tokenizer="smollm2", eos="<|im_end|>", dtype=torch.float16, shard="1GB",
        config=dict(hidden_size=24, intermediate_size=40, num_hidden_layers=2, num_attention_heads=3, num_key_value_heads=1,
                    max_position_embeddings=32, rms_norm_eps=1e-6, tie_word_embeddings=True),
        rope_theta=10000.0,
    ),
    # As many key-value heads as heads, f32, an rms_norm_eps that shows.
    "mha-untied-f32": dict(
        tokenizer="qwen2", eos="<|im_end|>", dtype=torch.float32, shard="1GB",
        config=dict(hidden_size=16, intermediate_size=24, num_hidden_layers=1, num_attention_heads=2, num_key_value_heads=2,
                    max_position_embeddings=32, rms_norm_eps=1e-2, tie_word_embeddings=False),
        rope_theta=100.0,
    ),
}
ROWS = [[17, 5, 39, 208, 8, 8, 421, 300, 77], [12, 401, 30, 2, 25]]


def build(name: str, spec: dict) -> dict:
    folder = FOLDER / name
    folder.mkdir(parents=True)
    tokenizer = tokenizers.Tokenizer.from_file(str(GOLDEN / "tokenizer" / f"{spec['tokenizer']}.json"))
    spare = SPARE_ROWS if "sharded" in name else 0
    torch.manual_seed(11)
    config = LlamaConfig(
        vocab_size=tokenizer.get_vocab_size() + spare,
        rope_parameters={"rope_type": "default", "rope_theta": spec["rope_theta"]},
        bos_token_id=None, eos_token_id=tokenizer.token_to_id(spec["eos"]),
        attn_implementation="eager", **spec["config"],
    )
    model = LlamaForCausalLM(config).float()
    with torch.no_grad():
        for p in model.parameters():
            # Larger than fresh weights and norms off 1, so that every term matters.
            p.copy_(1 + 0.3 * torch.randn_like(p) if p.dim() == 1 else 0.25 * torch.randn_like(p))
    model = model.to(spec["dtype"])
    model.save_pretrained(folder, max_shard_size=spec["shard"])
    (folder / "generation_config.json").unlink(missing_ok=True)
    for file in folder.iterdir():
        file.chmod(0o644)
    shutil.copy(GOLDEN / "tokenizer" / f"{spec['tokenizer']}.json", folder / "tokenizer.json")
    (folder / "tokenizer_config.json").write_text(json.dumps({"eos_token": spec["eos"]}) + "\n")

    model = LlamaForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()
    with torch.no_grad():
        rows = [
            {"input_ids": row, "logits": base64.b64encode(model(torch.tensor([row])).logits[0].numpy().tobytes()).decode()}
            for row in ROWS
        ]
    names = {n: p for n, p in model.state_dict().items() if n != "lm_head.weight" or not config.tie_word_embeddings}
    return {
        "vocab_size": config.vocab_size,
        "own_tokens": tokenizer.get_vocab_size(),
        "rope_theta": spec["rope_theta"],
        "config": spec["config"],
        "end": spec["eos"],
        "rows": rows,
        "tensors": {
            n: {"shape": list(p.shape), "sha256": hashlib.sha256(p.contiguous().numpy().tobytes()).hexdigest()}
            for n, p in names.items()
        },
    }


def main() -> None:
    shutil.rmtree(FOLDER, ignore_errors=True)
    expected = {name: build(name, spec) for name, spec in MODELS.items()}
    versions = {
        "python": platform.python_version(), "safetensors": safetensors.__version__, "tokenizers": tokenizers.__version__,
        "torch": torch.__version__, "transformers": transformers.__version__,
    }
    fixture = {"made_by": "tools/golden/hugging_face_import_fixture.py", "versions": versions, "models": expected}
    (FOLDER / "expected.json").write_text(json.dumps(fixture) + "\n")


if __name__ == "__main__":
    main()
