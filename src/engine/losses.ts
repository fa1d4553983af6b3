/**
 * Training losses. Each runs a model on a batch and gives a scalar to differentiate plus statistics.
 * "Masked mean" is the mean over completion tokens only (`batch.mask`); prompts and padding never
 * count. Call inside `AdamW.step` or `tf.tidy`.
 */
import * as tf from '@tensorflow/tfjs-core';
import { PlaygroundError } from '../core/errors';
import type { TokenBatch } from './batch';
import type { Dropout } from './dropout';
import type { ScalarModel } from './heads';
import type { Llama } from './model';
import { tokenLogprob } from './ops/token-logprob';

export interface LossOutput {
  loss: tf.Scalar;
  stats: Record<string, tf.Scalar>;
}

/**
 * Cross-entropy of the completion: −masked mean of log π(token), nats.
 * Stats: `entropy` (nats, masked mean), `mean_token_accuracy` (share of tokens that are the argmax),
 * `num_tokens` (prompt and completion tokens of the batch, as TRL's SFTTrainer counts them).
 * @throws PlaygroundError 'input' when no token is a completion token
 */
export function completionLoss(model: Llama, batch: TokenBatch, dropout?: Dropout): LossOutput {
  const mean = maskedMean(batch);
  const { logprob, entropy, isArgmax } = tokenStats(model, batch, 1, dropout);
  return {
    loss: tf.neg(mean(logprob)),
    stats: {
      entropy: mean(entropy),
      mean_token_accuracy: mean(isArgmax),
      num_tokens: tf.scalar(batch.lengths.reduce((sum, length) => sum + length, 0)),
    },
  };
}

/** Rows of the batch that one labeler compared. */
export interface RankedPair {
  winner: number;
  loser: number;
  /** 1 / (C(K, 2) of the prompt · prompts in the batch): every prompt counts alike. */
  weight: number;
}

/**
 * K-wise reward loss (Ouyang et al. 2022, equation 1): −Σ weight·log σ(r_w − r_l − margin), plus
 * center·Σ weight·(r_w + r_l)² (TRL `center_rewards_coefficient`; Eisenstein et al. 2023). All pairs
 * of a prompt share one forward pass per completion; ties are not among the pairs. The score of a
 * row is taken at its last token.
 * Stats: `accuracy` (share of pairs with r_w > r_l), `margin` (mean r_w − r_l), `min_reward`,
 * `mean_reward`, `max_reward` over the rows.
 * @throws PlaygroundError 'input' without pairs
 */
export function kwiseRewardLoss(
  model: ScalarModel,
  batch: TokenBatch,
  pairs: readonly RankedPair[],
  { margin, center }: { margin: number; center: number },
): LossOutput {
  const { B, T, lengths } = batch;
  const { winners, losers, weights } = pairMatrices(pairs, B);
  // One-hot rows instead of gathers: the gradient of a gather adds with atomics on WebGPU.
  const last = new Float32Array(B * T);
  lengths.forEach((length, b) => (last[b * T + length - 1] = 1));
  const scores = tf.reshape(model.scoresAt(batch), [B, T]);
  const rewards = tf.reshape(tf.sum(tf.mul(scores, tf.tensor2d(last, [B, T])), 1), [1, B]);
  const delta = tf.sum(tf.mul(rewards, tf.sub(winners, losers)), 1);
  // −log σ(x) = softplus(−x)
  let loss = tf.sum<tf.Scalar>(tf.mul(weights, tf.softplus(tf.sub(margin, delta))));
  if (center > 0) {
    const sums = tf.sum(tf.mul(rewards, tf.add(winners, losers)), 1);
    loss = tf.add(loss, tf.mul(center, tf.sum(tf.mul(weights, tf.square(sums)))));
  }
  return {
    loss,
    stats: {
      accuracy: tf.mean(tf.cast(tf.greater(delta, 0), 'float32')),
      margin: tf.mean(delta),
      min_reward: tf.min(rewards),
      mean_reward: tf.mean(rewards),
      max_reward: tf.max(rewards),
    },
  };
}

/**
 * DPO (Rafailov et al. 2023, equation 7): −Σ weight·log σ(r_w − r_l) with the implicit reward
 * r = β·(log π − log π_ref), log-probabilities summed over the tokens of a completion. All pairs of a
 * prompt share one forward pass per completion. With `label_smoothing` ε, the share of pairs that are
 * believed to be the wrong way round, −log σ(x) becomes the unbiased estimate
 * ((1 − ε)·(−log σ(x)) − ε·(−log σ(−x)))/(1 − 2ε) (Chowdhury et al. 2024, TRL's loss_type "robust").
 * Stats, means over pairs as TRL logs them: `rewards/chosen`, `rewards/rejected`,
 * `rewards/accuracies`, `rewards/margins`, `logps/chosen`, `logps/rejected` (nats).
 * @param refLogps Σ log π_ref of each row's completion, nats, [B]
 * @throws PlaygroundError 'input' without pairs, or when `refLogps` has another length
 */
