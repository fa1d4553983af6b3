/** Both families of reward–KL curves as one SVG, readable on light and on dark pages. */
import { mean } from '../learn/interval';
import { curvesOf, deviation, scoreAt, smoothed, WINDOW, type Point } from './compare';
import type { Run, Side } from './result';

const WIDTH = 720;
const HEIGHT = 440;
const PLOT = { left: 64, right: 24, top: 28, bottom: 56 };
/** Nats between the places where the mean is drawn. */
const MEAN_STEP = 0.25;

/** Blue and orange of Okabe and Ito, told apart with any kind of colour vision; dashes besides. */
const STYLE = `
  .page { fill: #fff }
  text { fill: #1f2328; font: 13px system-ui, sans-serif }
  .grid { stroke: #d8dee4 }
  .line.ours { stroke: #0072b2 } .line.trl { stroke: #c25100 }
  .band.ours { fill: #0072b2 } .band.trl { fill: #c25100 }
  .band { fill-opacity: 0.16 }
  .seed { fill: none; stroke-width: 1; stroke-opacity: 0.45 }
  .mean { fill: none; stroke-width: 3 }
  .mean.trl { stroke-dasharray: 8 5 }
  @media (prefers-color-scheme: dark) {
    .page { fill: #0d1117 }
    text { fill: #e6edf3 }
    .grid { stroke: #30363d }
    .line.ours { stroke: #56b4e9 } .line.trl { stroke: #e69f00 }
    .band.ours { fill: #56b4e9 } .band.trl { fill: #e69f00 }
  }`;

const NAMES: Record<Side, string> = { ours: 'RLHF Playground', trl: 'TRL' };
const SIDES: readonly Side[] = ['ours', 'trl'];

/** Mean and standard deviation over the curves wherever all of them are. */
export function meanCurve(curves: readonly Point[][]): (Point & { spread: number })[] {
  const highest = Math.max(...curves.flat().map(({ kl }) => kl));
  const points: (Point & { spread: number })[] = [];
  for (let kl = MEAN_STEP; kl <= highest; kl += MEAN_STEP) {
    const scores = curves.flatMap((curve) => scoreAt(curve, kl) ?? []);
    if (scores.length < curves.length) continue;
    points.push({ kl, score: mean(scores), spread: scores.length > 1 ? deviation(scores) : 0 });
  }
  return points;
}

/** The figure; thin lines are seeds, thick ones means, bands ± one standard deviation. */
export function trlFigure(runs: readonly Run[]): string {
  const sides = SIDES.map((side) => {
    const curves = curvesOf(runs, side).map((curve) => smoothed(curve));
    return { side, curves, middle: meanCurve(curves) };
  });
  const all = sides.flatMap(({ curves }) => curves.flat());
  const right = Math.ceil(Math.max(...all.map(({ kl }) => kl)));
  const low = Math.floor(Math.min(...all.map(({ score }) => score)) * 4) / 4;
  const high = Math.ceil(Math.max(...all.map(({ score }) => score)) * 4) / 4;
  const x = (kl: number): number => PLOT.left + (kl / right) * (WIDTH - PLOT.left - PLOT.right);
  const y = (score: number): number =>
    HEIGHT - PLOT.bottom - ((score - low) / (high - low)) * (HEIGHT - PLOT.top - PLOT.bottom);
  const line = (points: readonly Point[]): string =>
    points.map(({ kl, score }) => `${x(kl).toFixed(1)},${y(score).toFixed(1)}`).join(' ');

  const every = right > 12 ? 2 : 1;
  const grid = [
    ...Array.from({ length: Math.floor(right / every) + 1 }, (_, i) => i * every).map(
      (kl) =>
        `<line class="grid" x1="${x(kl)}" x2="${x(kl)}" y1="${y(low)}" y2="${y(high)}"/>` +
        `<text x="${x(kl)}" y="${y(low) + 20}" text-anchor="middle">${kl}</text>`,
    ),
    ...Array.from({ length: Math.round((high - low) * 4) + 1 }, (_, i) => low + i / 4).map(
      (score) =>
        `<line class="grid" x1="${x(0)}" x2="${x(right)}" y1="${y(score)}" y2="${y(score)}"/>` +
        `<text x="${x(0) - 8}" y="${y(score) + 4}" text-anchor="end">${score.toFixed(2)}</text>`,
    ),
  ];
  const drawn = sides.flatMap(({ side, curves, middle }) => {
    const edge = (sign: number) =>
      middle.map(({ kl, score, spread }) => ({ kl, score: score + sign * spread }));
    return [
      `<polygon class="band ${side}" points="${line([...edge(1), ...edge(-1).reverse()])}"/>`,
      ...curves.map((curve) => `<polyline class="line seed ${side}" points="${line(curve)}"/>`),
      `<polyline class="line mean ${side}" points="${line(middle)}"/>`,
    ];
  });
  const legend = sides.flatMap(({ side, curves }, i) => {
    const at = HEIGHT - PLOT.bottom - 40 + 22 * i;
    const from = WIDTH - PLOT.right - 230;
    return [
      `<line class="line mean ${side}" x1="${from}" x2="${from + 44}" y1="${at}" y2="${at}"/>`,
      `<text x="${from + 54}" y="${at + 4}">${NAMES[side]}, ${curves.length} seeds</text>`,
    ];
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-labelledby="title">`,
    '<title id="title">Reward against KL during PPO: RLHF Playground and TRL</title>',
    `<style>${STYLE}\n</style>`,
    `<rect class="page" width="${WIDTH}" height="${HEIGHT}"/>`,
    ...grid,
    ...drawn,
    ...legend,
    `<text x="${(x(0) + x(right)) / 2}" y="${HEIGHT - 12}" text-anchor="middle">KL to the SFT model, nats per completion (means of ${WINDOW} iterations)</text>`,
    `<text x="${x(0) - 8}" y="16">reward model’s score</text>`,
    '</svg>\n',
  ].join('\n');
}
