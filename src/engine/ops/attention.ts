/** Causal self-attention with grouped key-value heads (GQA, Ainslie et al. 2023). */
import * as tf from '@tensorflow/tfjs-core';
import { dispatch, emptyTensor, useKernels } from '../dispatch';
import sharedForwardKernel from '../kernels/attention-forward-shared.wgsl?raw';
import forwardKernel from '../kernels/attention-forward.wgsl?raw';
import sharedGradKeyValueKernel from '../kernels/attention-grad-key-value-shared.wgsl?raw';
import gradKeyValueKernel from '../kernels/attention-grad-key-value.wgsl?raw';
import sharedGradQueryKernel from '../kernels/attention-grad-query-shared.wgsl?raw';
import gradQueryKernel from '../kernels/attention-grad-query.wgsl?raw';
import { onHeap } from '../heap';
import { variantOf } from '../variants';
import { withGradient } from '../with-gradient';
import { attentionForwardOnHeap, attentionGradOnHeap } from './attention-on-heap';

export interface AttentionShape {
  B: number;
  T: number;
  num_attention_heads: number;
  /** Divides num_attention_heads; head h reads key-value head ⌊h · KV / H⌋. */
  num_key_value_heads: number;
}

/** Kernels by variant: `registers` takes 16 × 4 positions in a workgroup, `shared` 64 of one head. */
const KERNELS = {
  registers: {
    forward: forwardKernel,
    gradQuery: gradQueryKernel,
    gradKeyValue: gradKeyValueKernel,
  },
  shared: {
    forward: sharedForwardKernel,
    gradQuery: sharedGradQueryKernel,
    gradKeyValue: sharedGradKeyValueKernel,
  },
};
/** Added to the scores of later positions: exp of it is 0, and no infinity enters a product. */
const MASKED = -1e9;

/** Wider heads would not fit into the 16 KiB of workgroup memory that every device has. */
const MAX_SHARED_HEAD = 128;

/** What the three kernels have in common; `groups` gives workgroups for all positions of some heads. */
function program(headDim: number, shape: AttentionShape) {
  const shared = variantOf('attention') === 'shared' && headDim <= MAX_SHARED_HEAD;
  const { B, T } = shape;
  const groups = (heads: number): [number, number?, number?] =>
    shared ? [Math.ceil(T / 64), heads, B] : [Math.ceil((B * heads * Math.ceil(T / 4)) / 16)];
  return {
    kernels: KERNELS[shared ? 'shared' : 'registers'],
    groups,
    common: common(headDim, shape),
  };
}

function common(headDim: number, shape: AttentionShape) {
  return {
    defines: { D4: headDim / 4 },
    constants: {
      HEADS: shape.num_attention_heads,
      KV_HEADS: shape.num_key_value_heads,
      SCALE: 1 / Math.sqrt(headDim),
    },
    uniforms: [shape.B, shape.T],
  };
}

/** The kernel by itself: values [N, H·hd] and the log-sum-exp of the scores of each query [B·H·T]. */
export function attentionForward(
  q: tf.Tensor,
  k: tf.Tensor,
  v: tf.Tensor,
  shape: AttentionShape,
): { out: tf.Tensor2D; lse: tf.Tensor1D } {
  const { B, T, num_attention_heads: H } = shape;
  const out = emptyTensor<tf.Rank.R2>(q.shape as [number, number]);
  const lse = emptyTensor<tf.Rank.R1>([B * H * T]);
  const { kernels, groups, common } = program(q.shape[1]! / H, shape);
  dispatch({
    label: 'attention-forward',
    code: kernels.forward,
    ...common,
    buffers: [out, lse, q, k, v],
    groups: groups(H),
  });
  return { out, lse };
}

