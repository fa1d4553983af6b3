import { describe, expect, it } from 'vitest';
import type { MetricRow } from '../../../src/core/domain';
import { plotData } from '../../../src/ui/charts/reward-kl-plot';
import {
  baselineSeries,
  baselineWords,
  tableRows,
} from '../../../src/ui/stages/ppo/baselines/baseline-series';

const row = (step: number, kl: number, reward: number) => ({
  step,
  'objective/kl': kl,
  'objective/scores': reward,
});
const bestOfN = [1, 2].map((n) => ({ n, reward: n / 2, deviation: 0.1, kl: n === 1 ? 0 : 0.19 }));
const ppo = [row(1, 0, 0.1), row(2, 2, 0.4), row(3, 1, 0.3)];
/** Only measuring steps say where DPO stands, and only with a reward model. */
const dpo: MetricRow[] = [
  row(1, 0.1, 0.2),
  { step: 2, loss: 0.6 },
  { step: 3, 'objective/kl': 4 },
  row(4, 1, NaN),
  row(5, 1, 0.9),
];

describe('the series between reward and KL', () => {
  it('follows PPO in the order of its iterations, and DPO where it was measured', () => {
    const series = baselineSeries({ ppo, dpo, bestOfN });
    expect(series.map(({ mark }) => mark)).toEqual(['dot', 'line', 'ring', 'diamond']);
    expect(series[1]!.points.map(({ kl }) => kl)).toEqual([0, 2, 1]);
    expect(series[2]!.points.map(({ label }) => label)).toEqual(['n = 1', 'n = 2']);
    expect(series[3]!.points).toEqual([
      { step: 1, kl: 0.1, reward: 0.2, label: '1' },
      { step: 5, kl: 1, reward: 0.9, label: '5' },
    ]);
  });

  it('leaves out what there is nothing of', () => {
    expect(baselineSeries({ ppo: [], dpo: [], bestOfN: [] })).toEqual([]);
    const marks = baselineSeries({ ppo: [], dpo, bestOfN: [] }).map(({ mark }) => mark);
    expect(marks).toEqual(['diamond']);
  });

  it('smooths a long PPO run into its line; the dots stay as they were', () => {
    const noisy = Array.from({ length: 20 }, (_, i) => row(i + 1, i / 4, i % 2));
    const [dots, line] = baselineSeries({ ppo: noisy, dpo: [], bestOfN: [] });
    expect(dots!.points[19]).toMatchObject({ kl: 19 / 4, reward: 1 });
    const late = line!.points.slice(10).map(({ reward }) => reward);
    expect(Math.max(...late) - Math.min(...late)).toBeLessThan(0.5);
  });

  it('gives the plot its scales: all points, KL rising', () => {
    const [kls, rewards] = plotData(baselineSeries({ ppo, dpo: [], bestOfN }));
    expect(kls).toEqual([...kls].sort((a, b) => a - b));
    expect(kls).toHaveLength(8);
    expect(rewards[kls.indexOf(2)]).toBe(0.4);
  });
});

describe('the same in words', () => {
  it('says where each method ends', () => {
    expect(baselineWords({ ppo, dpo, bestOfN })).toBe(
      'Best of 2: reward 1 at KL 0.19. DPO at its last measurement: reward 0.90 at KL 1. ' +
        'PPO in its last iteration: reward 0.30 at KL 1.',
    );
    expect(baselineWords({ ppo: [], dpo: [], bestOfN })).toBe('Best of 2: reward 1 at KL 0.19.');
  });

  it('is a table with the last iteration in it, however many there were', () => {
    expect(tableRows({ ppo, dpo, bestOfN }).map(({ method }) => method)).toEqual([
      'best of 1',
      'best of 2',
      'DPO, step 1',
      'DPO, step 5',
      'PPO, iteration 1',
      'PPO, iteration 2',
      'PPO, iteration 3',
    ]);
    const long = Array.from({ length: 1001 }, (_, i) => row(i + 1, i, i));
    const rows = tableRows({ ppo: long, dpo: [], bestOfN: [] });
    expect(rows.length).toBeLessThan(50);
    expect(rows.at(-1)!.method).toBe('PPO, iteration 1001');
  });
});
