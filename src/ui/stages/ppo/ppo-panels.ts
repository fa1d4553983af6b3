import type { ChartPanel } from '../../charts/chart-types';
import type { PpoConfig } from '../../../core/config';

/** Panels that a person can add below reward and KL. */
export const EXTRA_PANELS = {
  kl_coef: {
    title: 'KL coefficient β',
    series: [
      { key: 'objective/kl_coef', label: 'reward per nat', color: 'var(--kl)', dash: [2, 4] },
    ],
    height: 100,
  },
  entropy: {
    title: 'Entropy',
    series: [{ key: 'objective/entropy', label: 'nats a completion', color: 'var(--ink)' }],
    height: 100,
  },
  length: {
    title: 'Length',
    series: [{ key: 'response_length', label: 'tokens a completion', color: 'var(--ink)' }],
    height: 100,
  },
  value: {
    title: 'Variance explained by the value model',
    series: [{ key: 'ppo/val/var_explained', label: 'share', color: 'var(--ink)' }],
    height: 100,
  },
} satisfies Record<string, ChartPanel>;
export type ExtraPanel = keyof typeof EXTRA_PANELS;

/** Reward above KL, then the chosen extra panels. */
export function ppoPanels(
  config: Pick<PpoConfig, 'kl_controller' | 'target_kl'>,
  extra: readonly ExtraPanel[],
): ChartPanel[] {
  const kl: ChartPanel = {
    title: 'KL to the SFT model',
    series: [{ key: 'objective/kl', label: 'nats a completion', color: 'var(--kl)' }],
    height: 130,
  };
  if (config.kl_controller === 'adaptive') {
    kl.target = { value: config.target_kl, label: `target ${config.target_kl} nats` };
  }
  return [
    {
      title: 'Reward',
      series: [
        {
          key: 'objective/scores',
          label: 'mean; the band holds the middle 80 %',
          color: 'var(--reward)',
          band: ['objective/scores_lo', 'objective/scores_hi'],
        },
      ],
      height: 180,
    },
    kl,
    ...extra.map((name) => EXTRA_PANELS[name]),
  ];
}
