import uPlot from 'uplot';
import type { RunCut } from '../../core/domain';
import { drawnLines } from './chart-data';
import type { ChartPanel } from './chart-types';

/** Size of the text on the canvas, CSS px: larger on a projector. */
export function textSize(): number {
  const style = getComputedStyle(document.documentElement);
  return Number(style.getPropertyValue('--chart-text')) || 12;
}

/** A CSS colour as the canvas needs it: `var(--x)` looked up where `element` stands. */
export function resolveColor(element: Element, color: string): string {
  const name = /^var\((--[\w-]+)\)$/.exec(color)?.[1];
  if (name === undefined) return color;
  return getComputedStyle(element).getPropertyValue(name).trim() || '#000000';
}

/** Draws the target level and its label over the lines. */
function drawTarget(plot: uPlot, panel: ChartPanel): void {
  if (!panel.target) return;
  const { ctx, bbox } = plot;
  const y = Math.round(plot.valToPos(panel.target.value, 'y', true));
  if (y < bbox.top || y > bbox.top + bbox.height) return;
  const color = resolveColor(plot.root, panel.series[0]?.color ?? 'var(--ink-3)');
  ctx.save();
  ctx.strokeStyle = color;
  ctx.fillStyle = color;
  ctx.setLineDash([3, 5].map((length) => length * devicePixelRatio));
  ctx.beginPath();
  ctx.moveTo(bbox.left, y);
  ctx.lineTo(bbox.left + bbox.width, y);
  ctx.stroke();
  ctx.font = `${textSize() * devicePixelRatio}px sans-serif`;
  ctx.textAlign = 'right';
  ctx.fillText(panel.target.label, bbox.left + bbox.width - 6, y - 5 * devicePixelRatio);
  ctx.restore();
}

/** Tints the steps that were taken twice, and dashes the place where the run was cut off. */
function drawCuts(plot: uPlot, cuts: readonly RunCut[]): void {
  const { ctx, bbox } = plot;
  const color = resolveColor(plot.root, 'var(--ink-3)');
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  ctx.strokeStyle = color;
  ctx.fillStyle = `${color}22`;
  ctx.lineWidth = devicePixelRatio;
  ctx.setLineDash([4, 4].map((length) => length * devicePixelRatio));
  for (const { at, from } of cuts) {
    const [left, right] = [from, at].map((step) => plot.valToPos(step, 'x', true)) as [
      number,
      number,
    ];
    ctx.fillRect(left, bbox.top, right - left, bbox.height);
    ctx.beginPath();
    ctx.moveTo(right, bbox.top);
    ctx.lineTo(right, bbox.top + bbox.height);
    ctx.stroke();
  }
  ctx.restore();
}

/** 1, 2, 5, 10, … up to 50 million. */
const STEP_INCREMENTS = Array.from(
  { length: 24 },
  (_, i) => [1, 2, 5][i % 3]! * 10 ** Math.floor(i / 3),
);

export interface PlotOptions {
  panel: ChartPanel;
  element: HTMLElement;
  width: number;
  /** Panels with the same key share one cursor. */
  syncKey: string;
  /** Only the lowest panel shows the numbers of x. */
  showX: boolean;
  lineWidth: number;
  /** Read at each drawing. */
  cuts: () => readonly RunCut[];
  onCursor: (index: number | null) => void;
}

/** One panel of a stacked chart: raw lines faint under smoothed ones, bands behind both. */
export function createPlot(options: PlotOptions): uPlot {
  const { panel, element, width, syncKey, showX, lineWidth, cuts, onCursor } = options;
  const lines = drawnLines(panel);
  const text = textSize();
  const axis = {
    stroke: () => resolveColor(element, 'var(--ink-3)'),
    font: `${text}px "Inter Variable", Inter, system-ui, sans-serif`,
  };
  const grid = { stroke: () => resolveColor(element, 'var(--line)'), width: 1 };
  return new uPlot(
    {
      width,
      height: (panel.height ?? 150) + (showX ? 2 * textSize() + 4 : 0),
      legend: { show: false },
      padding: [8, 12, showX ? 0 : 8, 0],
      cursor: {
        sync: { key: syncKey },
        y: false,
        drag: { x: false, y: false },
        points: { size: 7 },
      },
      scales: { x: { time: false } },
      axes: [
        {
          ...axis,
          grid: { show: false },
          ticks: { show: false },
          show: showX,
          size: 2 * text + 4,
          // x counts steps: there is none between two of them.
          incrs: STEP_INCREMENTS,
        },
        { ...axis, grid, ticks: { show: false }, size: 4 * text + 8, space: 3 * text },
      ],
      series: [
        {},
        ...lines.map(({ series, kind }): uPlot.Series => {
          const edge = kind === 'band-low' || kind === 'band-high';
          return {
            stroke: edge ? undefined : () => resolveColor(element, series.color),
            width: edge ? 0 : kind === 'raw' ? 1 : lineWidth,
            alpha: kind === 'raw' ? 0.35 : 1,
            dash: kind === 'smoothed' ? series.dash : undefined,
            spanGaps: true,
            // A line needs two points; one alone would not be seen.
            points: {
              show: (plot) =>
                kind === 'smoothed' && (series.marks === true || plot.data[0].length === 1),
              ...(series.marks === true && {
                size: 3.5 * lineWidth,
                fill: () => resolveColor(element, series.color),
              }),
            },
          };
        }),
      ],
      bands: lines.flatMap(({ kind, series }, i): uPlot.Band[] =>
        kind === 'band-low'
          ? [
              {
                series: [i + 2, i + 1],
                // A hex colour with 14 % of alpha.
                fill: () => `${resolveColor(element, series.color)}24`,
              },
            ]
          : [],
      ),
      hooks: {
        drawClear: [(plot) => drawCuts(plot, cuts())],
        draw: [(plot) => drawTarget(plot, panel)],
        setCursor: [(plot) => onCursor(plot.cursor.idx ?? null)],
      },
    },
    [[], ...lines.map(() => [])],
    element,
  );
}
