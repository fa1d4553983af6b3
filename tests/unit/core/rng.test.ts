import { describe, expect, test } from 'vitest';
import { gaussian, permutation, STREAM, threefry2x32, uniform } from '../../../src/core/rng';

describe('Threefry-2x32, 20 rounds', () => {
  // Random123 kat_vectors: counter, key → result
  test.each([
    [0, 0, 0, 0, 0x6b200159, 0x99ba4efe],
    [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0x1cb996fc, 0xbb002be7],
    [0x13198a2e, 0x03707344, 0x243f6a88, 0x85a308d3, 0xc4923a9c, 0x483df7a0],
  ])('gives the published answer for key %i %i', (k0, k1, c0, c1, a, b) => {
    expect(threefry2x32(k0, k1, c0, c1)).toEqual([a, b]);
  });
});

test('uniform draws fill [0, 1) evenly and are exact in f32', () => {
  const bins = new Array<number>(10).fill(0);
  for (let i = 0; i < 20000; i++) {
    const u = uniform(1, STREAM.sampling, i);
    expect(Math.fround(u)).toBe(u);
    bins[Math.floor(u * 10)]!++;
  }
  for (const count of bins) expect(Math.abs(count - 2000)).toBeLessThan(200);
});

test('streams, seeds and sub-indices give different draws', () => {
  const draws = [
    uniform(1, 1, 1),
    uniform(2, 1, 1),
    uniform(1, 2, 1),
    uniform(1, 1, 2),
    uniform(1, 1, 1, 1),
  ];
  expect(new Set(draws).size).toBe(draws.length);
});

test('gaussian draws have mean 0 and variance 1', () => {
  const xs = Array.from({ length: 20000 }, (_, i) => gaussian(3, STREAM.weights, i));
  const mean = xs.reduce((a, b) => a + b) / xs.length;
  const variance = xs.reduce((a, b) => a + (b - mean) ** 2, 0) / xs.length;
  expect(mean).toBeCloseTo(0, 1);
  expect(variance).toBeCloseTo(1, 1);
});

test('a permutation holds every index once and every position is reached', () => {
  const firsts = new Set<number>();
  for (let round = 0; round < 200; round++) {
    const order = permutation(5, 7, STREAM.order, round);
    expect([...order].sort()).toEqual([0, 1, 2, 3, 4]);
    firsts.add(order[0]!);
  }
  expect(firsts.size).toBe(5);
});
