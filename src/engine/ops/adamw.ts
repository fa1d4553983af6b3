/** Gradient clipping by global norm and one AdamW step for all parameters, without a readback. */
import * as tf from '@tensorflow/tfjs-core';
import {
  copyBetween,
  dispatch,
  elementGroups,
  emptyTensor,
  f32Bits,
  markWritten,
  useKernels,
} from '../dispatch';
import stepKernel from '../kernels/adamw.wgsl?raw';
import chunksKernel from '../kernels/gradient-norm-chunks.wgsl?raw';
import totalKernel from '../kernels/gradient-norm-total.wgsl?raw';

/** Parameters laid end to end; those that decay come first. Sizes are multiples of 4. */
export interface Layout {
  slots: { parameter: tf.Variable; offset: number }[];
  /** Numbers in all, padding included. */
  total: number;
  /** Numbers at the front that weight decay applies to, padding included. */
  decaying: number;
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

/** Places in the report of `FlatAdamW.step`. */
export const REPORT = { factor: 0, norm: 1, finite: 2, flags: 3 } as const;

/**
 * torch.nn.utils.clip_grad_norm_ (factor min(1, max_grad_norm / (norm + 1e-6))) followed by
 * torch.optim.AdamW (Loshchilov & Hutter 2019, algorithm 2):
 * p ← p·(1 − lr·wd); m ← β1·m + (1−β1)·g; v ← β2·v + (1−β2)·g²;
 * p ← p − lr/(1−β1ᵗ) · m / (√v/√(1−β2ᵗ) + ε).
 */
export interface FlatAdamW {
  /**
   * Updates parameters and moments in place; changes nothing when the loss, a gradient or the norm
   * is not finite.
   * @param gradients one for each slot of the layout
   * @returns report [3 + slots]: clip factor, gradient norm before clipping, 1 if everything is
   *   finite, then for each slot 1 if its gradient is not
   */
  step(gradients: tf.Tensor[], loss: tf.Scalar, options: AdamWStep): tf.Tensor1D;
  /** Both moments [total], in the order of the layout. */
  read(): Promise<{ m: Float32Array; v: Float32Array }>;
  write(moments: { m: Float32Array; v: Float32Array }): void;
  dispose(): void;
}

export function flatAdamW(layout: Layout): FlatAdamW {
  return useKernels() ? new GpuAdamW(layout) : new HostAdamW(layout);
}

type Hyper = [number, number, number, number, number, number, number, number];

/** In f64: 1 − 0.999 in f32 is off by 5e-5. */
function hyperOf(options: AdamWStep): Hyper {
  const { learning_rate, adam_beta1, adam_beta2, adam_epsilon, weight_decay, step } = options;
  return [
    adam_beta1,
    1 - adam_beta1,
    adam_beta2,
    1 - adam_beta2,
    adam_epsilon,
    learning_rate / (1 - adam_beta1 ** step),
    Math.sqrt(1 - adam_beta2 ** step),
    1 - learning_rate * weight_decay,
  ];
}

/** What one invocation sums; a parameter of more numbers has several chunks. */
const CHUNK = 1024;

/** Three dispatches, whatever the number of parameters: what differs by parameter is only copied. */
class GpuAdamW implements FlatAdamW {
  private readonly layout: Layout;
  private readonly flat: Record<'parameters' | 'gradient' | 'm' | 'v', tf.Tensor1D>;
  /** int32 [chunks, 2], first and end of each; int32 [slots + 1], the first chunk of each slot. */
  private readonly chunks: tf.Tensor2D;
  private readonly firstChunk: tf.Tensor1D;

  constructor(layout: Layout) {
    this.layout = layout;
    const flat = (): tf.Tensor1D => tf.keep(tf.zeros<tf.Rank.R1>([layout.total]));
    this.flat = { parameters: flat(), gradient: flat(), m: flat(), v: flat() };
    const ranges: [number, number][] = [];
    const firsts: number[] = [];
    for (const { parameter, offset } of layout.slots) {
      firsts.push(ranges.length);
      const end = offset + parameter.size;
      for (let at = offset; at < end; at += CHUNK) ranges.push([at, Math.min(at + CHUNK, end)]);
    }
    this.chunks = tf.keep(tf.tensor2d(ranges, [ranges.length, 2], 'int32'));
    this.firstChunk = tf.keep(tf.tensor1d([...firsts, ranges.length], 'int32'));
  }

