/** Rotary position embedding (Su et al. 2021) in Hugging Face's rotate_half form. */
import * as tf from '@tensorflow/tfjs-core';
import { dispatch, elementGroups, emptyTensor, f32Bits, useKernels } from '../dispatch';
import { floats, heapTensor, integers, onHeap } from '../heap';
import ropeKernel from '../kernels/rope.wgsl?raw';
import { withGradient } from '../with-gradient';

/** cos and sin of position · theta^(−2i/hd), each [P, hd/2]. */
export interface RopeTable {
  cos: tf.Tensor2D;
  sin: tf.Tensor2D;
}

/** Where the position of a row comes from; the uniforms follow the last tensor. */
const inRowKernel = `@group(0) @binding(4) var<uniform> size: Size;
fn position(row: u32) -> u32 { return row % size.T; }
${ropeKernel}`;
const givenKernel = `@group(0) @binding(4) var<storage, read> positions: array<u32>;
@group(0) @binding(5) var<uniform> size: Size;
fn position(row: u32) -> u32 { return positions[row]; }
${ropeKernel}`;

/**
 * The angles for positions 0 … maxPositions − 1, computed in f64: an f32 product of a late
 * position and its frequency is off by more than an f32 cosine.
 */
export function ropeTable(maxPositions: number, headDim: number, theta: number): RopeTable {
  const half = headDim / 2;
  const cos = new Float32Array(maxPositions * half);
  const sin = new Float32Array(maxPositions * half);
  for (let p = 0; p < maxPositions; p++) {
    for (let i = 0; i < half; i++) {
      const angle = p * theta ** ((-2 * i) / headDim);
      cos[p * half + i] = Math.cos(angle);
      sin[p * half + i] = Math.sin(angle);
    }
  }
  return {
    cos: tf.tensor2d(cos, [maxPositions, half]),
    sin: tf.tensor2d(sin, [maxPositions, half]),
  };
}

/**
 * The kernel by itself: every head of x [N, H·hd] turned by the position of its row, which is row % T
 * or given; sign −1 turns back, which is the gradient.
 */
export function rotate(
  x: tf.Tensor,
  { cos, sin }: RopeTable,
  headDim: number,
  where: { T: number; positions?: tf.Tensor1D },
  sign: 1 | -1,
): tf.Tensor2D {
  if (onHeap()) return rotateOnHeap(x, { cos, sin }, headDim, where, sign);
  const [rows, width] = x.shape as [number, number];
  const y = emptyTensor<tf.Rank.R2>([rows, width]);
  const { T, positions } = where;
  dispatch({
    label: positions === undefined ? 'rope' : 'rope-at',
    code: positions === undefined ? inRowKernel : givenKernel,
    constants: { HEADS: width / headDim, HALF: headDim / 2 },
    buffers: positions === undefined ? [y, x, cos, sin] : [y, x, cos, sin, positions],
    uniforms: [rows, T, f32Bits(sign)],
    groups: elementGroups((rows * width) / 2, 64),
  });
  return y;
}

/** `rotate` as a loop over the WebAssembly backend's memory. */
function rotateOnHeap(
  x: tf.Tensor,
  table: RopeTable,
  headDim: number,
  { T, positions }: { T: number; positions?: tf.Tensor1D },
  sign: 1 | -1,
): tf.Tensor2D {
  const [rows, width] = x.shape as [number, number];
  const half = headDim / 2;
  const y = heapTensor<tf.Rank.R2>([rows, width]);
  const [to, from, cos, sin] = floats(y, x, table.cos, table.sin);
  const given = positions && integers(positions);
  for (let row = 0; row < rows; row++) {
    const angles = half * (given === undefined ? row % T : given[row]!);
    for (let head = row * width; head < (row + 1) * width; head += headDim) {
      for (let i = 0; i < half; i++) {
        const c = cos[angles + i]!;
        const s = sign * sin[angles + i]!;
        const a = from[head + i]!;
        const b = from[head + half + i]!;
        to[head + i] = a * c - b * s;
        to[head + half + i] = b * c + a * s;
      }
    }
  }
  return y;
}

/** x [R, P, H, hd] with cos and sin broadcast to [R, P, 1, hd/2]. */
function rotateReference(x: tf.Tensor4D, cos: tf.Tensor, sin: tf.Tensor): tf.Tensor4D {
  const [a, b] = tf.split(x, 2, 3) as [tf.Tensor4D, tf.Tensor4D];
  const first = tf.sub(tf.mul(a, cos), tf.mul(b, sin));
  const second = tf.add(tf.mul(b, cos), tf.mul(a, sin));
  return tf.concat([first, second], 3) as tf.Tensor4D;
}

/** `rope` from stock tfjs ops. */
export function ropeReference(
  x: tf.Tensor2D,
  table: RopeTable,
  headDim: number,
  T: number,
): tf.Tensor2D {
  return tf.tidy(() => {
    const [N, width] = x.shape;
    const half = headDim / 2;
    const angles = (t: tf.Tensor2D): tf.Tensor => tf.reshape(tf.slice(t, 0, T), [1, T, 1, half]);
    const heads = tf.reshape<tf.Rank.R4>(x, [N / T, T, width / headDim, headDim]);
    const turned = rotateReference(heads, angles(table.cos), angles(table.sin));
    return tf.reshape<tf.Rank.R2>(turned, [N, width]);
  });
}

/** `ropeAt` from stock tfjs ops. */
export function ropeAtReference(
  x: tf.Tensor2D,
  table: RopeTable,
  headDim: number,
  positions: tf.Tensor1D,
): tf.Tensor2D {
  return tf.tidy(() => {
    const [B, width] = x.shape;
    const half = headDim / 2;
    const angles = (t: tf.Tensor2D): tf.Tensor =>
      tf.reshape(tf.gather(t, positions), [B, 1, 1, half]);
    const heads = tf.reshape<tf.Rank.R4>(x, [B, 1, width / headDim, headDim]);
    const turned = rotateReference(heads, angles(table.cos), angles(table.sin));
    return tf.reshape<tf.Rank.R2>(turned, [B, width]);
  });
}

/**
 * x [N, H·hd] → the same shape, every head turned by its position, which is row % T. T must not be
 * over the table's positions. Gradient for x.
 */
export function rope(x: tf.Tensor2D, table: RopeTable, headDim: number, T: number): tf.Tensor2D {
  const known = table.cos.shape[0];
  tf.util.assert(T <= known, () => `rope: ${T} positions, but the table has ${known}`);
  if (!useKernels() && !onHeap()) return ropeReference(x, table, headDim, T);
  return withGradient(
    [x],
    () => ({ value: rotate(x, table, headDim, { T }, 1), saved: [table.cos, table.sin] }),
    (dy, [cos, sin]) => [rotate(dy, { cos, sin }, headDim, { T }, -1)],
  );
}

/** x [B, H·hd] → row b turned by positions[b] (int32 [B]). For decoding: no gradient. */
export function ropeAt(
  x: tf.Tensor2D,
  table: RopeTable,
  headDim: number,
  positions: tf.Tensor1D,
): tf.Tensor2D {
  if (!useKernels() && !onHeap()) return ropeAtReference(x, table, headDim, positions);
  return rotate(x, table, headDim, { T: 1, positions }, 1);
}
