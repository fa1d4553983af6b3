"""TRL's own PPOTrainer, unmodified, on the exported policy, reward model and prompts.

    python bench/trl/trl_ppo.py .cache/trl check    reads the page's probe again: ids, log-probabilities, scores
    python bench/trl/trl_ppo.py .cache/trl 1        PPO with seed 1: one line of JSON for each iteration

Called by bench/trl.ts. Versions: tools/golden/rlhf/requirements.txt.
"""

import json
import os
import platform
import sys
import tempfile
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TRL_EXPERIMENTAL_SILENCE"] = "1"

import torch
import transformers
import trl
from datasets import Dataset
from transformers import (
    AutoModelForCausalLM,
    AutoModelForSequenceClassification,
    AutoTokenizer,
    TrainerCallback,
    set_seed,
)
from trl.experimental.ppo import PPOConfig, PPOTrainer
from trl.experimental.utils import get_reward

FOLDER = Path(sys.argv[1])
KEPT = {
    "kl": "objective/kl",
    "score": "objective/scores",
    "entropy": "objective/entropy",
    "ended": "val/num_eos_tokens",
}


def load_policy():
    return AutoModelForCausalLM.from_pretrained(FOLDER / "policy", dtype=torch.float32)


def load_scorer():
    """Logit - reward_offset is the page's score. LlamaForSequenceClassification has no bias to hold
    the offset, so its head is replaced by the same one with a bias: for the reward model, and for
    the value model, which starts as the reward model and learns the bias as ours does."""
    model = AutoModelForSequenceClassification.from_pretrained(FOLDER / "reward", dtype=torch.float32)
    head = torch.nn.Linear(model.config.hidden_size, 1)
    with torch.no_grad():
        head.weight.copy_(model.score.weight)
        head.bias.fill_(-model.config.reward_offset)
    model.score = head
    return model


def prompt_ids(tokenizer, prompts):
    return [
        tokenizer.apply_chat_template(
            [{"role": "user", "content": prompt}], add_generation_prompt=True, return_dict=True
        )["input_ids"]
        for prompt in prompts
    ]


class Reporter(TrainerCallback):
    """Prints what TRL logs of each iteration."""

    def on_log(self, args, state, control, logs=None, **kwargs):
        if logs and "objective/kl" in logs:
            print(json.dumps({ours: logs[name] for ours, name in KEPT.items()}), flush=True)


def train(seed):
    shared = json.loads((FOLDER / "settings.json").read_text())
    tokenizer = AutoTokenizer.from_pretrained(FOLDER / "policy")
    prompts = json.loads((FOLDER / "prompts.json").read_text())
    dataset = Dataset.from_dict({"input_ids": prompt_ids(tokenizer, prompts)})
    set_seed(seed)
    # the same in both, but for the two that TRL counts otherwise
    iterations, batch = shared.pop("num_iterations"), shared.pop("rollout_batch_size")
    with tempfile.TemporaryDirectory() as output:
        args = PPOConfig(
            output_dir=output,
            seed=seed,
            total_episodes=iterations * batch,
            per_device_train_batch_size=batch,
            gradient_accumulation_steps=1,
            local_rollout_forward_batch_size=batch,
            stop_token="eos",
            lr_scheduler_type="constant",
            warmup_steps=0,
            optim="adamw_torch",
            kl_estimator="k1",
            bf16=False,
            use_cpu=True,
            gradient_checkpointing=False,
            num_sample_generations=0,
            logging_steps=1,
            save_strategy="no",
            eval_strategy="no",
            report_to="none",
            disable_tqdm=True,
            **shared,
        )
        trainer = PPOTrainer(
            args=args,
            processing_class=tokenizer,
            model=load_policy(),
            ref_model=load_policy(),
            reward_model=load_scorer(),
            value_model=load_scorer(),
            train_dataset=dataset,
            eval_dataset=dataset,
            callbacks=[Reporter()],
        )
        trainer.train()


@torch.no_grad()
def check():
    """Largest differences from the page, on answers that it wrote."""
    probe = json.loads((FOLDER / "probe.json").read_text())
    tokenizer = AutoTokenizer.from_pretrained(FOLDER / "policy")
    policy, reward = load_policy().eval(), load_scorer().eval()
    ids = prompt_ids(tokenizer, [row["prompt"] for row in probe["prompts"]])
    logprob = score = 0.0
    for row in probe["answers"]:
        start = row["promptLength"]
        tokens = torch.tensor([row["input_ids"]])
        logits = policy(tokens).logits[:, start - 1 : -1]
        chosen = logits.log_softmax(-1).gather(2, tokens[:, start:, None]).sum().item()
        logprob = max(logprob, abs(chosen - row["logprob"]))
        # with a place of padding, as TRL's batches have it; the function that TRL scores with
        padded = torch.cat([tokens, torch.tensor([[tokenizer.pad_token_id]])], 1)
        own = get_reward(reward, padded, tokenizer.pad_token_id, start)[1].item()
        score = max(score, abs(own - row["score"]))
    answer = {
        "agreement": {
            "prompts": len(ids),
            "answers": len(probe["answers"]),
            "ids": sum(own != row["input_ids"] for own, row in zip(ids, probe["prompts"])),
            "logprob": logprob,
            "score": score,
        },
        "versions": {
            "Python": platform.python_version(),
            "torch": torch.__version__,
            "transformers": transformers.__version__,
            "trl": trl.__version__,
        },
    }
    print(json.dumps(answer))


torch.set_num_threads(1)
if sys.argv[2] == "check":
    check()
else:
    train(int(sys.argv[2]))
