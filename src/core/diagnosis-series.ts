/** One metric over the steps of a run, and the statistics that the checks of the diagnosis need. */
import type { MetricRow } from './domain';

export interface Point {
  step: number;
  value: number;
}

/** A metric where it was logged; numbers that are not finite are left out. */
export function pointsOf(rows: readonly MetricRow[], metric: string): Point[] {
  return pointsBy(rows, (row) => row[metric]);
}

/** The same for a number that is computed from a row; undefined where the row lacks a part of it. */
export function pointsBy(
  rows: readonly MetricRow[],
  value: (row: MetricRow) => number | undefined,
): Point[] {
  return rows.flatMap((row) => {
    const x = value(row);
    return x === undefined || row.step === undefined || !Number.isFinite(x)
      ? []
      : [{ step: row.step, value: x }];
  });
}

/** NaN for no points, so that every comparison with it fails. */
export const meanOf = (points: readonly Point[]): number =>
  points.reduce((sum, { value }) => sum + value, 0) / points.length;

/** Sample standard deviation. */
export function deviationOf(points: readonly Point[]): number {
  const mean = meanOf(points);
  const squares = points.reduce((sum, { value }) => sum + (value - mean) ** 2, 0);
  return Math.sqrt(squares / (points.length - 1));
}

/**
 * Standard deviation of the noise around a trend, from the differences of neighbours: how far the
 * middle one is from their median, over 0.6745·√2 (what it is for differences of normal draws).
 * Neither a steady trend nor a few jumps enter.
 */
export function noiseOf(points: readonly Point[]): number {
  const differences = stepsUp(points);
  const trend = medianOf(differences);
  const middle = medianOf(differences.map((difference) => Math.abs(difference - trend)));
  return middle / (0.6745 * Math.SQRT2);
}

/** Differences between neighbours, one fewer than points. */
const stepsUp = (points: readonly Point[]): number[] =>
  points.slice(1).map(({ value }, i) => value - points[i]!.value);

export function medianOf(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** Pearson's r of two metrics over the rows that have both; NaN when one of them never moves. */
export function correlation(xs: readonly Point[], ys: readonly Point[]): number {
  const other = new Map(ys.map(({ step, value }) => [step, value]));
  const both = xs.flatMap(({ step, value }) => {
    const y = other.get(step);
    return y === undefined ? [] : [{ x: value, y }];
  });
  const mx = both.reduce((sum, { x }) => sum + x, 0) / both.length;
  const my = both.reduce((sum, { y }) => sum + y, 0) / both.length;
  let xy = 0;
  let xx = 0;
  let yy = 0;
  for (const { x, y } of both) {
    xy += (x - mx) * (y - my);
    xx += (x - mx) ** 2;
    yy += (y - my) ** 2;
  }
  return xy / Math.sqrt(xx * yy);
}

/** First and last step of points that are not empty. */
export const stepsOf = (points: readonly Point[]): [number, number] => [
  points[0]!.step,
  points.at(-1)!.step,
];

/**
 * Where the mean over `size` neighbouring points is above `limit`: from the first such window to the
 * last, and the highest mean. Null when there is none.
 */
export function sustainedAbove(
  points: readonly Point[],
  size: number,
  limit: number,
): { steps: [number, number]; highest: number } | null {
  const high = windowsOf(points, size).filter((window) => meanOf(window) > limit);
  const [first, last] = [high[0], high.at(-1)];
  if (first === undefined || last === undefined) return null;
  return {
    steps: [first[0]!.step, last.at(-1)!.step],
    highest: Math.max(...high.map(meanOf)),
  };
}

/** All runs of `size` neighbouring points, in order. */
export const windowsOf = (points: readonly Point[], size: number): Point[][] =>
  Array.from({ length: Math.max(0, points.length - size + 1) }, (_, start) =>
    points.slice(start, start + size),
  );

/**
 * Wilson's score interval for a share, 95 % (Wilson 1927); `count` may be an effective number.
 * @returns low and high, within 0 … 1
 */
export function wilsonInterval(share: number, count: number): [number, number] {
  const z = 1.96;
  const scale = 1 + z ** 2 / count;
  const centre = (share + z ** 2 / (2 * count)) / scale;
  const half = (z / scale) * Math.sqrt((share * (1 - share)) / count + z ** 2 / (4 * count ** 2));
  return [Math.max(0, centre - half), Math.min(1, centre + half)];
}

/** Three digits that carry meaning: 0.0412, 6.53, −12.1, 4.2e-6. */
export function said(value: number): string {
  const size = Math.abs(value);
  const text =
    size !== 0 && (size < 1e-3 || size >= 1e5)
      ? size.toExponential(1)
      : String(Number(size.toPrecision(3)));
  return value < 0 ? `−${text}` : text;
}

/** 0.784 → 78 %. */
export const percent = (share: number): string => `${Math.round(100 * share)} %`.replace('-', '−');
