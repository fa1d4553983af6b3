/** Reward against KL: each series in its own marks, points in the order in which they came. */
import uPlot from 'uplot';
import { resolveColor, textSize } from './panel-plot';

export interface RewardKlPoint {
  /** Nats. */
  kl: number;
  reward: number;
  /** Stands beside the point where there is room. */
  label?: string;
}

export interface RewardKlSeries {
  /** In the legend; null leaves it out. */
  label: string | null;
  /** A CSS value, `var(--…)` included. */
  color: string;
  mark: 'line' | 'dot' | 'ring' | 'diamond';
  /** Width of a line, diameter of the others, CSS px. */
  size: number;
  points: readonly RewardKlPoint[];
}

const HEIGHT = 300;
/** CSS px of text at which marks have their size; on a projector both are larger. */
const PLAIN_TEXT = 12;
/** Room beside the outermost points, as a share of what they span. */
const MARGIN = { left: 0.03, right: 0.07 };

/** uPlot wants one rising list of x: it sees all points as one series, for the scales alone. */
export function plotData(series: readonly RewardKlSeries[]): [number[], number[]] {
  const points = series.flatMap((one) => one.points).sort((a, b) => a.kl - b.kl);
  return [points.map(({ kl }) => kl), points.map(({ reward }) => reward)];
}

/**
 * An empty plot in `element`; fill it with `plotData`.
 * @param current the series as they are whenever it is drawn
 */
export function createRewardKlPlot(
  element: HTMLElement,
  width: number,
  labels: { x: string; y: string },
  current: () => readonly RewardKlSeries[],
): uPlot {
  const color = (name: string) => () => resolveColor(element, `var(--${name})`);
  const text = textSize();
  const font = `${text}px "Inter Variable", Inter, system-ui, sans-serif`;
  const axis = {
    stroke: color('ink-3'),
    font,
    labelFont: font,
    labelSize: 2 * text,
    ticks: { show: false },
    grid: { stroke: color('line'), width: 1 },
  };
  return new uPlot(
    {
      width,
      height: HEIGHT,
      legend: { show: false },
      cursor: { show: false },
      scales: {
        x: {
          time: false,
          range: (_plot, min, max) => {
            const span = Math.max(max - min, 1e-6);
            return [min - MARGIN.left * span, max + MARGIN.right * span];
          },
        },
      },
      axes: [
        { ...axis, label: labels.x, size: 2 * text + 4 },
        { ...axis, label: labels.y, size: 4 * text + 4 },
      ],
      series: [{}, { paths: () => null, points: { show: false } }],
      hooks: { draw: [(plot) => drawAll(plot, current())] },
    },
    [[], []],
    element,
  );
}

function drawAll(plot: uPlot, series: readonly RewardKlSeries[]): void {
  const { ctx } = plot;
  ctx.save();
  for (const one of series) drawMarks(plot, one);
  drawLabels(plot, series);
  ctx.restore();
}

const place = (plot: uPlot, { kl, reward }: RewardKlPoint): [number, number] => [
  plot.valToPos(kl, 'x', true),
  plot.valToPos(reward, 'y', true),
];

/** Canvas px for each px of a mark. */
const markScale = (): number => (devicePixelRatio * textSize()) / PLAIN_TEXT;

function drawMarks(plot: uPlot, { mark, size, color, points }: RewardKlSeries): void {
  const { ctx } = plot;
  const scale = markScale();
  ctx.strokeStyle = ctx.fillStyle = resolveColor(plot.root, color);
  ctx.lineWidth = (mark === 'line' ? size : 2) * scale;
  ctx.lineJoin = 'round';
  if (mark === 'line') {
    ctx.beginPath();
    points.forEach((point, i) => ctx[i === 0 ? 'moveTo' : 'lineTo'](...place(plot, point)));
    ctx.stroke();
    return;
  }
  const radius = (size * scale) / 2;
  for (const point of points) {
    const [x, y] = place(plot, point);
    ctx.beginPath();
    if (mark === 'diamond') {
      ctx.moveTo(x, y - radius);
      ctx.lineTo(x + radius, y);
      ctx.lineTo(x, y + radius);
      ctx.lineTo(x - radius, y);
      ctx.closePath();
    } else ctx.arc(x, y, radius, 0, 2 * Math.PI);
    if (mark === 'ring') ctx.stroke();
    else ctx.fill();
  }
}

interface Box {
  left: number;
  right: number;
  top: number;
  bottom: number;
}

const apart = (a: Box, b: Box): boolean =>
  a.right <= b.left || b.right <= a.left || a.bottom <= b.top || b.bottom <= a.top;

/** Beside its point where nothing else is: right, left, above, below, or not at all. */
function drawLabels(plot: uPlot, series: readonly RewardKlSeries[]): void {
  const { ctx, bbox } = plot;
  const scale = markScale();
  const height = textSize() * devicePixelRatio;
  ctx.font = `${height}px "Inter Variable", Inter, system-ui, sans-serif`;
  ctx.textBaseline = 'middle';
  ctx.textAlign = 'left';
  const labelled = series.filter(({ points }) => points.some(({ label }) => label !== undefined));
  const taken: Box[] = labelled.flatMap(({ size, points }) =>
    points.map((point) => {
      const [x, y] = place(plot, point);
      const radius = (size * scale) / 2;
      return { left: x - radius, right: x + radius, top: y - radius, bottom: y + radius };
    }),
  );
  for (const { color, size, points } of labelled) {
    ctx.fillStyle = resolveColor(plot.root, color);
    // The last points of a series matter most.
    for (const point of [...points].reverse()) {
      if (point.label === undefined) continue;
      const [x, y] = place(plot, point);
      const gap = (size / 2 + 3) * scale;
      const width = ctx.measureText(point.label).width;
      const boxAt = (left: number, middle: number): Box => ({
        left,
        right: left + width,
        top: middle - height / 2,
        bottom: middle + height / 2,
      });
      const free = [
        boxAt(x + gap, y),
        boxAt(x - gap - width, y),
        boxAt(x - width / 2, y - gap - height / 2),
        boxAt(x - width / 2, y + gap + height / 2),
      ].find(
        (box) =>
          box.left >= bbox.left &&
          box.right <= bbox.left + bbox.width &&
          taken.every((other) => apart(box, other)),
      );
      if (free === undefined) continue;
      taken.push(free);
      ctx.fillText(point.label, free.left, (free.top + free.bottom) / 2);
    }
  }
}
