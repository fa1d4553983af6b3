"""Files written by the official `safetensors` library, for tests/unit/formats.

    python tools/golden/safetensors_fixture.py

Writes tests/golden/safetensors/{f32,f16,bf16}.safetensors (the same tensors in three dtypes) and
expected.json: each tensor's shape and the f32 bit patterns of its values after widening.
"""

import json
import platform
from pathlib import Path

import safetensors
import torch
from safetensors.torch import save_file

FOLDER = Path(__file__).resolve().parents[2] / "tests" / "golden" / "safetensors"
EDGES = [
    0.0, -0.0, 1.0, -1.0, 1 / 3, 65504.0, -65504.0, 2.0**-14, 2.0**-24, 2.0**-25, 1.5 * 2.0**-25, 3 * 2.0**-25,
    2.0**-14 - 2.0**-25, 2049.0, 2051.0, 1.0 + 2.0**-11, 1.0 + 3 * 2.0**-11, 65519.0, 6.1e-5, 1e-7, 1e-40, 3.14159274,
]


def main() -> None:
    torch.manual_seed(3)
    tensors = {
        "model.norm.weight": torch.tensor(EDGES),
        "model.embed_tokens.weight": torch.randn(5, 3) * 0.02,
        "scalar": torch.tensor(7.25),
        "empty": torch.zeros(0, 4),
        "wide": torch.randn(64) * 10.0 ** torch.randint(-8, 4, (64,)),
    }
    expected: dict[str, object] = {
        "made_by": "tools/golden/safetensors_fixture.py",
        "versions": {
            "python": platform.python_version(),
            "safetensors": safetensors.__version__,
            "torch": torch.__version__,
        },
    }
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, dtype in {"f32": torch.float32, "f16": torch.float16, "bf16": torch.bfloat16}.items():
        cast = {key: value.to(dtype) for key, value in tensors.items()}
        save_file(cast, FOLDER / f"{name}.safetensors", metadata={"format": "pt"})
        expected[name] = {
            key: {
                "shape": list(value.shape),
                "bits": [b & 0xFFFFFFFF for b in value.float().view(torch.int32).flatten().tolist()],
            }
            for key, value in cast.items()
        }
    (FOLDER / "expected.json").write_text(json.dumps(expected) + "\n")


if __name__ == "__main__":
    main()