export function dpoLoss(
  model: Llama,
  batch: TokenBatch,
  pairs: readonly RankedPair[],
  refLogps: readonly number[],
  { beta, label_smoothing }: { beta: number; label_smoothing: number },
): LossOutput {
  const { B, T } = batch;
  const { winners, losers, weights } = pairMatrices(pairs, B);
  if (refLogps.length !== B) {
    throw new PlaygroundError({
      code: 'input',
      message: `refLogps has ${refLogps.length} numbers; the batch has ${B} rows.`,
      field: 'refLogps',
    });
  }
  const { logprob } = tokenStats(model, batch, 1);
  const logps = tf.reshape(
    tf.sum(tf.reshape(tf.mul(logprob, tf.tensor1d(batch.mask)), [B, T]), 1),
    [1, B],
  );
  const rewards = tf.mul(beta, tf.sub(logps, tf.tensor2d([...refLogps], [1, B])));
  const chosen = tf.sum(tf.mul(rewards, winners), 1);
  const rejected = tf.sum(tf.mul(rewards, losers), 1);
  const margins = tf.sub(chosen, rejected);
  // −log σ(x) = softplus(−x)
  let perPair = tf.softplus(tf.neg(margins));
  if (label_smoothing > 0) {
    const flipped = tf.mul(label_smoothing, tf.softplus(margins));
    perPair = tf.div(
      tf.sub(tf.mul(1 - label_smoothing, perPair), flipped),
      1 - 2 * label_smoothing,
    );
  }
  return {
    loss: tf.sum<tf.Scalar>(tf.mul(weights, perPair)),
    stats: {
      'rewards/chosen': tf.mean(chosen),
      'rewards/rejected': tf.mean(rejected),
      'rewards/accuracies': tf.mean(tf.cast(tf.greater(margins, 0), 'float32')),
      'rewards/margins': tf.mean(margins),
      'logps/chosen': tf.mean(tf.sum(tf.mul(logps, winners), 1)),
      'logps/rejected': tf.mean(tf.sum(tf.mul(logps, losers), 1)),
    },
  };
}

/**
 * Clipped policy loss (Schulman et al. 2017, equation 7): masked mean of
 * max(−A·ratio, −A·clip(ratio, 1 ± cliprange)), ratio = exp(log π − log π_old).
 * Stats: `pg_loss`, `approxkl` (masked mean of ½·Δ², nats), `clipfrac` (share of tokens where the clipped term
 * is larger), `entropy` (nats), `ratio` (masked mean), `ratio_var` (masked variance).
 * @param rollout `oldLogprobs` (nats, at the same temperature) and `advantages`, [B, T] each, read
 *   where the mask is 1
 * @throws PlaygroundError 'input' when no token is a completion token or a length does not fit
 */
export function ppoPolicyLoss(
  model: Llama,
  batch: TokenBatch,
  { oldLogprobs, advantages }: { oldLogprobs: Float32Array; advantages: Float32Array },
  { cliprange, temperature }: { cliprange: number; temperature: number },
): LossOutput {
  const mean = maskedMean(batch);
  const { logprob, entropy } = tokenStats(model, batch, temperature);
  // Outside the mask Δ is 0, so that no padding overflows exp.
  const mask = tf.tensor1d(batch.mask);
  const delta = tf.mul(tf.sub(logprob, perToken(batch, oldLogprobs, 'oldLogprobs')), mask);
  const ratio = tf.exp(delta);
  const minusA = tf.neg(perToken(batch, advantages, 'advantages'));
  const unclipped = tf.mul(minusA, ratio);
  const clipped = tf.mul(minusA, tf.clipByValue(ratio, 1 - cliprange, 1 + cliprange));
  const ratioMean = mean(ratio);
  const pg_loss = mean(tf.maximum(unclipped, clipped));
  return {
    loss: pg_loss,
    stats: {
      pg_loss,
      approxkl: tf.mul(0.5, mean(tf.square(delta))),
      clipfrac: mean(tf.cast(tf.greater(clipped, unclipped), 'float32')),
      entropy: mean(entropy),
      ratio: ratioMean,
      ratio_var: mean(tf.square(tf.sub(ratio, ratioMean))),
    },
  };
}

