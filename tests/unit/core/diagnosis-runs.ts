/**
 * Rows of runs as a healthy implementation logs them, noise included. Sizes are those of a real run
 * at `nano` (24 rollouts, 16 iterations: reward 0.09 → 0.87, KL 0 → 9.7, entropy 9.3 → 5.9 nats,
 * explained variance −2.2 → 0.5) and of its SFT and reward model.
 */
import type { CheckedRun, FindingId } from '../../../src/core/diagnosis-finding';
import { diagnose } from '../../../src/core/diagnosis';
import type { MetricRow } from '../../../src/core/domain';
import { gaussian } from '../../../src/core/rng';

const NOISE = 99;

export interface PpoShape {
  seed?: number;
  iterations?: number;
  rollouts?: number;
}

/** A healthy PPO run. */
export function ppoRows({ seed = 1, iterations = 30, rollouts = 32 }: PpoShape = {}): MetricRow[] {
  return Array.from({ length: iterations }, (_, i) => {
    const draw = (what: number, size: number): number => size * gaussian(seed, NOISE, i, what);
    const mean = (what: number, size: number): number => draw(what, size / Math.sqrt(rollouts));
    const grown = 1 - Math.exp(-i / 6);
    const drift = 8 * grown;
    // k1 of one completion spreads by √(2·KL) where the drift is small, and a little more later.
    const kl = i === 0 ? 0 : drift + mean(1, Math.sqrt(2 * drift) + 0.3 * drift);
    const kl_coef = 0.05;
    const scores = 0.05 + 0.9 * grown + mean(2, 1);
    const variance = Math.max(0.1, 0.3 + draw(3, 0.08));
    const fit = -2 * Math.exp(-i / 3) + 0.3 * grown + draw(4, 0.12);
    return {
      step: i + 1,
      'objective/scores': scores,
      'objective/kl': kl,
      'objective/kl_k3': i === 0 ? 0 : drift + Math.abs(draw(5, 0.5)),
      'objective/entropy': 9 - 3 * grown + mean(6, 4),
      'objective/non_score_reward': 0 - kl_coef * kl,
      'objective/rlhf_reward': scores - kl_coef * kl,
      'objective/kl_coef': kl_coef,
      'policy/approxkl_avg': 0.06 * Math.exp(-i / 3) + 0.012 + Math.abs(draw(7, 0.006)),
      'policy/clipfrac_avg': 0.03 + Math.abs(draw(8, 0.01)),
      'policy/entropy_avg': 0.35 + draw(9, 0.03),
      'val/ratio_first': 1 + draw(10, 1e-6),
      'val/num_eos_tokens': rollouts - (gaussian(seed, NOISE, i, 11) > 1.5 ? 1 : 0),
      'ppo/returns/mean': 0.1 + 0.8 * grown,
      'ppo/returns/var': variance,
      'ppo/val/vpred': grown,
      'ppo/val/error': (1 - fit) * variance,
      'ppo/val/var_explained': fit,
      response_length: 24 - 5 * grown + mean(12, 9),
      episode: (i + 1) * rollouts,
      'check/reward_sum_error': Math.abs(draw(13, 1e-6)),
      'check/advantage_mean': draw(14, 1e-6),
      'check/advantage_std': 0.9993 + draw(15, 1e-6),
      'check/old_logprob_gap': Math.abs(draw(16, 1e-5)),
      'check/return_last_error': Math.abs(draw(17, 1e-6)),
      ...(i === 0 && { 'check/value_init_gap': 1e-6 }),
    };
  });
}

/** A healthy SFT run: 5 epochs of 28 demonstrations, looked at now and then. */
export function sftRows({
  seed = 1,
  steps = 20,
}: { seed?: number; steps?: number } = {}): MetricRow[] {
  return Array.from({ length: steps }, (_, i) => {
    const looks = i === 0 || (i + 1) % 10 === 0 || i + 1 === steps;
    const draw = (what: number, size: number): number => size * gaussian(seed, NOISE, i, what);
    const loss = 0.14 + 0.6 * Math.exp(-i / 4);
    return {
      step: i + 1,
      loss: loss * Math.exp(draw(1, 0.2)),
      epoch: (i + 1) / 4,
      // It turns up a little, as on the real run: 0.395, then 0.422.
      ...(looks && { eval_loss: 0.39 + 0.38 * Math.exp(-i / 4) + 0.0015 * i + draw(2, 0.005) }),
      'check/prompt_tokens': 0,
      'check/end_tokens': 1,
    };
  });
}

