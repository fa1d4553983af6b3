/**
 * The two halves of a transformer block, each one op with a gradient of its own: the gradients that
 * meet in one tensor are added where the kernels write them, and the tape holds one entry for a
 * dozen kernels. Where a kernel cannot run, the same is put together from the single ops.
 */
import * as tf from '@tensorflow/tfjs-core';
import { useKernels } from './dispatch';
import {
  attentionForward,
  attentionGrad,
  causalAttention,
  type AttentionShape,
} from './ops/attention';
import { linear, linearForward, linearGradInput, linearGradWeight } from './ops/linear';
import { rmsNorm, rmsNormForward, rmsNormGrad } from './ops/rms-norm';
import { rope, rotate, type RopeTable } from './ops/rope';
import { swiglu, swigluForward, swigluGrad } from './ops/swiglu';
import { withGradient } from './with-gradient';

export interface AttentionWeights {
  input_layernorm: tf.Tensor1D;
  q_proj: tf.Tensor2D;
  k_proj: tf.Tensor2D;
  v_proj: tf.Tensor2D;
  o_proj: tf.Tensor2D;
}

export interface MlpWeights {
  post_attention_layernorm: tf.Tensor1D;
  gate_proj: tf.Tensor2D;
  up_proj: tf.Tensor2D;
  down_proj: tf.Tensor2D;
}

export interface AttentionSettings extends AttentionShape {
  table: RopeTable;
  rms_norm_eps: number;
  /** Gets the rotated keys and the values [N, KV·hd], to be copied at once. */
  seen?: (k: tf.Tensor2D, v: tf.Tensor2D) => void;
}

/** Kernels read and write four numbers at a time. */
const fits = (...sizes: number[]): boolean => sizes.every((size) => size % 4 === 0);

/** x + o_proj(attention(rope(q_proj(h)), rope(k_proj(h)), v_proj(h))) with h = rmsNorm(x); x [N, C]. */
export function attentionBlock(
  x: tf.Tensor2D,
  weights: AttentionWeights,
  settings: AttentionSettings,
): tf.Tensor2D {
  const { input_layernorm: norm, q_proj, k_proj, v_proj, o_proj } = weights;
  const { T, table, rms_norm_eps, seen } = settings;
  const headDim = q_proj.shape[0] / settings.num_attention_heads;
  const kernels = useKernels('linear') && useKernels('rms-norm') && useKernels('attention');
  if (!kernels || !fits(x.shape[1], headDim)) {
    const h = rmsNorm(x, norm, rms_norm_eps);
    const q = rope(linear(h, q_proj), table, headDim, T);
    const k = rope(linear(h, k_proj), table, headDim, T);
    const v = linear(h, v_proj);
    seen?.(k, v);
    return linear(causalAttention(q, k, v, settings), o_proj, x);
  }
  const turned = (y: tf.Tensor, sign: 1 | -1, by: RopeTable): tf.Tensor2D =>
    rotate(y, by, headDim, { T }, sign);
  return withGradient(
    [x, norm, q_proj, k_proj, v_proj, o_proj],
    () => {
      const { y: h, r } = rmsNormForward(x, norm, rms_norm_eps);
      const q = turned(linearForward(h, q_proj), 1, table);
      const k = turned(linearForward(h, k_proj), 1, table);
      const v = linearForward(h, v_proj);
      seen?.(k, v);
      const { out, lse } = attentionForward(q, k, v, settings);
      const value = linearForward(out, o_proj, x);
      const weights = [norm, q_proj, k_proj, v_proj, o_proj] as const;
      return { value, saved: [x, ...weights, h, r, q, k, v, out, lse, table.cos, table.sin] };
    },
    (dy, [x, norm, q_proj, k_proj, v_proj, o_proj, h, r, q, k, v, out, lse, cos, sin]) =>
      tf.tidy(() => {
        const [dqTurned, dkTurned, dv] = attentionGrad(
          linearGradInput(dy, o_proj),
          [q, k, v, out, lse],
          settings,
        );
        const dq = turned(dqTurned, -1, { cos, sin });
        const dk = turned(dkTurned, -1, { cos, sin });
        const fromQ = linearGradInput(dq, q_proj);
        const fromQK = linearGradInput(dk, k_proj, fromQ);
        const dh = linearGradInput(dv, v_proj, fromQK);
        const [dx, dnorm] = rmsNormGrad(dh, [x, norm, r], dy);
        return [
          dx,
          dnorm,
          linearGradWeight(dq, h),
          linearGradWeight(dk, h),
          linearGradWeight(dv, h),
          linearGradWeight(dy, out),
        ];
      }),
  );
}

/** x + down_proj(silu(gate_proj(h)) · up_proj(h)) with h = rmsNorm(x); x [N, C]. */
export function mlpBlock(x: tf.Tensor2D, weights: MlpWeights, rms_norm_eps: number): tf.Tensor2D {
  const { post_attention_layernorm: norm, gate_proj, up_proj, down_proj } = weights;
  const kernels = useKernels('linear') && useKernels('rms-norm');
  if (!kernels || !fits(x.shape[1], gate_proj.shape[0])) {
    const h = rmsNorm(x, norm, rms_norm_eps);
    return linear(swiglu(linear(h, gate_proj), linear(h, up_proj)), down_proj, x);
  }
  return withGradient(
    [x, norm, gate_proj, up_proj, down_proj],
    () => {
      const { y: h, r } = rmsNormForward(x, norm, rms_norm_eps);
      const gate = linearForward(h, gate_proj);
      const up = linearForward(h, up_proj);
      const gated = swigluForward(gate, up);
      const value = linearForward(gated, down_proj, x);
      return { value, saved: [x, norm, gate_proj, up_proj, down_proj, h, r, gate, up, gated] };
    },
    (dy, [x, norm, gate_proj, up_proj, down_proj, h, r, gate, up, gated]) =>
      tf.tidy(() => {
        const [dgate, dup] = swigluGrad(linearGradInput(dy, down_proj), gate, up);
        const dh = linearGradInput(dup, up_proj, linearGradInput(dgate, gate_proj));
        const [dx, dnorm] = rmsNormGrad(dh, [x, norm, r], dy);
        return [
          dx,
          dnorm,
          linearGradWeight(dgate, h),
          linearGradWeight(dup, h),
          linearGradWeight(dy, gated),
        ];
      }),
  );
}