/** [dq, dk, dv] from what `attentionForward` was given and gave. */
export function attentionGrad(
  dy: tf.Tensor,
  [q, k, v, out, lse]: [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor],
  shape: AttentionShape,
): [tf.Tensor2D, tf.Tensor2D, tf.Tensor2D] {
  const { B, T, num_attention_heads: H, num_key_value_heads: KV } = shape;
  const { kernels, groups, common } = program(q.shape[1]! / H, shape);
  const dq = emptyTensor<tf.Rank.R2>(q.shape as [number, number]);
  const stats = emptyTensor<tf.Rank.R2>([B * H * T, 2]);
  dispatch({
    label: 'attention-grad-query',
    code: kernels.gradQuery,
    ...common,
    buffers: [dq, stats, q, k, v, out, dy, lse],
    groups: groups(H),
  });
  const dk = emptyTensor<tf.Rank.R2>(k.shape as [number, number]);
  const dv = emptyTensor<tf.Rank.R2>(v.shape as [number, number]);
  dispatch({
    label: 'attention-grad-key-value',
    code: kernels.gradKeyValue,
    ...common,
    buffers: [dk, dv, q, k, v, dy, stats],
    groups: groups(KV),
  });
  return [dq, dk, dv];
}

/** a [G, I, J] · b [G, J, K] with explicit transposes in the gradient. */
function batchMatMul(a: tf.Tensor3D, b: tf.Tensor3D): tf.Tensor3D {
  return withGradient(
    [a, b],
    () => ({ value: tf.matMul(a, b), saved: [a, b] }),
    (dy, [aSaved, bSaved]) => [
      tf.matMul(dy, tf.transpose(bSaved, [0, 2, 1])),
      tf.matMul(tf.transpose(aSaved, [0, 2, 1]), dy),
    ],
  );
}

/** The same from stock tfjs ops, with the [T, T] matrix of scores. */
export function causalAttentionReference(
  q: tf.Tensor2D,
  k: tf.Tensor2D,
  v: tf.Tensor2D,
  { B, T, num_attention_heads: H, num_key_value_heads: KV }: AttentionShape,
): tf.Tensor2D {
  return tf.tidy(() => {
    const headDim = q.shape[1] / H;
    const G = H / KV;
    // Heads that share keys become further rows of one matmul: [B·KV, G·T, hd].
    const queries = tf.reshape<tf.Rank.R3>(
      tf.transpose(tf.reshape(q, [B, T, KV, G, headDim]), [0, 2, 3, 1, 4]),
      [B * KV, G * T, headDim],
    );
    const keys = tf.reshape<tf.Rank.R3>(
      tf.transpose(tf.reshape(k, [B, T, KV, headDim]), [0, 2, 3, 1]),
      [B * KV, headDim, T],
    );
    const values = tf.reshape<tf.Rank.R3>(
      tf.transpose(tf.reshape(v, [B, T, KV, headDim]), [0, 2, 1, 3]),
      [B * KV, T, headDim],
    );
    const later = new Float32Array(T * T);
    for (let t = 0; t < T; t++) later.fill(MASKED, t * T + t + 1, (t + 1) * T);

    const scores = tf.mul(batchMatMul(queries, keys), 1 / Math.sqrt(headDim));
    const masked = tf.add(tf.reshape(scores, [B * H, T, T]), tf.tensor3d(later, [1, T, T]));
    const shares = tf.reshape<tf.Rank.R3>(tf.softmax(masked), [B * KV, G * T, T]);
    const mixed = tf.reshape(batchMatMul(shares, values), [B, KV, G, T, headDim]);
    return tf.reshape<tf.Rank.R2>(tf.transpose(mixed, [0, 3, 1, 2, 4]), [B * T, H * headDim]);
  });
}

/**
 * q [N, H·hd], k and v [N, KV·hd], N = B·T, positions already rotated in → [N, H·hd]: for each head
 * softmax(q·kᵀ / √hd) over the positions up to its own, times v. Gradients for q, k and v. The WGSL
 * kernels need hd to be a multiple of 4; other sizes go through the reference.
 */
export function causalAttention(
  q: tf.Tensor2D,
  k: tf.Tensor2D,
  v: tf.Tensor2D,
  shape: AttentionShape,
): tf.Tensor2D {
  const headDim = q.shape[1] / shape.num_attention_heads;
  const kernels = useKernels('attention') && headDim % 4 === 0;
  if (!kernels && !onHeap()) return causalAttentionReference(q, k, v, shape);
  const [forward, grad] = kernels
    ? [attentionForward, attentionGrad]
    : [attentionForwardOnHeap, attentionGradOnHeap];
  return withGradient(
    [q, k, v],
    () => {
      const { out, lse } = forward(q, k, v, shape);
      return { value: out, saved: [q, k, v, out, lse] };
    },
    (dy, saved) => grad(dy, saved, shape),
  );
}
