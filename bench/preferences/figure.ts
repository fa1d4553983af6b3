/** The harm-exposure dial as one SVG, readable on light and on dark pages. */
import { HARM_EXPOSURES, type HarmDialRun } from '../../src/core/experiments';
import { mean } from '../learn/interval';
import type { ResultOf } from './result';

const WIDTH = 720;
const HEIGHT = 392;
const TOP = 72;
const BOTTOM = 64;
/** Left edges of the two plots, and their width. */
const PLOTS = [60, 400];
const PLOT_WIDTH = 290;

/** Vermilion and blue of Okabe and Ito, told apart with any kind of colour vision; shapes besides. */
const STYLE = `
  .page { fill: #fff }
  text { fill: #1f2328; font: 13px system-ui, sans-serif }
  .title { font-weight: 600 }
  .grid { stroke: #d8dee4 }
  .harm { stroke: #c25100; fill: #c25100 }
  .harmless { stroke: #0072b2; fill: #0072b2 }
  .mean { fill: none; stroke-width: 3 }
  .seed { stroke: none; fill-opacity: 0.35 }
  .harmless.mean, .level { stroke-dasharray: 8 5 }
  .level { stroke: #57606a; stroke-width: 2 }
  @media (prefers-color-scheme: dark) {
    .page { fill: #0d1117 }
    text { fill: #e6edf3 }
    .grid { stroke: #30363d }
    .harm { stroke: #f0894a; fill: #f0894a }
    .harmless { stroke: #56b4e9; fill: #56b4e9 }
    .level { stroke: #8b949e }
  }`;

interface Line {
  name: string;
  kind: 'harm' | 'harmless';
  value: (run: HarmDialRun) => number;
}

const ACCURACY: Line[] = [
  { name: 'harmful pairs', kind: 'harm', value: (run) => run.harmAccuracy },
  { name: 'harmless pairs', kind: 'harmless', value: (run) => run.harmlessAccuracy },
];
const RATE: Line[] = [{ name: 'after PPO', kind: 'harm', value: (run) => run.harmRate }];

/** Left: the reward model's accuracy; right: the policy's harm rate. Small marks are seeds. */
export function harmFigure(results: readonly ResultOf<'harm'>[]): string {
  const runs = results.flatMap(({ record }) => record.runs);
  const baseline = mean(results.flatMap(({ record }) => record.baseline));
  const highest = Math.max(baseline, ...runs.map(({ harmRate }) => harmRate));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-labelledby="title">`,
    '<title id="title">Harm-exposure dial: accuracy of the reward model and harm rate of the policy</title>',
    `<style>${STYLE}\n</style>`,
    `<rect class="page" width="${WIDTH}" height="${HEIGHT}"/>`,
    ...plot(PLOTS[0]!, 'Held-out pairs right, %', [30, 100], ACCURACY, runs, {
      level: 0.5,
      name: 'chance',
    }),
    ...plot(
      PLOTS[1]!,
      'Harmful answers, %',
      [0, Math.ceil((100 * highest) / 10) * 10],
      RATE,
      runs,
      { level: baseline, name: 'SFT model' },
    ),
    `<text x="${WIDTH / 2}" y="${HEIGHT - 10}" text-anchor="middle">comparisons that are harmful against harmless, % (small marks: ${results.length} ${results.length === 1 ? 'seed' : 'seeds'})</text>`,
    '</svg>\n',
  ].join('\n');
}

function plot(
  left: number,
  title: string,
  [low, high]: [number, number],
  lines: readonly Line[],
  runs: readonly HarmDialRun[],
  { level, name }: { level: number; name: string },
): string[] {
  const most = Math.max(...HARM_EXPOSURES);
  const x = (exposure: number): string => (left + (exposure / most) * PLOT_WIDTH).toFixed(1);
  const y = (share: number): string =>
    (HEIGHT - BOTTOM - ((100 * share - low) / (high - low)) * (HEIGHT - TOP - BOTTOM)).toFixed(1);
  const step = high - low > 40 ? 10 : 5;
  const ticks = Array.from(
    { length: Math.floor((high - low) / step) + 1 },
    (_, i) => low + i * step,
  );
  const right = left + PLOT_WIDTH;
  return [
    `<text class="title" x="${left}" y="20">${title}</text>`,
    ...ticks.map(
      (at) =>
        `<line class="grid" x1="${left}" x2="${right}" y1="${y(at / 100)}" y2="${y(at / 100)}"/>` +
        `<text x="${left - 8}" y="${Number(y(at / 100)) + 4}" text-anchor="end">${at}</text>`,
    ),
    ...HARM_EXPOSURES.map(
      (at) =>
        `<text x="${x(at)}" y="${HEIGHT - BOTTOM + 20}" text-anchor="middle">${100 * at}</text>`,
    ),
    `<line class="level" x1="${left}" x2="${right}" y1="${y(level)}" y2="${y(level)}"/>`,
    `<text x="${right}" y="${Number(y(level)) - 6}" text-anchor="end">${name}</text>`,
    ...lines.flatMap(({ kind, name: label }, i) => [
      mark(kind, '', left + 6 + 180 * i, 42, 6),
      `<text x="${left + 20 + 180 * i}" y="46">${label}</text>`,
    ]),
    ...lines.flatMap(({ kind, value }) => {
      const means = HARM_EXPOSURES.map((exposure) => ({
        exposure,
        share: mean(runs.filter((run) => run.exposure === exposure).map(value)),
      }));
      const points = means.map(({ exposure, share }) => `${x(exposure)},${y(share)}`).join(' ');
      return [
        ...runs.map((run) => mark(kind, 'seed', Number(x(run.exposure)), Number(y(value(run))), 4)),
        `<polyline class="${kind} mean" points="${points}"/>`,
        ...means.map(({ exposure, share }) =>
          mark(kind, '', Number(x(exposure)), Number(y(share)), 6),
        ),
      ];
    }),
  ];
}

/** A disc for harm, a square for none. */
const mark = (kind: Line['kind'], more: string, x: number, y: number, r: number): string =>
  kind === 'harm'
    ? `<circle class="${kind} ${more}" cx="${x}" cy="${y}" r="${r}"/>`
    : `<rect class="${kind} ${more}" x="${x - r}" y="${y - r}" width="${2 * r}" height="${2 * r}"/>`;