/**
 * Clipped value loss (TRL, lm-human-preferences): vf_coef · ½ · masked mean of
 * max((v − R)², (clip(v, v_old ± cliprange_value) − R)²).
 * Stats: `vf_loss` (before vf_coef), `vf_clipfrac`, `error` (masked mean of (v − R)²), `vpred`
 * (masked mean of v).
 * @param rollout `oldValues` and `returns`, [B, T] each, read where the mask is 1
 * @throws PlaygroundError 'input' when no token is a completion token or a length does not fit
 */
export function ppoValueLoss(
  model: ScalarModel,
  batch: TokenBatch,
  { oldValues, returns }: { oldValues: Float32Array; returns: Float32Array },
  { cliprange_value, vf_coef }: { cliprange_value: number; vf_coef: number },
): LossOutput {
  const mean = maskedMean(batch);
  const vpred = model.scoresAt(batch);
  const old = perToken(batch, oldValues, 'oldValues');
  const target = perToken(batch, returns, 'returns');
  const change = tf.clipByValue(tf.sub(vpred, old), -cliprange_value, cliprange_value);
  const unclipped = tf.square(tf.sub(vpred, target));
  const clipped = tf.square(tf.sub(tf.add(old, change), target));
  const vf_loss = tf.mul<tf.Scalar>(0.5, mean(tf.maximum(unclipped, clipped)));
  return {
    loss: tf.mul(vf_coef, vf_loss),
    stats: {
      vf_loss,
      vf_clipfrac: mean(tf.cast(tf.greater(clipped, unclipped), 'float32')),
      error: mean(unclipped),
      vpred: mean(vpred),
    },
  };
}

/** Both losses in one backward pass. */
export function addLosses(a: LossOutput, b: LossOutput): LossOutput {
  return { loss: tf.add(a.loss, b.loss), stats: { ...a.stats, ...b.stats } };
}

/**
 * The pretraining term of PPO-ptx (Ouyang et al. 2022, equation 2): −ptx_coef · masked mean of log π
 * over pretraining text. Stat: `ptx_loss` (before the coefficient), nats per token.
 */
export function pretrainingLoss(model: Llama, batch: TokenBatch, ptx_coef: number): LossOutput {
  const { loss } = completionLoss(model, batch);
  return { loss: tf.mul(ptx_coef, loss), stats: { ptx_loss: loss } };
}

interface TokenStats {
  logprob: tf.Tensor1D;
  entropy: tf.Tensor1D;
  isArgmax: tf.Tensor1D;
}

/** Log-probability, entropy and top-1 hit of each target of a batch, [N] each. */
function tokenStats(
  model: Llama,
  batch: TokenBatch,
  temperature: number,
  dropout?: Dropout,
): TokenStats {
  const N = batch.B * batch.T;
  const targets = tf.tensor1d(batch.targets, 'int32');
  const result = tokenLogprob(
    model.logits(model.hiddenStates(batch, dropout)),
    targets,
    temperature,
  );
  const row = (i: number) => tf.reshape<tf.Rank.R1>(tf.slice(result, [i, 0], [1, N]), [N]);
  return { logprob: row(0), entropy: row(1), isArgmax: row(2) };
}

/** One-hot rows [P, B] that pick the winner and the loser of each pair, and the weights [P]. */
function pairMatrices(pairs: readonly RankedPair[], B: number) {
  if (pairs.length === 0) {
    throw new PlaygroundError({
      code: 'input',
      message: 'The batch has no pair to learn from: every ranking in it is a tie.',
      remedy: 'Rank some completions above others.',
    });
  }
  const pick = (side: 'winner' | 'loser'): tf.Tensor2D => {
    const rows = new Float32Array(pairs.length * B);
    pairs.forEach((pair, p) => (rows[p * B + pair[side]] = 1));
    return tf.tensor2d(rows, [pairs.length, B]);
  };
  return {
    winners: pick('winner'),
    losers: pick('loser'),
    weights: tf.tensor1d(pairs.map(({ weight }) => weight)),
  };
}

/** x [N] ↦ Σ mask·x / Σ mask. */
function maskedMean(batch: TokenBatch): (x: tf.Tensor) => tf.Scalar {
  const count = batch.mask.reduce((sum, m) => sum + m, 0);
  if (count === 0) {
    throw new PlaygroundError({
      code: 'input',
      message: 'The batch has no completion token to learn from.',
      remedy: 'Every row needs at least one token after its prompt.',
    });
  }
  const share = tf.tensor1d(batch.mask.map((m) => m / count));
  return (x) => tf.sum(tf.mul(x, share));
}

function perToken(batch: TokenBatch, values: Float32Array, field: string): tf.Tensor1D {
  if (values.length !== batch.B * batch.T) {
    throw new PlaygroundError({
      code: 'input',
      message: `${field} has ${values.length} numbers; the batch has ${batch.B} × ${batch.T} places.`,
      field,
    });
  }
  return tf.tensor1d(values);
}
