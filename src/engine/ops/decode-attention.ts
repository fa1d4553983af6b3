/** Attention of the newest token of each sequence over its cache. */
import * as tf from '@tensorflow/tfjs-core';
import { dispatch, emptyTensor, useKernels } from '../dispatch';
import { onHeap } from '../heap';
import kernel from '../kernels/decode-attention.wgsl?raw';
import workgroupKernel from '../kernels/decode-attention-workgroup.wgsl?raw';
import { cachedAttentionOnHeap } from './attention-on-heap';
import type { KeyValueCache } from './kv-cache';
import { RowKernel } from './row-kernel';

const heads = new RowKernel('decode-attention', kernel, 32, workgroupKernel);
/** Wider heads would not fit into the 16 KiB of workgroup memory that every device has. */
const MAX_SHARED_HEAD = 112;

/**
 * softmax(q·Kᵀ/√hd)·V over positions 0 … positions[b] of layer `index`. No gradient.
 * @param q rotated queries [B, H·hd]
 * @param positions int32 [B]
 * @returns [B, H·hd]
 */
export function cachedAttention(
  q: tf.Tensor2D,
  cache: KeyValueCache,
  index: number,
  positions: tf.Tensor1D,
): tf.Tensor2D {
  const { keys, values } = cache.layer(index);
  const [B, P, W] = keys.shape;
  const KV = cache.num_key_value_heads;
  if (onHeap()) return cachedAttentionOnHeap(q, { keys, values }, KV, positions);
  const headDim = W / KV;
  const H = q.shape[1] / headDim;
  if (!useKernels('decode-attention') || headDim % 4 !== 0)
    return reference(q, cache, index, positions, H);
  const attended = emptyTensor<tf.Rank.R2>([B, H * headDim]);
  dispatch({
    label: 'decode-attention',
    ...(headDim > MAX_SHARED_HEAD ? heads.alone(B * H) : heads.forRows(B * H)),
    defines: { HEADS: H, KV_HEADS: KV, HEAD4: headDim / 4 },
    buffers: [attended, q, keys, values, positions],
    uniforms: [B, P],
  });
  return attended;
}

function reference(
  q: tf.Tensor2D,
  cache: KeyValueCache,
  index: number,
  positions: tf.Tensor1D,
  H: number,
): tf.Tensor2D {
  const { keys, values } = cache.layer(index);
  const [B, P, W] = keys.shape;
  const KV = cache.num_key_value_heads;
  const hd = W / KV;
  const group = H / KV;
  // Heads that share keys stand together: [B, KV, group, hd].
  const query = tf.reshape(q, [B * KV, group, hd]);
  const byHead = (x: tf.Tensor3D, axes: number[], shape: [number, number, number]) =>
    tf.reshape(tf.transpose(tf.reshape(x, [B, P, KV, hd]), axes), shape);
  const scores = tf.matMul(query, byHead(keys, [0, 2, 3, 1], [B * KV, hd, P]));
  // −1e9 for positions beyond the sequence's own: their weight is exactly 0 in f32.
  const beyond = tf.greater(
    tf.reshape(tf.range(0, P, 1, 'int32'), [1, P]),
    tf.reshape(positions, [B, 1]),
  );
  const hidden = tf.mul(tf.cast(beyond, 'float32'), -1e9);
  const masked = tf.add(
    tf.reshape(tf.mul(scores, 1 / Math.sqrt(hd)), [B, KV * group, P]),
    tf.reshape(hidden, [B, 1, P]),
  );
  const weights = tf.reshape(tf.softmax(masked), [B * KV, group, P]);
  const attended = tf.matMul(weights, byHead(values, [0, 2, 1, 3], [B * KV, P, hd]));
  return tf.reshape(attended, [B, H * hd]);
}
