/**
 * One counter-based random number generator for everything: Threefry-2x32, 20 rounds
 * (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3"; the generator of JAX).
 * A draw is a pure function of (seed, stream, index, sub): there is no hidden state to save, so a
 * resumed run draws what the uninterrupted one would have drawn. Only 32-bit adds, rotations and
 * xors are used, so `kernels/threefry.wgsl` computes the same bits on the GPU.
 */

/** Streams keep draws of different purposes apart. Append only: numbers are part of saved runs. */
export const STREAM = {
  weights: 1,
  head: 2,
  order: 3,
  sampling: 4,
  prompts: 5,
  display: 6,
  split: 7,
  labeler: 8,
  corpus: 9,
  dropout: 10,
  pretraining: 11,
  bootstrap: 12,
  repeats: 13,
} as const;

const ROTATIONS = [
  [13, 15, 26, 6],
  [17, 29, 16, 24],
] as const;

const rotateLeft = (x: number, bits: number) => (x << bits) | (x >>> (32 - bits));

/**
 * Threefry-2x32 with 20 rounds. All arguments and results are unsigned 32-bit integers.
 * Known answers: Random123 `kat_vectors` (see tests/unit/core/rng.test.ts).
 */
export function threefry2x32(k0: number, k1: number, c0: number, c1: number): [number, number] {
  const keys = [k0 | 0, k1 | 0, (k0 ^ k1 ^ 0x1bd11bda) | 0];
  let x0 = (c0 + keys[0]!) | 0;
  let x1 = (c1 + keys[1]!) | 0;
  for (let group = 0; group < 5; group++) {
    for (const bits of ROTATIONS[group % 2]!) {
      x0 = (x0 + x1) | 0;
      x1 = rotateLeft(x1, bits) ^ x0;
    }
    x0 = (x0 + keys[(group + 1) % 3]!) | 0;
    x1 = (x1 + keys[(group + 2) % 3]! + group + 1) | 0;
  }
  return [x0 >>> 0, x1 >>> 0];
}

/** A uniform draw in [0, 1) with 24 bits, so that it is exact in f32 and equal on the GPU. */
export function uniform(seed: number, stream: number, index: number, sub = 0): number {
  return (threefry2x32(seed, stream, index, sub)[0] >>> 8) * 2 ** -24;
}

/** A standard normal draw (Box–Muller). */
export function gaussian(seed: number, stream: number, index: number, sub = 0): number {
  const [a, b] = threefry2x32(seed, stream, index, sub);
  const radius = Math.sqrt(-2 * Math.log(((a >>> 8) + 1) * 2 ** -24));
  return radius * Math.cos(2 * Math.PI * (b >>> 8) * 2 ** -24);
}

/** A uniform integer in [0, n). */
export function randomInt(n: number, seed: number, stream: number, index: number, sub = 0): number {
  return Math.floor(uniform(seed, stream, index, sub) * n);
}

/** A random permutation of 0 … n−1 (Fisher–Yates); `round` tells epochs or iterations apart. */
export function permutation(n: number, seed: number, stream: number, round = 0): number[] {
  const order = Array.from({ length: n }, (_, i) => i);
  for (let i = n - 1; i > 0; i--) {
    const j = randomInt(i + 1, seed, stream, i, round);
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}

/** A 32-bit seed from text (FNV-1a), for seeds that people type as words. */
export function hashText(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) {
    hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  }
  return hash >>> 0;
}
