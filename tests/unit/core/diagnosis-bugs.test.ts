import { expect, test } from 'vitest';
import type { BugId } from '../../../src/core/bugs';
import type { CheckedRun } from '../../../src/core/diagnosis-finding';
import { gaussian } from '../../../src/core/rng';
import { change, COUNTS, idsOf, ppoRows, rewardRows, runOf, sftRows } from './diagnosis-runs';

const ppo = (replace: Parameters<typeof change>[1]): CheckedRun =>
  runOf('ppo', change(ppoRows({ iterations: 6, rollouts: 16 }), replace));

/**
 * What each bug of the lab leaves in the rows, in the sizes that runs of six iterations of 16
 * rollouts logged at `nano` with the bug switched on. A bug without a line here does not compile.
 */
const SIGNATURES: Record<BugId, CheckedRun> = {
  'pad-is-eos': runOf(
    'sft',
    change(sftRows(), () => ({ 'check/end_tokens': 0 })),
  ),
  'no-prompt-mask': runOf(
    'sft',
    change(sftRows(), () => ({ 'check/prompt_tokens': 80 })),
  ),
  'shuffled-pairs': runOf(
    'reward',
    change(rewardRows({ steps: 320, stepsPerEpoch: 40 }), (row, i) => ({
      loss: 0.003 + 0.7 * Math.exp(-i / 40),
      accuracy: Math.min(1, 0.5 + 0.004 * i),
      eval_loss: row['eval_loss'] === undefined ? null : 0.311 + 0.001 * Math.abs(i - 50),
    })),
    { counts: COUNTS },
  ),
  'wrong-temperature': ppo((_, i) => ({ 'val/ratio_first': 1 + 0.004 * gaussian(8, 90, i) })),
  'reward-on-wrong-token': ppo(() => ({ 'check/reward_sum_error': 0.66 })),
  'unmasked-whitening': ppo(() => ({ 'check/advantage_mean': 0.413, 'check/advantage_std': 1.56 })),
  'reference-dropout': ppo((row) => ({
    'objective/kl': row['objective/kl']! + 10,
    'objective/kl_k3': row['objective/kl_k3']! + 11.6,
    'objective/non_score_reward': -0.05 * (row['objective/kl']! + 10),
  })),
  'returns-after-whitening': ppo(() => ({ 'check/return_last_error': 0.61 })),
  'value-not-initialised': ppo((_, i) => (i === 0 ? { 'check/value_init_gap': 1.07 } : {})),
  'kl-sign': ppo((row) => ({ 'objective/non_score_reward': 0.05 * row['objective/kl']! })),
};

test.each(Object.entries(SIGNATURES))('%s is named, and nothing else', (bug, run) => {
  expect(idsOf(run)).toEqual([bug]);
});
