/** Keys and values of the tokens read so far, one ragged sequence per row. */
import * as tf from '@tensorflow/tfjs-core';
import type { ModelConfig } from '../../core/domain';
import { dispatch, elementGroups, markWritten, useKernels } from '../dispatch';
import { floats, integers, onHeap } from '../heap';
import kernel from '../kernels/kv-append.wgsl?raw';

/**
 * [B, P, W] keys (already rotated) and values for each layer, W = KV heads · head_dim. A sequence
 * writes at its own position, so prompts of different lengths need no padding on the left; what
 * stands beyond a sequence's position is never read. No gradients.
 */
export class KeyValueCache {
  readonly B: number;
  /** P, the longest sequence in tokens. */
  readonly capacity: number;
  readonly num_key_value_heads: number;
  private readonly W: number;
  private readonly keys: tf.Tensor3D[];
  private readonly values: tf.Tensor3D[];
  private readonly start: tf.Tensor1D;

  constructor(
    config: Pick<
      ModelConfig,
      'hidden_size' | 'num_attention_heads' | 'num_key_value_heads' | 'num_hidden_layers'
    >,
    B: number,
    capacity: number,
  ) {
    this.B = B;
    this.capacity = capacity;
    this.num_key_value_heads = config.num_key_value_heads;
    this.W = (config.hidden_size / config.num_attention_heads) * config.num_key_value_heads;
    const zeros = () => tf.keep(tf.zeros<tf.Rank.R3>([B, capacity, this.W]));
    this.keys = Array.from({ length: config.num_hidden_layers }, zeros);
    this.values = Array.from({ length: config.num_hidden_layers }, zeros);
    this.start = tf.keep(tf.zeros<tf.Rank.R1>([B], 'int32'));
  }

  /** The cache of one layer: keys and values [B, P, W]. */
  layer(index: number): { keys: tf.Tensor3D; values: tf.Tensor3D } {
    return { keys: this.keys[index]!, values: this.values[index]! };
  }

  /** Writes k, v [B·T, W] at positions 0 … T−1 of every sequence. */
  fill(index: number, k: tf.Tensor2D, v: tf.Tensor2D, T: number): void {
    if (useKernels() || onHeap()) return this.write(index, k, v, T, this.start);
    const padded = (x: tf.Tensor2D) =>
      tf.pad(tf.reshape<tf.Rank.R3>(x, [this.B, T, this.W]), [
        [0, 0],
        [0, this.capacity - T],
        [0, 0],
      ]);
    this.replace(index, padded(k), padded(v));
  }

  /** Writes one row k, v [B, W] per sequence at `positions` int32 [B]. */
  append(index: number, k: tf.Tensor2D, v: tf.Tensor2D, positions: tf.Tensor1D): void {
    if (useKernels() || onHeap()) return this.write(index, k, v, 1, positions);
    const { B, capacity, W } = this;
    const here = tf.reshape(tf.cast(tf.oneHot(positions, capacity), 'float32'), [B, capacity, 1]);
    const elsewhere = tf.sub(1, here);
    const { keys, values } = this.layer(index);
    const put = (cache: tf.Tensor3D, row: tf.Tensor2D): tf.Tensor3D =>
      tf.add(tf.mul(cache, elsewhere), tf.mul(tf.reshape(row, [B, 1, W]), here));
    this.replace(index, put(keys, k), put(values, v));
  }

  dispose(): void {
    tf.dispose([this.keys, this.values, this.start]);
  }

  /** Writes T rows of each sequence in place, from its position in `start` int32 [B]. */
  private write(
    index: number,
    k: tf.Tensor2D,
    v: tf.Tensor2D,
    T: number,
    start: tf.Tensor1D,
  ): void {
    const { keys, values } = this.layer(index);
    if (onHeap()) {
      const [allKeys, allValues, newKeys, newValues] = floats(keys, values, k, v);
      const size = T * this.W;
      integers(start).forEach((position, b) => {
        const at = (b * this.capacity + position) * this.W;
        allKeys.set(newKeys.subarray(b * size, (b + 1) * size), at);
        allValues.set(newValues.subarray(b * size, (b + 1) * size), at);
      });
      return;
    }
    const count = this.B * T * this.W;
    dispatch({
      label: 'kv-append',
      code: kernel,
      buffers: [keys, values, k, v, start],
      uniforms: [count, T, this.capacity, this.W],
      groups: elementGroups(count, 64),
    });
    markWritten(keys);
    markWritten(values);
  }

  private replace(index: number, keys: tf.Tensor3D, values: tf.Tensor3D): void {
    tf.dispose([this.keys[index]!, this.values[index]!]);
    this.keys[index] = tf.keep(keys);
    this.values[index] = tf.keep(values);
  }
}
