/** The clipped updates on one rollout (Schulman et al. 2017). */
import type { PpoConfig } from '../core/config';
import { permutation, STREAM } from '../core/rng';
import { collate, type TokenBatch, type TokenRow } from '../engine/batch';
import { addLosses, ppoPolicyLoss, ppoValueLoss, pretrainingLoss } from '../engine/losses';
import type { StepResult } from '../engine/optimizer';
import { updateTemperature } from './bug-lab';
import type { Learner } from './ppo-models';
import type { Rollout } from './rollout';
import { batchOf } from './stage';

export interface UpdateSettings {
  config: PpoConfig;
  lr: number;
  seed: number;
  iteration: number;
  pretraining: PretrainingText;
}

/** Pretraining text for PPO-ptx; no rows when it is off. */
export interface PretrainingText {
  rows: TokenRow[];
  /** The row that is read as the n-th. */
  order: (n: number) => number;
}

/** One minibatch: rows of the rollout, and what PPO knows of them, [B, T] each. */
interface Minibatch {
  batch: TokenBatch;
  oldLogprobs: Float32Array;
  advantages: Float32Array;
  oldValues: Float32Array;
  returns: Float32Array;
}

/**
 * `num_ppo_epochs` × `num_mini_batches` steps. Statistics are means over all of them, but
 * `val/ratio_first`, which is taken before anything moved and must be 1.
 */
export async function update(
  learner: Learner,
  rollout: Rollout,
  settings: UpdateSettings,
): Promise<Record<string, number>> {
  const { config, seed, iteration } = settings;
  const { B } = rollout.batch;
  const size = Math.ceil(B / config.num_mini_batches);
  const rows: Record<string, number>[] = [];
  for (let epoch = 0; epoch < config.num_ppo_epochs; epoch++) {
    const round = iteration * config.num_ppo_epochs + epoch;
    const order = permutation(B, seed, STREAM.order, round);
    for (let start = 0; start * size < B; start++) {
      const part = minibatch(rollout, batchOf(order, size, start));
      const number = round * config.num_mini_batches + start;
      const stats = await takeStep(learner, part, number, settings);
      rows.push(logged(stats));
    }
  }
  learner.average?.update();
  return { ...means(rows), 'val/ratio_first': rows[0]!['val/ratio']! };
}

/** One optimizer step for the policy and one for the value model, or one for both on one trunk. */
async function takeStep(
  { policy, value, policyOptimizer, valueOptimizer }: Learner,
  part: Minibatch,
  number: number,
  { config, lr, pretraining }: UpdateSettings,
): Promise<Record<string, number>> {
  const { batch } = part;
  const temperature = updateTemperature(config);
  const texts = pretrainingBatch(pretraining, batch.B * config.ptx_batch_ratio, number);
  const policyLoss = () => {
    const loss = ppoPolicyLoss(policy, batch, part, { ...config, temperature });
    if (texts === null) return loss;
    return addLosses(loss, pretrainingLoss(policy, texts, config.ptx_coef));
  };
  const valueLoss = () => ppoValueLoss(value, batch, part, config);
  const steps: StepResult[] =
    valueOptimizer === null
      ? [await policyOptimizer.step(() => addLosses(policyLoss(), valueLoss()), lr)]
      : [await policyOptimizer.step(policyLoss, lr), await valueOptimizer.step(valueLoss, lr)];
  return Object.assign({}, ...steps.map(({ stats }) => stats)) as Record<string, number>;
}

/** The statistics of one step under TRL's names. */
function logged(stats: Record<string, number>): Record<string, number> {
  return {
    'loss/policy_avg': stats.pg_loss!,
    // TRL logs the value loss before its weight
    'loss/value_avg': stats.vf_loss!,
    'policy/approxkl_avg': stats.approxkl!,
    'policy/clipfrac_avg': stats.clipfrac!,
    'policy/entropy_avg': stats.entropy!,
    'val/clipfrac_avg': stats.vf_clipfrac!,
    'val/ratio': stats.ratio!,
    'val/ratio_var': stats.ratio_var!,
    ...(stats.ptx_loss !== undefined && { 'loss/ptx_avg': stats.ptx_loss }),
  };
}

function means(rows: readonly Record<string, number>[]): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const row of rows) {
    for (const [name, x] of Object.entries(row)) sums[name] = (sums[name] ?? 0) + x;
  }
  return Object.fromEntries(Object.entries(sums).map(([name, sum]) => [name, sum / rows.length]));
}

/** The chosen rows of a rollout, padded as the whole batch is. */
function minibatch(rollout: Rollout, chosen: number[]): Minibatch {
  const { T } = rollout.batch;
  const pick = (x: Float32Array) => {
    const out = new Float32Array(chosen.length * T);
    chosen.forEach((b, i) => out.set(x.subarray(b * T, (b + 1) * T), i * T));
    return out;
  };
  return {
    batch: collate(
      chosen.map((b) => rollout.rows[b]!),
      { padTo: T },
    ),
    oldLogprobs: pick(rollout.logprobs),
    advantages: pick(rollout.advantages),
    oldValues: pick(rollout.values),
    returns: pick(rollout.returns),
  };
}

/** The pretraining rows of step `number`. */
function pretrainingBatch(
  { rows, order }: PretrainingText,
  wanted: number,
  number: number,
): TokenBatch | null {
  if (rows.length === 0) return null;
  const size = Math.max(1, Math.round(wanted));
  return collate(Array.from({ length: size }, (_, i) => rows[order(number * size + i)]!));
}
