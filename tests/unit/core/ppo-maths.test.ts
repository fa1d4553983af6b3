import { describe, expect, test } from 'vitest';
import {
  generalizedAdvantage,
  maskedMoments,
  tokenRewards,
  whiten,
} from '../../../src/core/advantage';
import { comparisonsOf } from '../../../src/core/comparisons';
import { adaptKlCoef, k3, sequenceKl } from '../../../src/core/kl';
import { cosineFactor, ppoFactor } from '../../../src/core/schedule';
import { finalScore } from '../../../src/core/scores';

const f32 = (...xs: number[]) => Float32Array.from(xs);
const near = (actual: ArrayLike<number>, expected: number[]) => {
  expect(actual.length).toBe(expected.length);
  expected.forEach((x, i) => expect(actual[i]).toBeCloseTo(x, 5));
};

test('the KL controller moves β from 0.15 to 0.151536 at KL 12, target 6, 512 episodes', () => {
  const control = { target_kl: 6, kl_horizon: 10000, episodes: 512 };
  expect(adaptKlCoef(0.15, 12, control)).toBeCloseTo(0.151536, 9);
  expect(adaptKlCoef(0.15, 0, control)).toBeCloseTo(0.148464, 9);
});

test('GAE with v = r = [0, 0, 0, 1], γ 0.9, λ 0.95 gives the published returns', () => {
  const x = f32(0, 0, 0, 1);
  const { returns } = generalizedAdvantage(x, x, f32(1, 1, 1, 1), { B: 1, T: 4 }, 0.9, 0.95);
  near(returns, [0.65792, 0.7695, 0.9, 1]);
});

test('GAE is the same with padding before and after the completion', () => {
  const { returns, advantages } = generalizedAdvantage(
    f32(9, 0, 0, 0, 1, 9),
    f32(9, 0, 0, 0, 1, 9),
    f32(0, 1, 1, 1, 1, 0),
    { B: 1, T: 6 },
    0.9,
    0.95,
  );
  near(returns, [0, 0.65792, 0.7695, 0.9, 1, 0]);
  expect(advantages[5]).toBe(0);
});

test('GAE starts anew in each row, also where a row is full to its end', () => {
  const x = f32(0, 0, 0, 1, 0, 0, 0, 1);
  const { returns } = generalizedAdvantage(
    x,
    x,
    f32(1, 1, 1, 1, 1, 1, 1, 1),
    { B: 2, T: 4 },
    0.9,
    0.95,
  );
  near(returns, [0.65792, 0.7695, 0.9, 1, 0.65792, 0.7695, 0.9, 1]);
});

test('scores 1, 2, 3 with per-token KL −0.1, −0.2, −0.3 and β 0.5 reward the last tokens 1.05, 2.10, 3.15', () => {
  const logprobs = f32(-0.1, -0.1, -0.2, -0.2, -0.3, -0.3);
  const { rewards } = tokenRewards({
    B: 3,
    T: 2,
    mask: f32(1, 1, 1, 1, 1, 1),
    logprobs,
    refLogprobs: f32(0, 0, 0, 0, 0, 0),
    scores: [1, 2, 3],
    kl_coef: 0.5,
  });
  near(rewards, [0.05, 1.05, 0.1, 2.1, 0.15, 3.15]);
});

test('the score falls on the last valid token, never on padding', () => {
  const { rewards } = tokenRewards({
    B: 1,
    T: 4,
    mask: f32(0, 1, 1, 0),
    logprobs: f32(5, 0, 0, 5),
    refLogprobs: f32(0, 0, 0, 0),
    scores: [2],
    kl_coef: 1,
  });
  near(rewards, [0, 0, 2, 0]);
});

describe('whitening', () => {
  const x = f32(1, 2, 3, 1000);
  const mask = f32(1, 1, 1, 0);
  test('uses valid tokens only', () => {
    near(whiten(x, mask), [-1, 0, 1, 0]);
  });
  test('can keep the mean', () => {
    near(whiten(f32(2, 4, 6, 9), mask, false), [3, 4, 5, 0]);
  });
  test('of nothing is nothing', () => {
    expect(maskedMoments([1], [0])).toEqual({ mean: 0, variance: 0, count: 0 });
  });
});

test('sequence KL sums valid tokens only', () => {
  near(
    sequenceKl(f32(-1, -2, -3, -9), f32(-2, -2, -1, 0), f32(1, 1, 1, 0), { B: 2, T: 2 }),
    [1, -2],
  );
});

test('k3 is never negative and 0 where the policies agree', () => {
  expect(k3(-1, -1)).toBe(0);
  for (const [a, b] of [
    [-1, -2],
    [-2, -1],
    [-0.1, -5],
  ] as const)
    expect(k3(a, b)).toBeGreaterThan(0);
  expect(k3(-1, -2)).toBeCloseTo(Math.exp(-1) - 1 + 1, 12);
});

describe('comparisons', () => {
  test('K distinct ranks give K(K−1)/2 pairs, best first', () => {
    expect(comparisonsOf([2, 1, 3])).toEqual([
      { winner: 1, loser: 0 },
      { winner: 0, loser: 2 },
      { winner: 1, loser: 2 },
    ]);
    expect(comparisonsOf([1, 2, 3, 4, 5, 6, 7, 8, 9])).toHaveLength(36);
  });
  test('ties give no pair', () => {
    expect(comparisonsOf([1, 1, 2])).toEqual([
      { winner: 0, loser: 2 },
      { winner: 1, loser: 2 },
    ]);
    expect(comparisonsOf([1, 1, 1])).toEqual([]);
  });
});

describe('schedules', () => {
  test('cosine: up to 1 in the warm-up, down to the final share', () => {
    expect(cosineFactor(0, 100, 10, 0.1)).toBeCloseTo(0.1);
    expect(cosineFactor(9, 100, 10, 0.1)).toBe(1);
    expect(cosineFactor(55, 100, 10, 0.1)).toBeCloseTo(0.55);
    expect(cosineFactor(100, 100, 10, 0.1)).toBeCloseTo(0.1);
  });
  test('PPO: constant or linear after the warm-up', () => {
    expect(ppoFactor(0, 10, 2, 'constant')).toBe(0.5);
    expect(ppoFactor(9, 10, 2, 'constant')).toBe(1);
    expect(ppoFactor(5, 10, 0, 'linear')).toBe(0.5);
  });
});

describe('the score of a completion that never ended', () => {
  const config = { missing_eos: 'replace', missing_eos_penalty: 1, reward_clip: 10 } as const;
  test('is replaced, lowered or kept as chosen', () => {
    expect(finalScore(3, false, config)).toBe(-1);
    expect(finalScore(3, false, { ...config, missing_eos: 'subtract' })).toBe(2);
    expect(finalScore(3, false, { ...config, missing_eos: 'off' })).toBe(3);
    expect(finalScore(3, true, config)).toBe(3);
  });
  test('the penalty is not clipped: it may weigh more than any score', () => {
    expect(finalScore(3, false, { ...config, missing_eos_penalty: 20 })).toBe(-20);
    expect(
      finalScore(-30, false, { ...config, missing_eos: 'subtract', missing_eos_penalty: 20 }),
    ).toBe(-30);
  });
  test('scores are clipped on both sides; 0 turns the clip off', () => {
    expect(finalScore(30, true, config)).toBe(10);
    expect(finalScore(-30, true, config)).toBe(-10);
    expect(finalScore(30, true, { ...config, reward_clip: 0 })).toBe(30);
  });
});
