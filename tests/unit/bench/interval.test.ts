import { expect, test } from 'vitest';
import { halfInterval, withInterval } from '../../../bench/learn/interval';

test('the 95 % interval of a mean, hand-checked', () => {
  // mean 2, standard deviation 1, n = 3: 4.303 / √3
  expect(halfInterval([1, 2, 3])).toBeCloseTo(2.4843, 3);
  expect(halfInterval([5, 5, 5, 5, 5])).toBe(0);
  expect(halfInterval([1])).toBeNull();
  expect(() => halfInterval(new Array<number>(12).fill(1))).toThrow('12 numbers');
});

test('is written with its unit', () => {
  expect(withInterval([0.8, 0.9, 0.85], 100, 0, ' %')).toBe('85 ± 12 %');
  expect(withInterval([0.8], 100, 0, ' %')).toBe('80 %');
});
