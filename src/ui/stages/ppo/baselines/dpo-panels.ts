import type { ChartPanel } from '../../../charts/chart-types';

/** DPO's chart: loss above the pairs that it orders as ranked. */
export const DPO_PANELS: ChartPanel[] = [
  {
    title: 'Loss',
    series: [
      { key: 'loss', label: 'training', color: 'var(--ink)' },
      { key: 'eval_loss', label: 'held out', color: 'var(--ink-3)', dash: [7, 5] },
    ],
    // −log σ(0): where policy and reference are the same.
    target: { value: Math.LN2, label: 'ln 2: the SFT model' },
    height: 130,
  },
  {
    title: 'Pairs ordered as ranked',
    series: [
      { key: 'rewards/accuracies', label: 'training', color: 'var(--ok)' },
      { key: 'eval_rewards/accuracies', label: 'held out', color: 'var(--ok)', dash: [7, 5] },
    ],
    target: { value: 0.5, label: 'chance' },
    height: 110,
  },
];
