/** KL estimators (Schulman, "Approximating KL divergence", 2020) and the adaptive controller. */

/**
 * Σ over valid positions of log π − log π_ref for each row: k1, unbiased, may be negative for one
 * completion but not on average. Nats per completion.
 */
export function sequenceKl(
  logprobs: Float32Array,
  refLogprobs: Float32Array,
  mask: Float32Array,
  shape: { B: number; T: number },
): number[] {
  return Array.from({ length: shape.B }, (_, b) => {
    let sum = 0;
    for (let i = b * shape.T; i < (b + 1) * shape.T; i++) {
      if (mask[i]) sum += logprobs[i]! - refLogprobs[i]!;
    }
    return sum;
  });
}

/** k3 = eˣ − 1 − x with x = log π_ref − log π: never negative, low variance. Nats. */
export function k3(logprob: number, refLogprob: number): number {
  const x = refLogprob - logprob;
  return Math.expm1(x) - x;
}

/**
 * β ← β·(1 + clip(KL/target − 1, ±0.2)·n/horizon) (Ziegler et al. 2019, section 2.2; n = episodes in
 * the batch).
 */
export function adaptKlCoef(
  kl_coef: number,
  kl: number,
  control: { target_kl: number; kl_horizon: number; episodes: number },
): number {
  const error = Math.min(0.2, Math.max(-0.2, kl / control.target_kl - 1));
  return kl_coef * (1 + (error * control.episodes) / control.kl_horizon);
}
