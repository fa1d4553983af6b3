/** Reward against KL: the best there is as a line, the policy of each iteration as a point. */
import uPlot from 'uplot';
import type { LessonPoint, LessonStart } from '../../core/lesson';
import { resolveColor } from '../charts/panel-plot';

const HEIGHT = 300;

/**
 * uPlot wants one rising list of x for all series: the frontier's KLs, the points' and the optimum's
 * together, each series with gaps where it has nothing.
 */
export function frontierData(
  { frontier, best, bestOfN }: LessonStart,
  points: readonly LessonPoint[],
): uPlot.AlignedData {
  const last = points.at(-1);
  const marks = [
    ...frontier.map((point) => mark(point, 0)),
    ...points.map((point) => mark(point, 1)),
    ...(last === undefined ? [] : [mark(last, 2)]),
    mark(best, 3),
    ...bestOfN.map((point) => mark(point, 4)),
  ].sort((a, b) => a.kl - b.kl);
  return [
    marks.map(({ kl }) => kl),
    ...[0, 1, 2, 3, 4].map((series) =>
      marks.map((one) => (one.series === series ? one.reward : null)),
    ),
  ];
}

const mark = ({ kl, reward }: { kl: number; reward: number }, series: number) => ({
  kl,
  reward,
  series,
});

/** An empty plot in `element`; fill it with `frontierData`. */
export function createFrontierPlot(element: HTMLElement, width: number): uPlot {
  const color = (name: string) => () => resolveColor(element, `var(--${name})`);
  const axis = { stroke: color('ink-3'), ticks: { show: false }, grid: { stroke: color('line') } };
  const dots = (name: string, size: number, filled = true): uPlot.Series => ({
    stroke: color(name),
    paths: () => null,
    points: {
      show: true,
      size,
      width: 2,
      fill: filled ? color(name) : 'transparent',
      stroke: color(name),
    },
  });
  return new uPlot(
    {
      width,
      height: HEIGHT,
      legend: { show: false },
      cursor: { show: false },
      scales: { x: { time: false } },
      axes: [
        { ...axis, label: 'KL to the reference, nats' },
        { ...axis, label: 'expected reward' },
      ],
      series: [
        {},
        { stroke: color('reward'), width: 2, spanGaps: true, points: { show: false } },
        dots('ink-3', 5),
        dots('kl', 11),
        dots('reward', 17, false),
        dots('ink-3', 9, false),
      ],
    },
    [[], [], [], [], [], []],
    element,
  );
}
