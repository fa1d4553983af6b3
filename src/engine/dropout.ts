/** Residual dropout (Vaswani et al. 2017, section 5.4), repeatable: masks are a function of (seed, step). */
import * as tf from '@tensorflow/tfjs-core';
import { STREAM, uniform } from '../core/rng';

export interface Dropout {
  /** Share that is left out, 0 … < 1. */
  p: number;
  seed: number;
  /** Step or iteration: each has masks of its own. */
  step: number;
}

/** More halves than any model has: keeps the masks of two steps apart. */
const HALVES = 1024;

/** before + mask·(after − before)/(1 − p): drops from what half `half` of a block has added; [N, C]. */
export function dropAdded(
  before: tf.Tensor2D,
  after: tf.Tensor2D,
  { p, seed, step }: Dropout,
  half: number,
): tf.Tensor2D {
  const kept = 1 / (1 - p);
  const mask = Float32Array.from({ length: after.size }, (_, i) =>
    uniform(seed, STREAM.dropout, i, step * HALVES + half) < p ? 0 : kept,
  );
  return tf.add(before, tf.mul(tf.sub(after, before), tf.tensor2d(mask, after.shape)));
}
