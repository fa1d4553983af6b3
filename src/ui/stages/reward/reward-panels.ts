import type { ChartPanel } from '../../charts/chart-types';

/** The reward model's chart: loss above accuracy above margin. */
export const REWARD_PANELS: ChartPanel[] = [
  {
    title: 'Loss',
    series: [
      { key: 'loss', label: 'training', color: 'var(--ink)' },
      { key: 'eval_loss', label: 'held out', color: 'var(--ink-3)', dash: [7, 5] },
    ],
    // −log σ(0): what a model that cannot tell the two apart pays for each pair.
    target: { value: Math.LN2, label: 'ln 2: guessing' },
  },
  {
    title: 'Pairs ordered as ranked',
    series: [
      { key: 'accuracy', label: 'training', color: 'var(--reward)' },
      { key: 'eval_accuracy', label: 'held out', color: 'var(--reward)', dash: [7, 5] },
    ],
    target: { value: 0.5, label: 'chance' },
  },
  {
    title: 'Margin',
    series: [{ key: 'margin', label: 'better − worse answer', color: 'var(--reward)' }],
    height: 110,
  },
];
