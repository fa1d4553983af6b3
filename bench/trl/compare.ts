/** Two families of reward–KL curves, one curve for each seed, held against each other. */
import { mean } from '../learn/interval';
import type { Iteration, Run, Side } from './result';

export type Point = Pick<Iteration, 'kl' | 'score'>;

/** Iterations averaged into a point of a curve. */
export const WINDOW = 5;
/** Nats between the KL levels that are compared. */
const STEP = 1;
/** Student's t, two-sided 95 %, by degrees of freedom 1 … 10. */
const T95 = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228];

export interface Comparison {
  ours: number[];
  trl: number[];
  /** Mean of ours − mean of TRL's. */
  gap: number;
  /** Standard deviation between seeds, pooled over both sides; NaN for one seed. */
  spread: number;
  /** Half of the 95 % interval of the gap (Student's t, equal variances); NaN for one seed. */
  interval: number;
  /** Ours is not below TRL's by more than the spread. */
  holds: boolean;
}

/** Means over each `window` iterations in a row, in order; as many points as windows fit. */
export function smoothed(curve: readonly Point[], window = WINDOW): Point[] {
  return Array.from({ length: Math.max(0, curve.length - window + 1) }, (_, i) => {
    const part = curve.slice(i, i + window);
    return { kl: mean(part.map(({ kl }) => kl)), score: mean(part.map(({ score }) => score)) };
  });
}

/**
 * The score at a KL: linear between neighbours, and the mean of all passes where the curve goes
 * through that KL more than once.
 * @returns null when it never gets there
 */
export function scoreAt(points: readonly Point[], kl: number): number | null {
  const passes: number[] = [];
  for (let i = 0; i + 1 < points.length; i++) {
    const a = points[i]!;
    const b = points[i + 1]!;
    // half open: a point that lies on the level counts once
    if (a.kl <= kl !== b.kl <= kl) {
      passes.push(a.score + ((kl - a.kl) / (b.kl - a.kl)) * (b.score - a.score));
    }
  }
  return passes.length === 0 ? null : mean(passes);
}

/** Standard deviation, n − 1. */
export function deviation(xs: readonly number[]): number {
  const center = mean(xs);
  return Math.sqrt(xs.reduce((sum, x) => sum + (x - center) ** 2, 0) / (xs.length - 1));
}

/**
 * One number for each seed, on both sides.
 * @throws Error unless both sides have equally many seeds, at most 6
 */
export function compare(ours: number[], trl: number[]): Comparison {
  const n = ours.length;
  if (trl.length !== n) throw new Error(`compare: ${n} seeds against ${trl.length}`);
  const gap = mean(ours) - mean(trl);
  if (n === 1) return { ours, trl, gap, spread: NaN, interval: NaN, holds: gap >= 0 };
  const spread = Math.sqrt((deviation(ours) ** 2 + deviation(trl) ** 2) / 2);
  const t = T95[2 * n - 3];
  if (t === undefined) throw new Error(`compare: ${n} seeds are more than 6`);
  return { ours, trl, gap, spread, interval: t * spread * Math.sqrt(2 / n), holds: gap >= -spread };
}

export interface Verdict {
  /** At each whole KL that all curves of both sides reach. */
  levels: (Comparison & { kl: number })[];
  /** Each curve's mean over those levels; null without any. */
  overall: Comparison | null;
}

/** Ours against TRL's at equal KL. */
export function verdict(runs: readonly Run[]): Verdict {
  const curves = (side: Side) => curvesOf(runs, side).map((curve) => smoothed(curve));
  const [ours, trl] = [curves('ours'), curves('trl')];
  const highest = Math.max(...[...ours, ...trl].flat().map(({ kl }) => kl));
  const levels: Verdict['levels'] = [];
  for (let kl = STEP; kl <= highest; kl += STEP) {
    const at = (side: Point[][]) => side.map((points) => scoreAt(points, kl)).filter(isNumber);
    const [a, b] = [at(ours), at(trl)];
    if (a.length < ours.length || b.length < trl.length) continue;
    levels.push({ kl, ...compare(a, b) });
  }
  if (levels.length === 0) return { levels, overall: null };
  const over = (side: Side, n: number) =>
    Array.from({ length: n }, (_, seed) => mean(levels.map((level) => level[side][seed]!)));
  return { levels, overall: compare(over('ours', ours.length), over('trl', trl.length)) };
}

/** What a side's runs measured, in the order of the seeds. */
export function curvesOf(runs: readonly Run[], side: Side): Iteration[][] {
  return runs
    .filter((run) => run.side === side)
    .sort((a, b) => a.seed - b.seed)
    .map(({ curve }) => curve);
}

const isNumber = (x: number | null): x is number => x !== null;