export interface RewardShape {
  seed?: number;
  steps?: number;
  stepsPerEpoch?: number;
  accuracy?: number;
}

/** A healthy reward-model run: one epoch, four prompts in a batch, `accuracy` on held-out pairs. */
export function rewardRows({
  seed = 1,
  steps = 8,
  stepsPerEpoch = steps,
  accuracy = 0.8,
}: RewardShape = {}): MetricRow[] {
  return Array.from({ length: steps }, (_, i) => {
    const looks = i === 0 || (i + 1) % 5 === 0 || i + 1 === steps;
    const draw = (what: number, size: number): number => size * gaussian(seed, NOISE, i, what);
    const learnt = 1 - Math.exp(-i / 3);
    return {
      step: i + 1,
      loss: Math.max(0.1, 0.85 - 0.4 * learnt + draw(1, 0.13)),
      accuracy: Math.min(1, 0.5 + 0.27 * learnt + draw(2, 0.1)),
      epoch: (i + 1) / stepsPerEpoch,
      ...(looks && {
        eval_loss: 0.77 - 0.24 * learnt + draw(3, 0.01),
        eval_accuracy: 0.5 + (accuracy - 0.5) * (i + 1 === steps ? 1 : learnt),
      }),
    };
  });
}

/** A healthy DPO run of three epochs, as the demo's rankings gave it: held out 41 → 80 %, chosen ± 3 nats. */
export function dpoRows({ seed = 1, steps = 24, accuracy = 0.8 } = {}): MetricRow[] {
  return Array.from({ length: steps }, (_, i) => {
    const looks = i === 0 || (i + 1) % 5 === 0 || i + 1 === steps;
    const draw = (what: number, size: number): number => size * gaussian(seed, NOISE, i, what);
    const learnt = 1 - Math.exp((-4 * i) / steps);
    const chosen = 0.05 * learnt + draw(1, 0.15 * learnt);
    const rejected = -1.5 * learnt + draw(2, 0.4 * learnt);
    return {
      step: i + 1,
      loss: Math.max(0.1, 0.69 - 0.37 * learnt + draw(3, 0.08 * learnt)),
      'rewards/chosen': chosen,
      'rewards/rejected': rejected,
      'rewards/margins': chosen - rejected,
      'rewards/accuracies': Math.min(1, 0.5 + 0.38 * learnt + draw(4, 0.08)),
      epoch: (3 * (i + 1)) / steps,
      ...(looks && {
        eval_loss: 0.69 - 0.1 * learnt,
        'eval_rewards/accuracies': 0.5 + (accuracy - 0.5) * (i + 1 === steps ? 1 : learnt),
      }),
    };
  });
}

/** 40 rankings of four, a fifth held out. */
export const COUNTS = { rankings: 40, pairs: 230, heldOutPairs: 46, completions: 4 };

/** The rows with some numbers replaced or, where null, left out. */
export function change(
  rows: readonly MetricRow[],
  replace: (row: MetricRow, i: number) => Record<string, number | null | undefined>,
): MetricRow[] {
  return rows.map((row, i) => {
    const replaced = Object.entries({ ...row, ...replace(row, i) });
    return Object.fromEntries(
      replaced.filter((entry): entry is [string, number] => typeof entry[1] === 'number'),
    );
  });
}

/** A run on default-like settings. */
export function runOf(
  stage: CheckedRun['stage'],
  rows: readonly MetricRow[],
  more: Partial<CheckedRun> = {},
): CheckedRun {
  return { stage, rows, config: { learning_rate: 1e-3, kl_controller: 'fixed' }, ...more };
}

export const idsOf = (run: CheckedRun): FindingId[] => diagnose(run).map(({ id }) => id);
