import { describe, expect, it } from 'vitest';
import {
  formatCount,
  formatDuration,
  formatNumber,
  formatSetting,
  formatShare,
  plural,
} from '../../../src/ui/parts/format';

describe('formatNumber', () => {
  it.each([
    [null, 3, '–'],
    [NaN, 3, 'not a number'],
    [0, 3, '0'],
    [0.7364, 3, '0.736'],
    [0.00002, 3, '2.0e-5'],
    [18880, 0, '18,880'],
    [-1.5, 2, '-1.50'],
  ])('%s with %s digits is %s', (value, digits, text) => {
    expect(formatNumber(value, digits)).toBe(text);
  });
});

describe('settings, shares, counts, times', () => {
  it.each([
    [formatSetting(0.001), '0.001'],
    [formatSetting(0.00002), '2e-5'],
    [formatSetting(0), '0'],
    [formatShare(0.784), '78 %'],
    [formatShare(null), '–'],
    [formatCount(41234), '41k'],
    [formatCount(1_060_000), '1.06 M'],
    [formatDuration(4000), '4 s'],
    [formatDuration(72_000), '1 min 12 s'],
    [formatDuration(3_660_000), '1 h 1 min'],
    [plural(1, 'row'), '1 row'],
    [plural(0, 'row'), '0 rows'],
  ])('%s = %s', (got, wanted) => {
    expect(got).toBe(wanted);
  });
});
