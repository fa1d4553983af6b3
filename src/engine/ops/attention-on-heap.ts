/**
 * Attention as loops over the WebAssembly backend's memory, a head at a time in f64: nothing is computed
 * for later positions, and the log-sum-exp is saved as the WGSL kernels do (Dao et al. 2022).
 */
import type * as tf from '@tensorflow/tfjs-core';
import { up4 } from '../dispatch';
import { floats, heapTensor, integers } from '../heap';
import type { AttentionShape } from './attention';

/** Where the rows of one head lie: row t at `first + t · stride`. */
interface Place {
  first: number;
  stride: number;
}

/** What the loops over one head need: rows [T, W], W = head_dim rounded up to 4 with zeros, and [T, T]. */
class Head {
  private readonly T: number;
  private readonly headDim: number;
  private readonly W: number;

  constructor(T: number, headDim: number) {
    this.T = T;
    this.headDim = headDim;
    this.W = up4(headDim);
  }

  rows(): Float64Array {
    return new Float64Array(this.T * this.W);
  }

  square(): Float64Array {
    return new Float64Array(this.T * this.T);
  }

  /** rows = scale · those of a tensor. */
  take(rows: Float64Array, from: Float32Array, { first, stride }: Place, scale = 1): void {
    const { T, W, headDim } = this;
    for (let t = 0; t < T; t++) {
      for (let n = 0; n < headDim; n++) rows[t * W + n] = scale * from[first + t * stride + n]!;
    }
  }

  /** Adds rows to those of a tensor: several heads may share keys. */
  add(to: Float32Array, { first, stride }: Place, rows: Float64Array): void {
    const { T, W, headDim } = this;
    for (let t = 0; t < T; t++) {
      for (let n = 0; n < headDim; n++) to[first + t * stride + n]! += rows[t * W + n]!;
    }
  }

  /** products[t, j] = a[t] · b[j] for j ≤ t. Four sums at a time keep the processor busy. */
  products(products: Float64Array, a: Float64Array, b: Float64Array): void {
    const { T, W } = this;
    for (let t = 0; t < T; t++) {
      for (let j = 0; j <= t; j++) {
        let s0 = 0,
          s1 = 0,
          s2 = 0,
          s3 = 0;
        for (let x = t * W, y = j * W; x < (t + 1) * W; x += 4, y += 4) {
          s0 += a[x]! * b[y]!;
          s1 += a[x + 1]! * b[y + 1]!;
          s2 += a[x + 2]! * b[y + 2]!;
          s3 += a[x + 3]! * b[y + 3]!;
        }
        products[t * T + j] = s0 + s1 + (s2 + s3);
      }
    }
  }

  /** mixed[t] = Σ_{j ≤ t} shares[t, j] · rows[j]; from the other side Σ_{j ≥ t} shares[j, t] · rows[j]. */
  mix(mixed: Float64Array, shares: Float64Array, rows: Float64Array, side: 'own' | 'other'): void {
    const { T, W } = this;
    for (let t = 0; t < T; t++) {
      const [from, to] = side === 'own' ? [0, t + 1] : [t, T];
      const [start, step] = side === 'own' ? [t * T, 1] : [t * T + t, T];
      for (let n = 0; n < W; n += 4) {
        let s0 = 0,
          s1 = 0,
          s2 = 0,
          s3 = 0;
        for (let j = from, at = start; j < to; j++, at += step) {
          const share = shares[at]!;
          const x = j * W + n;
          s0 += share * rows[x]!;
          s1 += share * rows[x + 1]!;
          s2 += share * rows[x + 2]!;
          s3 += share * rows[x + 3]!;
        }
        const y = t * W + n;
        mixed[y] = s0;
        mixed[y + 1] = s1;
        mixed[y + 2] = s2;
        mixed[y + 3] = s3;
      }
    }
  }
}

/** Scores become shares that add up to 1; returns the log-sum-exp. The `count` numbers start at `from`. */
function softmax(scores: Float64Array, from: number, count: number): number {
  let most = -Infinity;
  for (let j = from; j < from + count; j++) most = Math.max(most, scores[j]!);
  let total = 0;
  for (let j = from; j < from + count; j++) {
    scores[j] = Math.exp(scores[j]! - most);
    total += scores[j]!;
  }
  for (let j = from; j < from + count; j++) scores[j]! /= total;
  return most + Math.log(total);
}

/** Runs over the heads: index of the head in [B, H], and where it and its keys lie. */
function* heads(
  { B, T, num_attention_heads: H, num_key_value_heads: KV }: AttentionShape,
  hd: number,
) {
  for (let b = 0; b < B; b++) {
    for (let h = 0; h < H; h++) {
      const own: Place = { first: (b * T * H + h) * hd, stride: H * hd };
      const kv = Math.floor((h * KV) / H);
      yield { index: b * H + h, own, keys: { first: (b * T * KV + kv) * hd, stride: KV * hd } };
    }
  }
}

