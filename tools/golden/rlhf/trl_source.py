"""
TRL's own lines. What TRL has as a function is imported; what stands inside PPOTrainer.train is cut
out of the installed release by its first and last line and run with our tensors in place of the
trainer's, so that nothing is copied by hand.
"""

import ast
import inspect
import textwrap
import zipfile

import numpy
from trl.experimental.ppo import ppo_trainer

_TRAIN = inspect.getsource(ppo_trainer.PPOTrainer.train).splitlines()


def _cut(first, last, after=0):
    """Lines from the one that contains `first` to the one before the next that contains `last`."""
    start = next(i for i, line in enumerate(_TRAIN) if i >= after and first in line)
    end = next(i for i, line in enumerate(_TRAIN) if i > start and last in line)
    return textwrap.dedent("\n".join(_TRAIN[start:end])), end


_rollout, _end = _cut("# be very careful with `padding_mask_p1`", "# 4. compute rewards")
_rewards, _end = _cut("# 4. compute rewards", "empty_cache()", _end - 1)
_losses, _end = _cut("output, vpred_temp = forward(", "accelerator.backward(loss)", _end)
_statistics, _end = _cut("pg_clipfrac = masked_mean(", "approxkl_stats[", _end)
_metrics, _ = _cut("mean_kl = kl.sum(1).mean()", "eps = int(", _end)


def _run(source, names):
    """Runs cut lines in TRL's module, with `names` as the local variables; gives them back."""
    local = {**vars(ppo_trainer), **names}
    exec(compile(source, "trl.experimental.ppo.ppo_trainer", "exec"), local)
    return local


def mask_padding(names):
    """responses, sequence_lengths, logprobs, ref_logprobs, values -> the same, masked as TRL does."""
    return _run(_rollout, names)


def rewards_and_advantages(names):
    """Rewards, whitening of rewards, GAE, returns, whitening of advantages."""
    return _run(_rewards, names)


def losses_and_statistics(names):
    """Policy and value loss of one micro batch, then what TRL logs of it."""
    return _run(_statistics, _run(_losses, names))


def objective(names):
    """objective/kl, entropy, non_score_reward and rlhf_reward as TRL logs them."""
    return _run(_metrics, names)


def kl_controllers(wheel):
    """AdaptiveKLController and FixedKLController of trl 0.11.4: their classes, out of its wheel."""
    source = zipfile.ZipFile(wheel).read("trl/trainer/utils.py").decode()
    wanted = {"AdaptiveKLController", "FixedKLController"}
    found = [n for n in ast.parse(source).body if isinstance(n, ast.ClassDef) and n.name in wanted]
    assert len(found) == 2
    local = {"np": numpy}
    exec(compile(ast.Module(found, []), wheel, "exec"), local)
    return local["AdaptiveKLController"], local["FixedKLController"]
