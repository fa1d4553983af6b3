import { describe, expect, test } from 'vitest';
import { compare, scoreAt, smoothed, verdict } from '../../../bench/trl/compare';
import { trlFigure } from '../../../bench/trl/figure';
import type { Run, Side } from '../../../bench/trl/result';

/** Score = slope · KL + shift, KL 0, 1, … */
function run(side: Side, seed: number, slope: number, shift: number, iterations = 13): Run {
  const curve = Array.from({ length: iterations }, (_, kl) => {
    return { kl, score: slope * kl + shift, entropy: 0, ended: 0 };
  });
  return { side, seed, seconds: 1, curve };
}

test('smoothing gives means of neighbours, whole windows only', () => {
  const curve = [0, 2, 4, 6].map((kl) => ({ kl, score: kl * kl }));
  expect(smoothed(curve, 2)).toEqual([
    { kl: 1, score: 2 },
    { kl: 3, score: 10 },
    { kl: 5, score: 26 },
  ]);
  expect(smoothed(curve, 5)).toEqual([]);
});

describe('the score at a KL', () => {
  const points = [
    { kl: 1, score: 0 },
    { kl: 3, score: 1 },
    { kl: 2, score: 3 },
  ];

  test('is linear between neighbours', () => {
    expect(scoreAt(points, 1.5)).toBeCloseTo(0.25, 12);
  });

  test('is the mean of all passes', () => {
    // up: 0.75; back down: 2
    expect(scoreAt(points, 2.5)).toBeCloseTo(1.375, 12);
  });

  test('a point on the level counts once', () => {
    expect(
      scoreAt(
        [0, 1, 2].map((kl) => ({ kl, score: 10 * kl })),
        1,
      ),
    ).toBe(10);
  });

  test('is null where the curve never gets', () => {
    expect(scoreAt(points, 0.5)).toBeNull();
    expect(scoreAt(points, 4)).toBeNull();
  });
});

describe('comparing seeds', () => {
  test('hand-checked', () => {
    // standard deviations 1 and 2: pooled √2.5; t(4) = 2.776
    const { gap, spread, interval, holds } = compare([1, 2, 3], [1, 3, 5]);
    expect(gap).toBe(-1);
    expect(spread).toBeCloseTo(1.58114, 5);
    expect(interval).toBeCloseTo(2.776 * 1.58114 * Math.sqrt(2 / 3), 4);
    expect(holds).toBe(true);
  });

  test('fails below the spread, holds above whatever the spread', () => {
    expect(compare([1, 1.1, 1.2], [1.2, 1.3, 1.4]).holds).toBe(false);
    expect(compare([2, 2.1, 2.2], [1, 1.1, 1.2]).holds).toBe(true);
    expect(compare([1], [1.01]).holds).toBe(false);
  });

  test('refuses unequal numbers of seeds', () => {
    expect(() => compare([1, 2], [1])).toThrow('2 seeds against 1');
  });
});

describe('the verdict', () => {
  const seeds = (side: Side, slope: number, iterations?: number) =>
    [1, 2, 3].map((seed) => run(side, seed, slope, 0.1 * seed, iterations));

  test('compares at equal KL, only where every curve gets', () => {
    const { levels, overall } = verdict([...seeds('trl', 1), ...seeds('ours', 1, 10)]);
    // the means of the first and last five of ours have KL 2 and 7; a level is passed, not touched
    expect(levels.map(({ kl }) => kl)).toEqual([2, 3, 4, 5, 6]);
    expect(overall?.gap).toBeCloseTo(0, 12);
    expect(overall?.holds).toBe(true);
  });

  test('a lower curve of ours fails, at every level', () => {
    const { levels, overall } = verdict([...seeds('trl', 1), ...seeds('ours', 0.5)]);
    expect(levels.length).toBeGreaterThan(3);
    expect(levels.every(({ holds }) => !holds)).toBe(true);
    expect(overall?.holds).toBe(false);
  });

  test('the order of the runs does not matter', () => {
    const runs = [...seeds('ours', 2), ...seeds('trl', 1)];
    expect(verdict([...runs].reverse())).toEqual(verdict(runs));
  });
});

test('the figure draws each seed once, and no number is broken', () => {
  const svg = trlFigure([1, 2].flatMap((n) => [run('ours', n, 1, 0), run('trl', n, 1, n)]));
  expect(svg.match(/class="line seed ours"/g)).toHaveLength(2);
  expect(svg.match(/class="line seed trl"/g)).toHaveLength(2);
  expect(svg).not.toMatch(/NaN|undefined|Infinity/);
});
