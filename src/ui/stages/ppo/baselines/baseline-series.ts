/** PPO, best-of-n and DPO between reward and KL, as a chart and as a table. */
import type { BestOfNPoint } from '../../../../core/best-of-n';
import type { MetricRow } from '../../../../core/domain';
import type { RewardKlPoint, RewardKlSeries } from '../../../charts/reward-kl-plot';
import { smooth } from '../../../charts/smooth';
import { formatNumber } from '../../../parts/format';

export interface Baselines {
  /** Metric rows of the runs. */
  ppo: readonly MetricRow[];
  dpo: readonly MetricRow[];
  bestOfN: readonly BestOfNPoint[];
}

interface StepPoint extends RewardKlPoint {
  step: number;
}

/** The rows that say both. */
function measured(rows: readonly MetricRow[]): StepPoint[] {
  return rows.flatMap(({ step, 'objective/kl': kl, 'objective/scores': reward }) =>
    step !== undefined && Number.isFinite(kl) && Number.isFinite(reward)
      ? [{ step, kl: kl!, reward: reward! }]
      : [],
  );
}

/** The same points with the noise of single iterations smoothed, as the line chart smooths it. */
function smoothed(points: readonly StepPoint[]): RewardKlPoint[] {
  const kls = smooth(points.map(({ kl }) => kl));
  const rewards = smooth(points.map(({ reward }) => reward));
  if (kls === null || rewards === null) return [...points];
  return points.map((_, i) => ({ kl: kls[i]!, reward: rewards[i]! }));
}

/** What there is so far; series without points are left out. */
export function baselineSeries({ ppo, dpo, bestOfN }: Baselines): RewardKlSeries[] {
  const iterations = measured(ppo);
  const series: RewardKlSeries[] = [
    { label: null, color: 'var(--kl)', mark: 'dot', size: 4, points: iterations },
    {
      label: 'PPO, smoothed; its iterations as dots',
      color: 'var(--kl)',
      mark: 'line',
      size: 2,
      points: smoothed(iterations),
    },
    {
      label: 'best of n answers',
      color: 'var(--ink)',
      mark: 'ring',
      size: 9,
      points: bestOfN.map((point) => ({ ...point, label: `n = ${point.n}` })),
    },
    {
      label: 'DPO, by step',
      color: 'var(--ok)',
      mark: 'diamond',
      size: 11,
      points: measured(dpo).map((point) => ({ ...point, label: String(point.step) })),
    },
  ];
  return series.filter(({ points }) => points.length > 0);
}

export interface TableRow extends RewardKlPoint {
  method: string;
}

/** Iterations of PPO in the table; more are thinned, the last is always there. */
const MOST_ITERATIONS = 40;

export function tableRows({ ppo, dpo, bestOfN }: Baselines): TableRow[] {
  const iterations = measured(ppo);
  const every = Math.ceil(iterations.length / MOST_ITERATIONS);
  return [
    ...bestOfN.map(({ n, kl, reward }) => ({ method: `best of ${n}`, kl, reward })),
    ...measured(dpo).map(({ step, kl, reward }) => ({ method: `DPO, step ${step}`, kl, reward })),
    ...iterations
      .filter((_, i) => i % every === 0 || i === iterations.length - 1)
      .map(({ step, kl, reward }) => ({ method: `PPO, iteration ${step}`, kl, reward })),
  ];
}

/** Where each method ends, in words. */
export function baselineWords({ ppo, dpo, bestOfN }: Baselines): string {
  const best = bestOfN.at(-1);
  const ends: [string, RewardKlPoint | undefined][] = [
    [best === undefined ? '' : `Best of ${best.n}`, best],
    ['DPO at its last measurement', measured(dpo).at(-1)],
    ['PPO in its last iteration', measured(ppo).at(-1)],
  ];
  return ends
    .flatMap(([name, point]) =>
      point === undefined
        ? []
        : [`${name}: reward ${formatNumber(point.reward, 2)} at KL ${formatNumber(point.kl, 2)}.`],
    )
    .join(' ');
}
