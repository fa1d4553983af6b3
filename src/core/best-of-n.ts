/**
 * Best-of-n: draw n answers of the reference, keep the one with the highest score. Nothing is trained,
 * and both of its numbers are known: the expected score from order statistics, the KL by a formula
 * (Stiennon et al. 2020, appendix G.3).
 */

/** A point between reward and KL. */
export interface BestOfNPoint {
  n: number;
  /** Expected score of the best of n, mean over prompts. */
  reward: number;
  /** Standard deviation of it over prompts. */
  deviation: number;
  /** To the reference, nats. */
  kl: number;
}

/** What was measured. */
export interface BestOfNResult {
  points: BestOfNPoint[];
  /** How many prompts the means are over. */
  prompts: number;
  /** Answers drawn for each, N. */
  completions: number;
}

/** A measurement as a project keeps it. */
export interface BestOfNRecord extends BestOfNResult {
  /** As `Run.inputHash` of a PPO run: the same models and prompts went in. */
  inputHash: string;
}

/**
 * KL(best-of-n ‖ reference) = ln n − (n − 1)/n, nats. Exact when no two scores are equal and no answer
 * is likely to be drawn twice; otherwise the KL is smaller (Beirami et al. 2024).
 */
export const bestOfNKl = (n: number): number => Math.log(n) - (n - 1) / n;

/**
 * The expected largest of n out of N scores, over all choices of n: unbiased for the expected best of
 * n fresh draws. The i-th smallest (from 1) is the best of C(i − 1, n − 1) of the C(N, n) choices.
 * @param n 1 … N
 */
export function expectedBest(scores: readonly number[], n: number): number {
  const sorted = [...scores].sort((a, b) => b - a);
  const N = sorted.length;
  // From the largest down: C(N − 1, n − 1)/C(N, n) = n/N, then C(i − 2, n − 1)/C(i − 1, n − 1).
  let weight = n / N;
  let expected = 0;
  for (let i = N; i >= n; i--) {
    expected += weight * sorted[N - i]!;
    weight *= (i - n) / (i - 1);
  }
  return expected;
}

/**
 * The points of best-of-n for each of `ns`.
 * @param scores N for each prompt, [prompt][draw]
 */
export function bestOfNPoints(
  scores: readonly (readonly number[])[],
  ns: readonly number[],
): BestOfNPoint[] {
  return ns.map((n) => {
    const best = scores.map((drawn) => expectedBest(drawn, n));
    const reward = best.reduce((sum, x) => sum + x, 0) / best.length;
    const squares = best.reduce((sum, x) => sum + (x - reward) ** 2, 0);
    const deviation = best.length > 1 ? Math.sqrt(squares / (best.length - 1)) : 0;
    return { n, reward, deviation, kl: bestOfNKl(n) };
  });
}
