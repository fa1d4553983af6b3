/**
 * Rewards, generalised advantage estimation and whitening on [B, T] arrays, row-major.
 * Position t is where the policy chose token t+1; `mask[b,t]` is 1 where that token belongs to the
 * completion. Nothing outside the mask ever enters a sum, a mean or a variance.
 */

export interface RewardInput {
  B: number;
  T: number;
  mask: Float32Array;
  /** log π_old of the chosen tokens, nats. */
  logprobs: Float32Array;
  /** log π_ref of the chosen tokens, nats. */
  refLogprobs: Float32Array;
  /** One score for each completion. */
  scores: ArrayLike<number>;
  kl_coef: number;
}

/**
 * r[b,t] = −β·(log π − log π_ref) + 1[t is the last position]·score[b]: the k1 estimate of the KL as
 * a per-token charge, the score on the last token (InstructGPT, equation 2; lm-human-preferences).
 * Rows with an empty mask get no reward.
 * @returns rewards and the KL charges in them, each [B, T]
 */
export function tokenRewards(input: RewardInput): {
  rewards: Float32Array;
  charges: Float32Array;
} {
  const { B, T, mask, logprobs, refLogprobs, scores, kl_coef } = input;
  const charges = new Float32Array(B * T);
  for (let i = 0; i < B * T; i++) {
    // 0 − x: a charge of nothing is 0, not −0
    if (mask[i]) charges[i] = 0 - kl_coef * (logprobs[i]! - refLogprobs[i]!);
  }
  const rewards = charges.slice();
  for (let b = 0; b < B; b++) {
    const last = lastPosition(mask, b, T);
    if (last !== null) rewards[last] = rewards[last]! + scores[b]!;
  }
  return { rewards, charges };
}

/** Where the last completion token of row `b` was chosen, as an index into [B, T]; null without one. */
export function lastPosition(mask: Float32Array, b: number, T: number): number | null {
  for (let i = (b + 1) * T - 1; i >= b * T; i--) if (mask[i]) return i;
  return null;
}

/**
 * Generalised advantage estimation (Schulman et al. 2015, equation 16), run backwards over the valid
 * positions of each row; the value after the last one is 0 (the episode ends there).
 * Returns are advantages + values, taken *before* any whitening.
 * @returns advantages and returns, each [B, T], 0 outside the mask
 */
export function generalizedAdvantage(
  rewards: Float32Array,
  values: Float32Array,
  mask: Float32Array,
  shape: { B: number; T: number },
  gamma: number,
  lam: number,
): { advantages: Float32Array; returns: Float32Array } {
  const advantages = new Float32Array(rewards.length);
  const returns = new Float32Array(rewards.length);
  for (let b = 0; b < shape.B; b++) {
    let nextValue = 0;
    let running = 0;
    for (let i = (b + 1) * shape.T - 1; i >= b * shape.T; i--) {
      if (!mask[i]) continue;
      const delta = rewards[i]! + gamma * nextValue - values[i]!;
      running = delta + gamma * lam * running;
      advantages[i] = running;
      returns[i] = running + values[i]!;
      nextValue = values[i]!;
    }
  }
  return { advantages, returns };
}

/** Mean and (population) variance over the valid positions; 0 and 0 when there are none. */
export function maskedMoments(
  x: ArrayLike<number>,
  mask: ArrayLike<number>,
): { mean: number; variance: number; count: number } {
  let count = 0;
  let sum = 0;
  for (let i = 0; i < x.length; i++) {
    if (!mask[i]) continue;
    count++;
    sum += x[i]!;
  }
  if (count === 0) return { mean: 0, variance: 0, count };
  const mean = sum / count;
  let squares = 0;
  for (let i = 0; i < x.length; i++) if (mask[i]) squares += (x[i]! - mean) ** 2;
  return { mean, variance: squares / count, count };
}

/**
 * (x − mean) / √(variance + 1e-8) over the valid positions (TRL `masked_whiten`, whose variance is
 * Bessel-corrected). With `shiftMean` false the mean is added back, so that only the scale changes.
 */
export function whiten(x: Float32Array, mask: Float32Array, shiftMean = true): Float32Array {
  const { mean, variance, count } = maskedMoments(x, mask);
  const unbiased = count > 1 ? (variance * count) / (count - 1) : variance;
  const scale = 1 / Math.sqrt(unbiased + 1e-8);
  const kept = shiftMean ? 0 : mean;
  return x.map((value, i) => (mask[i] ? (value - mean) * scale + kept : 0));
}
