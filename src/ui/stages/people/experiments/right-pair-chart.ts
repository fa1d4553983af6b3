/** Learning curves by disagreement and by chance, in per cent. */
import type { MetricRow } from '../../../../core/domain';
import type { RightPairRecord } from '../../../../core/experiments';
import { learningCurve } from '../../../../core/learning-needs';
import type { ChartPanel } from '../../../charts/chart-types';

/** One row for each number of rankings. */
export function rightPairRows({ points }: Pick<RightPairRecord, 'points'>): MetricRow[] {
  const chosen = learningCurve(points, 'disagreement');
  const random = learningCurve(points, 'random');
  return chosen.map(({ rankings, accuracy, low, high }) => {
    const other = random.find((point) => point.rankings === rankings);
    return {
      rankings,
      disagreement: 100 * accuracy,
      'disagreement, lowest seed': 100 * low,
      'disagreement, highest seed': 100 * high,
      ...(other && {
        chance: 100 * other.accuracy,
        'chance, lowest seed': 100 * other.low,
        'chance, highest seed': 100 * other.high,
      }),
    };
  });
}

export const RIGHT_PAIR_PANELS: ChartPanel[] = [
  {
    title: 'Held-out pairs right, %, by number of rankings',
    series: [
      {
        key: 'disagreement',
        label: 'chosen by disagreement',
        color: 'var(--reward)',
        marks: true,
        band: ['disagreement, lowest seed', 'disagreement, highest seed'],
      },
      {
        key: 'chance',
        label: 'chosen by chance',
        color: 'var(--kl)',
        dash: [7, 5],
        marks: true,
        band: ['chance, lowest seed', 'chance, highest seed'],
      },
    ],
    height: 220,
  },
];
