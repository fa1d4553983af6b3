/** How many rankings each way of choosing them needs for the same accuracy. */
import type { Choice, RightPairPoint } from './experiments';

/** Mean over the seeds at one number of rankings. */
export interface CurvePoint {
  rankings: number;
  accuracy: number;
  /** Lowest and highest of the seeds. */
  low: number;
  high: number;
}

/** The mean curve of one way of choosing, rankings rising. */
export function learningCurve(points: readonly RightPairPoint[], choice: Choice): CurvePoint[] {
  const own = points.filter((point) => point.choice === choice);
  const sizes = [...new Set(own.map(({ rankings }) => rankings))].sort((a, b) => a - b);
  return sizes.map((rankings) => {
    const all = own.filter((point) => point.rankings === rankings).map(({ accuracy }) => accuracy);
    return {
      rankings,
      accuracy: all.reduce((sum, x) => sum + x, 0) / all.length,
      low: Math.min(...all),
      high: Math.max(...all),
    };
  });
}

/**
 * The number of rankings at which a curve first reaches `accuracy`, linear between its points.
 * @returns null when it never does
 */
export function rankingsFor(curve: readonly CurvePoint[], accuracy: number): number | null {
  for (const [i, point] of curve.entries()) {
    if (point.accuracy < accuracy) continue;
    const before = curve[i - 1];
    if (before === undefined) return point.rankings;
    const part = (accuracy - before.accuracy) / (point.accuracy - before.accuracy);
    return before.rankings + part * (point.rankings - before.rankings);
  }
  return null;
}

/** What the two curves say, at the best accuracy that both of them reach. */
export interface Needs {
  accuracy: number;
  disagreement: number;
  random: number;
}

/** Null without points of both. */
export function rankingsNeeded(points: readonly RightPairPoint[]): Needs | null {
  const curves = [learningCurve(points, 'disagreement'), learningCurve(points, 'random')] as const;
  if (curves.some((curve) => curve.length === 0)) return null;
  const accuracy = Math.min(
    ...curves.map((curve) => Math.max(...curve.map((point) => point.accuracy))),
  );
  return {
    accuracy,
    disagreement: rankingsFor(curves[0], accuracy)!,
    random: rankingsFor(curves[1], accuracy)!,
  };
}

/** A difference of this part is as likely chance with one to three seeds. */
const CLEAR_PART = 0.1;

/** The same in a sentence, also where asking first gains nothing. */
export function needsInWords({ accuracy, disagreement, random }: Needs): string {
  const both = `To order ${Math.round(100 * accuracy)} % of the held-out pairs as the labeler does, ${Math.round(disagreement)} rankings are needed when disagreement chooses them and ${Math.round(random)} when chance does`;
  const saved = (random - disagreement) / random;
  if (saved > CLEAR_PART) return `${both}: ${Math.round(100 * saved)} % fewer.`;
  if (saved < -CLEAR_PART) return `${both}: here asking by disagreement does worse than chance.`;
  return `${both}: no gain here.`;
}
