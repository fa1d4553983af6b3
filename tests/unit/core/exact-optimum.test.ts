import { expect, test } from 'vitest';
import { bestOfN, frontier, optimalLogprobs, rewardAndKl } from '../../../src/core/exact-optimum';
import { gaussian } from '../../../src/core/rng';

const softmax = (xs: number[]): number[] => {
  const z = Math.log(xs.reduce((total, x) => total + Math.exp(x), 0));
  return xs.map((x) => x - z);
};
const REF = softmax([0, 1, -1, 0.5]);
const REWARDS = [1, -0.5, 2, 0.3];

test('the optimum is β·log E_ref[e^(r/β)], and a hand-checked one', () => {
  for (const beta of [0.1, 0.5, 2]) {
    const [point] = frontier(REF, REWARDS, [beta]);
    const expected =
      beta *
      Math.log(REF.reduce((total, l, y) => total + Math.exp(l) * Math.exp(REWARDS[y]! / beta), 0));
    expect(point!.objective).toBeCloseTo(expected, 12);
  }
  // Two equally likely answers worth ln 3 and 0, β = 1: e^r = 3 and 1, so 3/4 and 1/4.
  const best = optimalLogprobs([Math.log(0.5), Math.log(0.5)], [Math.log(3), 0], 1);
  expect(best.map(Math.exp)).toEqual([expect.closeTo(0.75, 12), expect.closeTo(0.25, 12)]);
  expect(frontier([Math.log(0.5), Math.log(0.5)], [Math.log(3), 0], [1])[0]!.objective).toBeCloseTo(
    Math.log(2),
    12,
  );
});

test('no other policy has more', () => {
  const [point] = frontier(REF, REWARDS, [0.5]);
  for (let i = 0; i < 200; i++) {
    const other = softmax(
      optimalLogprobs(REF, REWARDS, 0.5).map((l, y) => l + 0.3 * gaussian(1, 1, i, y)),
    );
    const { reward, kl } = rewardAndKl(other, REF, REWARDS);
    expect(kl).toBeGreaterThanOrEqual(0);
    expect(reward - 0.5 * kl).toBeLessThanOrEqual(point!.objective + 1e-12);
  }
});

test('a dearer nat buys less: reward and KL fall as β rises, and nothing overflows', () => {
  const points = frontier(REF, REWARDS, [1e-3, 0.1, 1, 10, 1e3]);
  for (let i = 1; i < points.length; i++) {
    expect(points[i]!.reward).toBeLessThan(points[i - 1]!.reward);
    expect(points[i]!.kl).toBeLessThan(points[i - 1]!.kl);
  }
  expect(points[0]!.reward).toBeCloseTo(2, 6);
  expect(points.at(-1)!.kl).toBeCloseTo(0, 6);
});

test('best of n: KL 0.636 and 1.835 nats for 4 and 16, reward as drawing gives', () => {
  expect(bestOfN(REF, REWARDS, 4).kl).toBeCloseTo(0.636, 3);
  expect(bestOfN(REF, REWARDS, 16).kl).toBeCloseTo(1.835, 3);
  expect(bestOfN(REF, REWARDS, 1)).toEqual({
    kl: 0,
    reward: expect.closeTo(rewardAndKl(REF, REF, REWARDS).reward, 12) as number,
  });
  // two of two equally likely answers: the worse one only when both are it
  const half = Math.log(0.5);
  expect(bestOfN([half, half], [0, 1], 2).reward).toBeCloseTo(0.75, 12);
});