  step(gradients: tf.Tensor[], loss: tf.Scalar, options: AdamWStep): tf.Tensor1D {
    const { parameters, gradient, m, v } = this.flat;
    const { slots, total, decaying } = this.layout;
    copyBetween([
      ...slots.map(({ parameter, offset }) => ({
        from: parameter,
        to: parameters,
        toOffset: offset,
      })),
      ...slots.map(({ offset }, i) => ({ from: gradients[i]!, to: gradient, toOffset: offset })),
    ]);
    const count = this.chunks.shape[0];
    const sums = emptyTensor<tf.Rank.R2>([count, 2]);
    dispatch({
      label: 'gradient-norm-chunks',
      code: chunksKernel,
      buffers: [sums, gradient, this.chunks],
      uniforms: [count],
      groups: elementGroups(count, 32),
    });
    const report = emptyTensor<tf.Rank.R1>([REPORT.flags + slots.length]);
    dispatch({
      label: 'gradient-norm-total',
      code: totalKernel,
      buffers: [report, sums, this.firstChunk, loss],
      uniforms: [slots.length, f32Bits(options.max_grad_norm)],
      groups: [1],
    });
    const hyper = tf.tensor1d(hyperOf(options));
    dispatch({
      label: 'adamw',
      code: stepKernel,
      buffers: [parameters, m, v, gradient, hyper, report],
      uniforms: [total / 4, decaying / 4],
      groups: elementGroups(total / 4, 256),
    });
    copyBetween(
      slots.map(({ parameter, offset }) => ({
        from: parameters,
        fromOffset: offset,
        to: parameter,
      })),
    );
    for (const written of [m, v]) markWritten(written);
    tf.dispose([sums, hyper]);
    return report;
  }

  async read(): Promise<{ m: Float32Array; v: Float32Array }> {
    const [m, v] = await Promise.all([this.flat.m.data(), this.flat.v.data()]);
    // Copies: data() may return the very array that the backend holds.
    return { m: Float32Array.from(m), v: Float32Array.from(v) };
  }

  write(moments: { m: Float32Array; v: Float32Array }): void {
    for (const name of ['m', 'v'] as const) {
      this.flat[name].dispose();
      this.flat[name] = tf.keep(tf.tensor1d(moments[name].slice()));
    }
  }

  dispose(): void {
    tf.dispose([...Object.values(this.flat), this.chunks, this.firstChunk]);
  }
}

/** The same in plain loops, where the numbers are in this process or a kernel cannot run. */
class HostAdamW implements FlatAdamW {
  private readonly layout: Layout;
  private m: Float32Array;
  private v: Float32Array;

  constructor(layout: Layout) {
    this.layout = layout;
    this.m = new Float32Array(layout.total);
    this.v = new Float32Array(layout.total);
  }

  step(gradients: tf.Tensor[], loss: tf.Scalar, options: AdamWStep): tf.Tensor1D {
    const numbers = gradients.map((gradient) => gradient.dataSync() as Float32Array);
    const squares = numbers.map((g) => g.reduce((sum, x) => sum + x * x, 0));
    // Rounded as the sums on the GPU are, so that too large a norm is found here as well.
    const norm = Math.sqrt(Math.fround(squares.reduce((sum, square) => sum + square, 0)));
    const { max_grad_norm } = options;
    const factor = max_grad_norm > 0 ? Math.min(1, max_grad_norm / (norm + 1e-6)) : 1;
    const finite = Number.isFinite(norm) && Number.isFinite(loss.dataSync()[0]!);
    const hyper = hyperOf(options);
    if (finite) numbers.forEach((g, slot) => this.update(slot, g, factor, hyper));
    const bad = numbers.map((g) => (g.every((x) => Number.isFinite(x)) ? 0 : 1));
    return tf.tensor1d([factor, norm, finite ? 1 : 0, ...bad]);
  }

  read(): Promise<{ m: Float32Array; v: Float32Array }> {
    return Promise.resolve({ m: this.m.slice(), v: this.v.slice() });
  }

  write({ m, v }: { m: Float32Array; v: Float32Array }): void {
    this.m = m.slice();
    this.v = v.slice();
  }

  dispose(): void {
    this.m = this.v = new Float32Array(0);
  }

  private update(slot: number, gradient: Float32Array, factor: number, hyper: Hyper): void {
    const [beta1, rest1, beta2, rest2, epsilon, stepSize, correction2, kept] = hyper;
    const { parameter, offset } = this.layout.slots[slot]!;
    const keep = offset < this.layout.decaying ? kept : 1;
    const { m, v } = this;
    const next = Float32Array.from(parameter.dataSync() as Float32Array, (p, i) => {
      const g = gradient[i]! * factor;
      const at = offset + i;
      m[at] = beta1 * m[at]! + rest1 * g;
      v[at] = beta2 * v[at]! + rest2 * g * g;
      return p * keep - (stepSize * m[at]) / (Math.sqrt(v[at]) / correction2 + epsilon);
    });
    parameter.assign(tf.tensor(next, parameter.shape, 'float32'));
  }
}
