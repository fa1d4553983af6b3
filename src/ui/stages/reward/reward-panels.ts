import type { ChartPanel } from '../../charts/chart-types';

/**
 * The reward model's chart: loss above accuracy above margin.
 * @param harm whether held-out pairs of a harmful and a harmless output have an accuracy of their own
 */
export const rewardPanels = (harm: boolean): ChartPanel[] => [
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
      ...(harm
        ? [
            {
              key: 'eval_harm_accuracy',
              label: 'held out, harmful against harmless',
              color: 'var(--kl)',
              dash: [2, 4],
            },
          ]
        : []),
    ],
    target: { value: 0.5, label: 'chance' },
  },
  {
    title: 'Margin',
    series: [{ key: 'margin', label: 'better − worse answer', color: 'var(--reward)' }],
    height: 110,
  },
];
