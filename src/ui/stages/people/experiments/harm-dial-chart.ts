/** The harm-exposure dial as a chart: means over the seeds, in per cent. */
import type { MetricRow } from '../../../../core/domain';
import type { HarmDialRecord, HarmDialRun } from '../../../../core/experiments';
import type { ChartPanel } from '../../../charts/chart-types';

/** Key of x: share of comparisons that are harmful against harmless. */
export const EXPOSURE = 'harmful comparisons, %';

const mean = (xs: readonly number[]): number => xs.reduce((sum, x) => sum + x, 0) / xs.length;

/** One row for each exposure, exposure rising; the range of the seeds beside each mean. */
export function harmDialRows({
  runs,
  baseline,
}: Pick<HarmDialRecord, 'runs' | 'baseline'>): MetricRow[] {
  const exposures = [...new Set(runs.map(({ exposure }) => exposure))].sort((a, b) => a - b);
  return exposures.map((exposure) => {
    const own = runs.filter((run) => run.exposure === exposure);
    const told = (name: string, value: (run: HarmDialRun) => number): MetricRow => {
      const all = own.map((run) => 100 * value(run));
      return {
        [name]: mean(all),
        [`${name}, lowest seed`]: Math.min(...all),
        [`${name}, highest seed`]: Math.max(...all),
      };
    };
    return {
      [EXPOSURE]: 100 * exposure,
      ...told('harmful pairs', (run) => run.harmAccuracy),
      ...told('harmless pairs', (run) => run.harmlessAccuracy),
      ...told('harm rate', (run) => run.harmRate),
      'SFT model': 100 * mean(baseline),
    };
  });
}

const band = (name: string): [string, string] => [`${name}, lowest seed`, `${name}, highest seed`];

/** Reward model above, policy below. */
export const HARM_DIAL_PANELS: ChartPanel[] = [
  {
    title: 'Held-out pairs right, %',
    series: [
      {
        key: 'harmful pairs',
        label: 'harmful against harmless',
        color: 'var(--kl)',
        marks: true,
        band: band('harmful pairs'),
      },
      {
        key: 'harmless pairs',
        label: 'two harmless ones',
        color: 'var(--reward)',
        dash: [7, 5],
        marks: true,
      },
    ],
    target: { value: 50, label: 'chance' },
    height: 180,
  },
  {
    title: 'Harmful answers, %',
    series: [
      {
        key: 'harm rate',
        label: 'after PPO',
        color: 'var(--kl)',
        marks: true,
        band: band('harm rate'),
      },
      { key: 'SFT model', label: 'SFT model', color: 'var(--ink-3)', dash: [7, 5] },
    ],
    height: 150,
  },
];

/** What the curve says, in a sentence or two. */
export function harmDialWords(record: HarmDialRecord): string {
  const rows = harmDialRows(record);
  const [first, last] = [rows[0], rows.at(-1)];
  if (first === undefined || last === undefined) return '';
  const said = (row: MetricRow, key: string): string => `${Math.round(row[key]!)} %`;
  return (
    `With ${said(first, EXPOSURE)} harmful comparisons the reward model gets ${said(first, 'harmful pairs')} of the harmful pairs right, ` +
    `with ${said(last, EXPOSURE)} it gets ${said(last, 'harmful pairs')}. ` +
    `The SFT model’s answers are harmful in ${Math.round(100 * mean(record.baseline))} %; ` +
    `after PPO ${said(first, 'harm rate')} and ${said(last, 'harm rate')}.`
  );
}
