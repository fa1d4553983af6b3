/**
 * Compares numbers with a reference and notes the outcome in the test's report, out of which
 * `write-parity.ts` makes docs/parity.md.
 */
import { expect } from 'vitest';

/** One comparison, as docs/parity.md shows it. */
export interface ParityRow {
  quantity: string;
  /** Where ours was computed: a backend, or plain TypeScript. */
  on: 'webgpu' | 'webgpu-shared' | 'wasm' | 'host';
  /** Whose function or formula the reference is. */
  source: string;
  /** How many numbers were compared. */
  count: number;
  /** Both numbers where they are farthest apart. */
  ours: number;
  reference: number;
  /** max |Δ| / scale. */
  difference: number;
  limit: number;
  /** Not relative: the difference in the quantity's own unit. */
  absolute: boolean;
  /** What PyTorch in float32 differs from the reference by, on the same measure. */
  float32?: number;
}

declare module 'vitest' {
  interface TaskMeta {
    parity?: ParityRow[];
    /** What computed on WebGPU. */
    adapter?: string;
  }
}

/** What a test hands over: its `task`. */
export interface ReportingTask {
  meta: { parity?: ParityRow[] };
}

export interface Comparison {
  quantity: string;
  on: ParityRow['on'];
  source: string;
  actual: number | ArrayLike<number>;
  expected: number | ArrayLike<number>;
  limit?: number;
  /**
   * What differences are divided by, one number or one for each; 'nothing' leaves them as they are.
   * By default the largest |expected|: a list is one quantity, and single numbers of it may be sums
   * that cancel, which no float32 has to 1e-5 of themselves.
   */
  over?: number | ArrayLike<number> | 'nothing';
  float32?: number;
}

/** Issue 5: ≤ 1e-5 relative. */
const LIMIT = 1e-5;

/** Notes the comparison in the report of the test, then expects it to keep its limit. */
export function parity(task: ReportingTask, given: Comparison): void {
  const actual = asList(given.actual);
  const expected = asList(given.expected);
  expect(actual.length, `${given.quantity}: how many numbers`).toBe(expected.length);
  expect(actual.length).toBeGreaterThan(0);
  const scaleAt = scaleOf(given.over, expected);
  let at = 0;
  let difference = -1;
  for (let i = 0; i < actual.length; i++) {
    const delta = Math.abs(actual[i]! - expected[i]!) / scaleAt(i);
    // NaN and 0/0: neither is agreement.
    const here = Number.isNaN(delta) ? Infinity : delta;
    if (here > difference) [at, difference] = [i, here];
  }
  const row: ParityRow = {
    quantity: given.quantity,
    on: given.on,
    source: given.source,
    count: expected.length,
    ours: actual[at]!,
    reference: expected[at]!,
    difference,
    limit: given.limit ?? LIMIT,
    absolute: given.over === 'nothing',
    ...(given.float32 !== undefined && { float32: given.float32 }),
  };
  (task.meta.parity ??= []).push(row);
  expect(row.difference, row.quantity).toBeLessThanOrEqual(row.limit);
}

function asList(x: number | ArrayLike<number>): ArrayLike<number> {
  return typeof x === 'number' ? [x] : x;
}

function scaleOf(over: Comparison['over'], expected: ArrayLike<number>): (i: number) => number {
  if (over === 'nothing') return () => 1;
  if (over !== undefined && typeof over !== 'number') return (i) => over[i]!;
  const largest = over ?? Array.from(expected).reduce((most, x) => Math.max(most, Math.abs(x)), 0);
  return () => largest;
}
