/** The same work by several sides, as rows: what all parts of the benchmark do. */
import { interleave, reason, type Timing } from '../measure';
import type { Contender, Row, Timed } from '../work';

export interface Part {
  rows: Row[];
  /** Sides without a row, and why. */
  problems: string[];
}

export interface Comparison {
  name: string;
  config: Row['config'];
  /** Tokens that one run processes or writes; null where there are none. */
  tokens: number | null;
  rounds: number;
  /** Sets the work up; undefined when the side cannot do it. */
  prepare: (side: Contender) => Promise<Timed> | undefined;
  /** What else the row says. */
  more?: (timing: Timing, side: Contender) => Partial<Row>;
}

/** Models that start from the same weights: f32 sums in another order differ less than this. */
const LOSS_TOLERANCE = 1e-3;

/**
 * Times all sides that can do the work; the first one is the measure of the ratios.
 * @throws Error when two sides that train the same model do not start with the same loss: they would
 *   not have done the same work
 */
export async function compare(
  sides: readonly Contender[],
  { name, config, tokens, rounds, prepare, more }: Comparison,
): Promise<Part> {
  const problems: string[] = [];
  const ready: { side: Contender; work: Timed }[] = [];
  try {
    for (const side of sides) {
      try {
        const work = await prepare(side);
        if (work !== undefined) ready.push({ side, work });
      } catch (thrown) {
        problems.push(`${name}, ${side.impl}: ${reason(thrown)}`);
      }
    }
    const results = await interleave(
      ready.map(({ work }) => work),
      rounds,
    );
    const rows: Row[] = [];
    results.forEach((result, i) => {
      const { side } = ready[i]!;
      if ('problem' in result) {
        problems.push(`${name}, ${side.impl}: ${result.problem}`);
        return;
      }
      const { ms, fastest, slowest, first } = result;
      rows.push({
        name,
        impl: side.impl,
        config,
        ms,
        tokens_per_s: tokens === null ? null : (tokens * 1000) / ms,
        ratio: ms / (rows[0]?.ms ?? ms),
        fastest,
        slowest,
        rounds: result.rounds,
        ...(first !== undefined && { loss: first }),
        ...(side.model !== undefined && { note: side.model }),
        ...more?.(result, side),
      });
    });
    checkLosses(rows);
    return { rows, problems };
  } finally {
    for (const { work } of ready) work.dispose();
  }
}

function checkLosses(rows: readonly Row[]): void {
  const [first, ...others] = rows.filter((row) => row.loss !== undefined && row.note === undefined);
  for (const { impl, loss } of others) {
    if (Math.abs(loss! - first!.loss!) <= LOSS_TOLERANCE * first!.loss!) continue;
    throw new Error(`${impl} starts with loss ${loss}, ${first!.impl} with ${first!.loss}`);
  }
}

/** Several parts as one. */
export function joined(parts: readonly Part[]): Part {
  return {
    rows: parts.flatMap(({ rows }) => rows),
    problems: parts.flatMap(({ problems }) => problems),
  };
}
