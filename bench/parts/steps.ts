/** Training steps: the comparison, the fallback backends, and how a step grows with its sizes. */
import type { PresetName } from '../../src/core/presets';
import { stepFlops } from '../flops';
import { describe, SIZES, type Contender, type Work } from '../work';
import { compare, joined, type Part } from './compare';

/** Batch and context of the comparison. */
export const STEP: Work = { size: 'main', B: 16, T: 64 };

/** One training step of every side; each ends when its loss has been read back. */
export function stepRows(
  sides: readonly Contender[],
  rounds: number,
  work: Work = STEP,
  name = 'training step',
): Promise<Part> {
  const { size, B, T } = work;
  const flops = stepFlops(SIZES[size], B, T);
  return compare(sides, {
    name,
    config: { ...describe(size), B, T },
    tokens: B * T,
    rounds,
    prepare: (side) => side.trainingStep?.(work),
    more: ({ ms }, { model }) => (model === undefined ? { gflops_per_s: flops / ms / 1e6 } : {}),
  });
}

/** Contexts and batches that the scaling rows step through, around the comparison's. */
const CONTEXTS = [16, 32, 128, 256];
const BATCHES = [1, 4, 64];

/** A step of ours at other sizes; ratios are against the comparison's own size. */
export async function scalingRows(
  ours: Contender,
  presets: readonly PresetName[],
  rounds: number,
): Promise<Part> {
  const works: [name: string, work: Work][] = [
    ['scaling', STEP],
    ...presets.map((size): [string, Work] => ['scaling, parameters', { ...STEP, size }]),
    ...CONTEXTS.map((T): [string, Work] => ['scaling, context', { ...STEP, T }]),
    ...BATCHES.map((B): [string, Work] => ['scaling, batch', { ...STEP, B }]),
  ];
  const parts: Part[] = [];
  for (const [name, work] of works) parts.push(await stepRows([ours], rounds, work, name));
  const all = joined(parts);
  const base = all.rows[0]?.ms ?? NaN;
  return { ...all, rows: all.rows.map((row) => ({ ...row, ratio: row.ms / base })) };
}
