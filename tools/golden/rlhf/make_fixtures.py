"""Writes tests/golden/rlhf/*.json: `python make_fixtures.py INPUTS.json TRL_0_11_WHEEL`. See make.sh."""

import json
import pathlib
import sys

import torch
import transformers
import trl

from dpo import dpo_fixture
from optimizer import adamw_fixture, controller_fixture, schedules_fixture
from ppo import rollout_fixture, update_fixture
from reward import reward_fixture
from trajectories import reward_trajectory_fixture, sft_fixture

OUT = pathlib.Path(__file__).resolve().parents[3] / "tests" / "golden" / "rlhf"
VERSIONS = {"torch": torch.__version__, "transformers": transformers.__version__, "trl": trl.__version__}


def write(name, inputs, content, **more):
    """`spread`: how far PyTorch's own float32 is from the float64 numbers given, relative."""
    fixture = {"versions": VERSIONS, "inputs": inputs, **content, **more}
    (OUT / f"{name}.json").write_text(json.dumps(fixture, separators=(",", ":")) + "\n")


def main(path, wheel):
    torch.set_num_threads(1)
    inputs = json.loads(pathlib.Path(path).read_text())
    one_shot, training, prints = inputs["oneShot"], inputs["training"], inputs["fingerprints"]
    OUT.mkdir(parents=True, exist_ok=True)
    for name, make in (("rollout", rollout_fixture), ("update", update_fixture), ("reward", reward_fixture),
                       ("adamw", adamw_fixture)):
        content, spread = make(one_shot)
        write(name, prints["oneShot"], content, spread=spread)
    # Its settings have a print of their own: they came after the other fixtures.
    content, spread = dpo_fixture({**one_shot, "dpoSettings": inputs["dpoSettings"]})
    write("dpo", prints["dpo"], content, spread=spread)
    write("control", prints["oneShot"],
          {"schedules": schedules_fixture(one_shot), "controller": controller_fixture(one_shot, wheel)},
          controllerVersion="0.11.4")
    write("trajectories", prints["training"],
          {"sft": sft_fixture(training), "reward": reward_trajectory_fixture(training)})


if __name__ == "__main__":
    main(*sys.argv[1:])
