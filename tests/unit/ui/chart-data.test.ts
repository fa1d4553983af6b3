import type { MetricRow } from '../../../src/core/domain';
import { describe, expect, it } from 'vitest';
import { chartCsv, chartKeys, panelData } from '../../../src/ui/charts/chart-data';
import type { ChartPanel } from '../../../src/ui/charts/chart-types';
import { smooth } from '../../../src/ui/charts/smooth';

const PANEL: ChartPanel = {
  title: 'Reward',
  series: [{ key: 'r', label: 'reward', color: 'var(--reward)', band: ['lo', 'hi'] }],
};

describe('panelData', () => {
  it('gives x, the band and the line, with null for what is unknown or not finite', () => {
    const rows: MetricRow[] = [
      { step: 1, r: 0.5, lo: 0, hi: 1 },
      { step: 2, r: NaN, lo: 0.25 },
    ];
    expect(panelData(PANEL, rows, 'step')).toEqual([
      [1, 2],
      [0, 0.25],
      [1, null],
      [0.5, null],
      [0.5, null],
    ]);
  });
});

describe('chartCsv', () => {
  it('writes every drawn key once, x first, empty where unknown', () => {
    const rows: MetricRow[] = [{ step: 1, r: 0.123456789, lo: 0, hi: 1 }, { step: 2 }];
    expect(chartKeys([PANEL, PANEL], 'step')).toEqual(['step', 'r', 'lo', 'hi']);
    expect(chartCsv([PANEL], rows, 'step')).toBe('step,r,lo,hi\n1,0.123456789,0,1\n2,,,\n');
  });
});

describe('smooth', () => {
  it('leaves a constant as it is, from the first point on', () => {
    const values = Array.from({ length: 20 }, () => 3);
    for (const value of smooth(values) ?? []) expect(value).toBeCloseTo(3, 12);
    expect(smooth(values)).toHaveLength(20);
  });

  it('weighs the past by 0.7 and keeps gaps', () => {
    const values: (number | null)[] = Array.from({ length: 14 }, (_, i) => (i === 0 ? 0 : 1));
    values[1] = null;
    const result = smooth(values);
    expect(result?.[0]).toBe(0);
    expect(result?.[1]).toBeNull();
    // (0.7 · 0 + 0.3 · 1) / (1 − 0.7²)
    expect(result?.[2]).toBeCloseTo(0.3 / 0.51, 12);
  });

  it('refuses to smooth fewer than a dozen points', () => {
    expect(smooth(Array.from({ length: 11 }, () => 1))).toBeNull();
    expect(smooth(Array.from({ length: 12 }, () => 1))).not.toBeNull();
  });
});