/** As `attentionForward`: values [N, H·hd], log-sum-exp [B·H·T]. */
export function attentionForwardOnHeap(
  q: tf.Tensor2D,
  k: tf.Tensor2D,
  v: tf.Tensor2D,
  shape: AttentionShape,
): { out: tf.Tensor2D; lse: tf.Tensor1D } {
  const { B, T, num_attention_heads: H } = shape;
  const headDim = q.shape[1] / H;
  const out = heapTensor<tf.Rank.R2>(q.shape);
  const lse = heapTensor<tf.Rank.R1>([B * H * T]);
  const [outs, sums, queries, keys, values] = floats(out, lse, q, k, v);
  outs.fill(0);
  const head = new Head(T, headDim);
  const [Q, K, V, mixed] = [head.rows(), head.rows(), head.rows(), head.rows()];
  const shares = head.square();
  for (const at of heads(shape, headDim)) {
    head.take(Q, queries, at.own, 1 / Math.sqrt(headDim));
    head.take(K, keys, at.keys);
    head.take(V, values, at.keys);
    head.products(shares, Q, K);
    for (let t = 0; t < T; t++) sums[at.index * T + t] = softmax(shares, t * T, t + 1);
    head.mix(mixed, shares, V, 'own');
    head.add(outs, at.own, mixed);
  }
  return { out, lse };
}

/** As `attentionGrad`: [dq, dk, dv]. */
export function attentionGradOnHeap(
  dy: tf.Tensor2D,
  [q, k, v, , lse]: [tf.Tensor2D, tf.Tensor2D, tf.Tensor2D, tf.Tensor2D, tf.Tensor1D],
  shape: AttentionShape,
): [tf.Tensor2D, tf.Tensor2D, tf.Tensor2D] {
  const { T, num_attention_heads: H } = shape;
  const headDim = q.shape[1] / H;
  const scale = 1 / Math.sqrt(headDim);
  const gradients = [q, k, v].map((x) => heapTensor<tf.Rank.R2>(x.shape)) as [
    tf.Tensor2D,
    tf.Tensor2D,
    tf.Tensor2D,
  ];
  const [queries, keys, values, sums, dys] = floats(q, k, v, lse, dy);
  const [dqs, dks, dvs] = floats(...gradients);
  for (const gradient of [dqs, dks, dvs]) gradient.fill(0);
  const head = new Head(T, headDim);
  const [Q, K, V, dY, mixed] = [head.rows(), head.rows(), head.rows(), head.rows(), head.rows()];
  const [shares, dScores] = [head.square(), head.square()];
  for (const at of heads(shape, headDim)) {
    head.take(Q, queries, at.own, scale);
    head.take(K, keys, at.keys);
    head.take(V, values, at.keys);
    head.take(dY, dys, at.own);
    head.products(shares, Q, K);
    head.products(dScores, dY, V);
    for (let t = 0; t < T; t++) {
      const sum = sums[at.index * T + t]!;
      let mean = 0;
      for (let j = t * T; j <= t * T + t; j++) {
        shares[j] = Math.exp(shares[j]! - sum);
        mean += shares[j]! * dScores[j]!;
      }
      for (let j = t * T; j <= t * T + t; j++) dScores[j] = shares[j]! * (dScores[j]! - mean);
    }
    head.mix(mixed, shares, dY, 'other');
    head.add(dvs, at.keys, mixed);
    // Q has the scale in it, K has not.
    head.mix(mixed, dScores, Q, 'other');
    head.add(dks, at.keys, mixed);
    head.take(K, keys, at.keys, scale);
    head.mix(mixed, dScores, K, 'own');
    head.add(dqs, at.own, mixed);
  }
  return gradients;
}

/** As `cachedAttention`: q [B, H·hd] over keys and values [B, P, W] up to positions[b]. */
export function cachedAttentionOnHeap(
  q: tf.Tensor2D,
  { keys, values }: { keys: tf.Tensor3D; values: tf.Tensor3D },
  num_key_value_heads: number,
  positions: tf.Tensor1D,
): tf.Tensor2D {
  const [, P, stride] = keys.shape;
  const headDim = stride / num_key_value_heads;
  const H = q.shape[1] / headDim;
  const scale = 1 / Math.sqrt(headDim);
  const out = heapTensor<tf.Rank.R2>(q.shape);
  const [outs, queries, allKeys, allValues] = floats(out, q, keys, values);
  const shares = new Float64Array(P);
  integers(positions).forEach((last, b) => {
    for (let h = 0; h < H; h++) {
      const own = (b * H + h) * headDim;
      const first = b * P * stride + Math.floor((h * num_key_value_heads) / H) * headDim;
      for (let j = 0; j <= last; j++) {
        let sum = 0;
        for (let n = 0; n < headDim; n++)
          sum += queries[own + n]! * allKeys[first + j * stride + n]!;
        shares[j] = scale * sum;
      }
      softmax(shares, 0, last + 1);
      for (let n = 0; n < headDim; n++) {
        let sum = 0;
        for (let j = 0; j <= last; j++) sum += shares[j]! * allValues[first + j * stride + n]!;
        outs[own + n] = sum;
      }
    }
  });
  return out;
}
