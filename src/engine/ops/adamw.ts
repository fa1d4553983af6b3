/** Gradient clipping by global norm and one AdamW step for all parameters, without a readback. */
import * as tf from '@tensorflow/tfjs-core';
import {
  dispatch,
  elementGroups,
  emptyTensor,
  f32Bits,
  markWritten,
  useKernels,
} from '../dispatch';
import stepKernel from '../kernels/adamw.wgsl?raw';
import partialKernel from '../kernels/gradient-norm-partial.wgsl?raw';
import totalKernel from '../kernels/gradient-norm-total.wgsl?raw';

/** A parameter with its moments, all updated in place. */
export interface Slot {
  parameter: tf.Variable;
  m: tf.Variable;
  v: tf.Variable;
  /** Whether weight decay applies. */
  decay: boolean;
}

export interface AdamWStep {
  learning_rate: number;
  adam_beta1: number;
  adam_beta2: number;
  adam_epsilon: number;
  weight_decay: number;
  /** 0 turns clipping off. */
  max_grad_norm: number;
  /** Number of this step, from 1. */
  step: number;
}

/** Places in the report of `clippedAdamW`. */
export const REPORT = { factor: 0, norm: 1, finite: 2, flags: 3 } as const;

/**
 * torch.nn.utils.clip_grad_norm_ (factor min(1, max_grad_norm / (norm + 1e-6))) followed by
 * torch.optim.AdamW (Loshchilov & Hutter 2019, algorithm 2):
 * p ← p·(1 − lr·wd); m ← β1·m + (1−β1)·g; v ← β2·v + (1−β2)·g²;
 * p ← p − lr/(1−β1ᵗ) · m / (√v/√(1−β2ᵗ) + ε).
 * Changes nothing when the loss, a gradient or the norm is not finite.
 * @param gradients one for each slot
 * @returns report [3 + slots]: clip factor, gradient norm before clipping, 1 if everything is
 *   finite, then for each slot 1 if its gradient is not
 */
export function clippedAdamW(
  slots: Slot[],
  gradients: tf.Tensor[],
  loss: tf.Scalar,
  options: AdamWStep,
): tf.Tensor1D {
  const { learning_rate, adam_beta1, adam_beta2, adam_epsilon, weight_decay, step } = options;
  // In f64: 1 − 0.999 in f32 is off by 5e-5.
  const hyper: Hyper = [
    adam_beta1,
    1 - adam_beta1,
    adam_beta2,
    1 - adam_beta2,
    adam_epsilon,
    learning_rate / (1 - adam_beta1 ** step),
    Math.sqrt(1 - adam_beta2 ** step),
    1 - learning_rate * weight_decay,
  ];
  const update = useKernels() ? withKernels : reference;
  return update(slots, gradients, loss, hyper, options.max_grad_norm);
}

type Hyper = [number, number, number, number, number, number, number, number];

function withKernels(
  slots: Slot[],
  gradients: tf.Tensor[],
  loss: tf.Scalar,
  hyper: Hyper,
  max_grad_norm: number,
): tf.Tensor1D {
  const partials = emptyTensor<tf.Rank.R1>([2 * slots.length]);
  gradients.forEach((gradient, index) => {
    dispatch({
      label: 'gradient-norm-partial',
      code: partialKernel,
      buffers: [partials, gradient],
      uniforms: [index, gradient.size],
      groups: [1],
    });
  });
  const report = emptyTensor<tf.Rank.R1>([REPORT.flags + slots.length]);
  dispatch({
    label: 'gradient-norm-total',
    code: totalKernel,
    buffers: [report, partials, loss],
    uniforms: [slots.length, f32Bits(max_grad_norm)],
    groups: [1],
  });
  const numbers = tf.tensor1d(hyper);
  slots.forEach(({ parameter, m, v, decay }, index) => {
    dispatch({
      label: 'adamw',
      code: stepKernel,
      buffers: [parameter, m, v, gradients[index]!, numbers, report],
      uniforms: [parameter.size, decay ? 1 : 0],
      groups: elementGroups(parameter.size, 64),
    });
    for (const written of [parameter, m, v]) markWritten(written);
  });
  tf.dispose([partials, numbers]);
  return report;
}

function reference(
  slots: Slot[],
  gradients: tf.Tensor[],
  loss: tf.Scalar,
  hyper: Hyper,
  max_grad_norm: number,
): tf.Tensor1D {
  // On wasm and cpu the numbers are in this process anyway: reading does not wait for a device.
  const squares = gradients.map((gradient) => tf.sum(tf.square(gradient)).dataSync()[0]!);
  const norm = Math.sqrt(squares.reduce((sum, square) => sum + square, 0));
  const factor = max_grad_norm > 0 ? Math.min(1, max_grad_norm / (norm + 1e-6)) : 1;
  const finite = Number.isFinite(norm) && Number.isFinite(loss.dataSync()[0]!);
  const [beta1, rest1, beta2, rest2, epsilon, stepSize, correction2, kept] = hyper;
  if (finite) {
    slots.forEach(({ parameter, m, v, decay }, index) => {
      const g = tf.mul(gradients[index]!, factor);
      m.assign(tf.add(tf.mul(m, beta1), tf.mul(g, rest1)));
      v.assign(tf.add(tf.mul(v, beta2), tf.mul(tf.square(g), rest2)));
      const change = tf.div(m, tf.add(tf.div(tf.sqrt(v), correction2), epsilon));
      parameter.assign(tf.sub(tf.mul(parameter, decay ? kept : 1), tf.mul(change, stepSize)));
    });
  }
  const flags = squares.map((square) => (Number.isFinite(square) ? 0 : 1));
  return tf.tensor1d([factor, norm, finite ? 1 : 0, ...flags]);
}
