import { describe, expect, test } from 'vitest';
import { bestOfNKl, bestOfNPoints, expectedBest } from '../../../src/core/best-of-n';
import { bestOfN } from '../../../src/core/exact-optimum';
import { uniform } from '../../../src/core/rng';

/** Every choice of n of the indices below N. */
function* choices(N: number, n: number, from = 0): Generator<number[]> {
  if (n === 0) yield [];
  for (let i = from; n > 0 && i <= N - n; i++) {
    for (const rest of choices(N, n - 1, i + 1)) yield [i, ...rest];
  }
}

const mean = (xs: readonly number[]) => xs.reduce((a, b) => a + b, 0) / xs.length;
/** Scores with ties and negative numbers among them. */
const drawn = (N: number, seed: number) =>
  Array.from({ length: N }, (_, i) => Math.round(40 * uniform(seed, 1, i) - 20) / 8);

describe('the expected best of n', () => {
  test.each([1, 2, 3, 5, 9])('of %s scores is the mean over all choices of n', (N) => {
    const scores = drawn(N, N);
    for (let n = 1; n <= N; n++) {
      const best = [...choices(N, n)].map((chosen) => Math.max(...chosen.map((i) => scores[i]!)));
      expect(expectedBest(scores, n)).toBeCloseTo(mean(best), 12);
    }
  });

  test('is the mean for n = 1 and the largest for n = N, in any order', () => {
    const scores = drawn(16, 3);
    expect(expectedBest(scores, 1)).toBeCloseTo(mean(scores), 12);
    expect(expectedBest(scores, 16)).toBe(Math.max(...scores));
    expect(expectedBest([...scores].reverse(), 4)).toBe(expectedBest(scores, 4));
  });

  test('is unbiased: over many draws it is what the distribution itself gives', () => {
    const rewards = [-1, 0, 0.5, 2];
    const share = [0.4, 0.3, 0.2, 0.1];
    const draw = (u: number) => {
      let below = 0;
      return rewards.find((_, y) => u < (below += share[y]!)) ?? rewards.at(-1)!;
    };
    const estimates = Array.from({ length: 4000 }, (_, round) =>
      expectedBest(
        Array.from({ length: 16 }, (_, i) => draw(uniform(5, 2, i, round))),
        4,
      ),
    );
    const exact = bestOfN(
      share.map((p) => Math.log(p)),
      rewards,
      4,
    );
    // the spread of the mean is 0.006
    expect(Math.abs(mean(estimates) - exact.reward)).toBeLessThan(0.02);
  });
});

test('the KL of best-of-n: numbers of the formula, 0 for one draw', () => {
  expect(bestOfNKl(1)).toBe(0);
  expect(bestOfNKl(2)).toBeCloseTo(0.193147, 6);
  expect(bestOfNKl(16)).toBeCloseTo(1.835089, 6);
  expect(bestOfN([Math.log(0.5), Math.log(0.5)], [0, 1], 8).kl).toBe(bestOfNKl(8));
});

test('the points: mean and standard deviation over prompts', () => {
  const points = bestOfNPoints(
    [
      [0, 1, 2, 3],
      [2, 2, 2, 2],
    ],
    [1, 4],
  );
  expect(points[0]).toEqual({ n: 1, reward: 1.75, deviation: Math.SQRT1_2 / 2, kl: 0 });
  expect(points[1]).toMatchObject({ n: 4, reward: 2.5, deviation: Math.SQRT1_2 });
  expect(bestOfNPoints([[1, 5]], [2])[0]).toMatchObject({ reward: 5, deviation: 0 });
});
