/**
 * Estimates with intervals from drawing prompts again. A measure is a function of sums over prompts,
 * so a redrawn sample costs one addition for each prompt and number.
 */
import { STREAM, threefry2x32 } from './rng';
import type { Sliced } from './slices';

/** A measure with the range in which 95 % of redrawn data put it; null where nothing can be said. */
export interface Estimate {
  value: number | null;
  low: number | null;
  high: number | null;
  /** What it rests on: pairs of completions, or sets. */
  count: number;
}

/** What a measure is made of. */
export interface Statistic {
  /** Numbers for each prompt. */
  width: number;
  /** [prompts, width], row-major. */
  byPrompt: Float64Array;
  value: (sums: Float64Array) => number | null;
  count: (sums: Float64Array) => number;
}

/** Redrawn samples of the prompts. */
const REDRAWS = 400;
/** Additions between two interruptions, about a millisecond. */
const ADDITIONS = 200_000;

/**
 * A measure, with the middle 95 % of its values when as many prompts are drawn again, with
 * replacement: sets of one prompt are alike, so single sets would look too certain.
 */
export function* estimate(
  { width, byPrompt, value, count }: Statistic,
  seed: number,
): Sliced<Estimate> {
  const prompts = byPrompt.length / width;
  const total = new Float64Array(width);
  for (let i = 0; i < byPrompt.length; i++) total[i % width]! += byPrompt[i]!;
  const drawn: number[] = [];
  const sums = new Float64Array(width);
  const times = new Uint16Array(prompts);
  let additions = 0;
  for (let redraw = 0; prompts > 1 && redraw < REDRAWS; redraw++) {
    sums.fill(0);
    const draw = generator(seed, redraw);
    // how often each prompt is drawn, then one walk through memory: a third of them is not drawn at all
    times.fill(0);
    for (let i = 0; i < prompts; i++) times[Math.floor(draw() * prompts)]! += 1;
    for (let prompt = 0; prompt < prompts; prompt++) {
      const n = times[prompt]!;
      if (n === 0) continue;
      const at = prompt * width;
      for (let w = 0; w < width; w++) sums[w]! += n * byPrompt[at + w]!;
    }
    const x = value(sums);
    if (x !== null) drawn.push(x);
    additions += prompts * width;
    if (additions < ADDITIONS) continue;
    additions = 0;
    yield;
  }
  drawn.sort((a, b) => a - b);
  const at = (share: number): number | null =>
    drawn.length === 0 ? null : drawn[Math.round(share * (drawn.length - 1))]!;
  return { value: value(total), low: at(0.025), high: at(0.975), count: count(total) };
}

/**
 * Uniform draws in [0, 1): a xorshift and a Weyl sequence added up (Marsaglia 2003, "Xorshift RNGs",
 * xorwow with a shorter register), seeded by one Threefry block for each redraw. A block for each of a
 * million draws would take many times as long.
 */
function generator(seed: number, redraw: number): () => number {
  const [a, b] = threefry2x32(seed, STREAM.bootstrap, redraw, 0);
  let state = a | 1;
  let counter = b;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    counter = (counter + 362437) | 0;
    return ((state + counter) >>> 0) * 2 ** -32;
  };
}
