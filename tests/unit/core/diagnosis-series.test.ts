import { expect, test } from 'vitest';
import {
  correlation,
  medianOf,
  noiseOf,
  percent,
  pointsOf,
  said,
  sustainedAbove,
  wilsonInterval,
} from '../../../src/core/diagnosis-series';
import type { MetricRow } from '../../../src/core/domain';
import { gaussian } from '../../../src/core/rng';

const points = (...values: number[]) => values.map((value, i) => ({ step: i + 1, value }));

test('Wilson’s interval of 81 of 263 is the published 0.2553 to 0.3662', () => {
  const [low, high] = wilsonInterval(81 / 263, 263);
  expect(low).toBeCloseTo(0.2553, 4);
  expect(high).toBeCloseTo(0.3662, 4);
  expect(wilsonInterval(1, 5)[1]).toBe(1);
  expect(wilsonInterval(0, 5)[0]).toBe(0);
});

test('points leave out rows without the metric and numbers that are not finite', () => {
  const rows: MetricRow[] = [
    { step: 1, x: 2 },
    { step: 2 },
    { step: 3, x: NaN },
    { step: 4, x: 0 },
  ];
  expect(pointsOf(rows, 'x')).toEqual([
    { step: 1, value: 2 },
    { step: 4, value: 0 },
  ]);
});

test('a mean above the limit is found from the first window to the last', () => {
  const series = points(0, 0, 5, 5, 0, 0, 0, 6, 6, 0);
  expect(sustainedAbove(series, 2, 4)).toEqual({ steps: [3, 9], highest: 6 });
  expect(sustainedAbove(series, 2, 6)).toBeNull();
  expect(sustainedAbove(series.slice(0, 1), 2, -1)).toBeNull();
});

test('noise is measured beside a trend', () => {
  const rising = points(...Array.from({ length: 400 }, (_, i) => 0.01 * i + gaussian(2, 91, i)));
  expect(noiseOf(rising)).toBeGreaterThan(0.9);
  expect(noiseOf(rising)).toBeLessThan(1.1);
  const jumping = rising.map((point, i) => (i === 50 ? { ...point, value: 900 } : point));
  expect(noiseOf(jumping)).toBeLessThan(1.1);
});

test('medians of odd and even counts', () => {
  expect(medianOf([9, 1, 5])).toBe(5);
  expect(medianOf([9, 1, 5, 6])).toBe(5.5);
});

test('correlation pairs points by their step', () => {
  expect(correlation(points(1, 2, 3), points(2, 4, 6))).toBeCloseTo(1, 12);
  expect(correlation(points(1, 2, 3), points(3, 2, 1))).toBeCloseTo(-1, 12);
  expect(correlation(points(1, 2, 3, 9), points(2, 4, 6))).toBeCloseTo(1, 12);
  expect(correlation(points(1, 1, 1), points(2, 4, 6))).toBeNaN();
});

test('numbers are said in three digits', () => {
  expect([0.041234, 6.5349, -12.14, 1234, 4.2e-6, 0].map(said)).toEqual([
    '0.0412',
    '6.53',
    '−12.1',
    '1230',
    '4.2e-6',
    '0',
  ]);
  expect(percent(0.784)).toBe('78 %');
  expect(percent(-0.3)).toBe('−30 %');
});
