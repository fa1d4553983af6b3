/** Root-mean-square norm (Zhang & Sennrich 2019), as in Llama. */
import * as tf from '@tensorflow/tfjs-core';
import { dispatch, emptyTensor, f32Bits, useKernels } from '../dispatch';
import { floats, heapTensor, onHeap } from '../heap';
import workgroupForwardKernel from '../kernels/rms-norm-forward-workgroup.wgsl?raw';
import forwardKernel from '../kernels/rms-norm-forward.wgsl?raw';
import workgroupGradInputKernel from '../kernels/rms-norm-grad-input-workgroup.wgsl?raw';
import gradInputKernel from '../kernels/rms-norm-grad-input.wgsl?raw';
import gradWeightKernel from '../kernels/rms-norm-grad-weight.wgsl?raw';
import { withGradient } from '../with-gradient';
import { RowKernel } from './row-kernel';
import { sumSlices } from './sum-slices';

const FORWARD = new RowKernel('rms-norm', forwardKernel, 64, workgroupForwardKernel);
const GRAD_INPUT = new RowKernel('rms-norm', gradInputKernel, 64, workgroupGradInputKernel);
const MAX_SLICES = 64;

/** The same from stock tfjs ops. */
export function rmsNormReference(x: tf.Tensor2D, weight: tf.Tensor1D, eps: number): tf.Tensor2D {
  return tf.tidy(() => {
    const meanSquare = tf.mean(tf.mul(x, x), 1, true);
    const scale = tf.div(1, tf.sqrt(tf.add(meanSquare, eps)));
    return tf.mul(tf.mul(x, scale), weight);
  });
}

/** x [N, C] → y [N, C] and the scale r [N] of each row; C must be a multiple of 4. */
export function rmsNormForward(
  x: tf.Tensor,
  weight: tf.Tensor,
  eps: number,
): { y: tf.Tensor2D; r: tf.Tensor1D } {
  const [rows, C] = x.shape as [number, number];
  const y = emptyTensor<tf.Rank.R2>([rows, C]);
  const r = emptyTensor<tf.Rank.R1>([rows]);
  dispatch({
    label: 'rms-norm-forward',
    ...FORWARD.forRows(rows),
    constants: { C4: C / 4 },
    buffers: [y, r, x, weight],
    uniforms: [rows, f32Bits(eps)],
  });
  return { y, r };
}

/** [dx, dweight]; dx starts from `residual` [N, C] where one is given. */
export function rmsNormGrad(
  dy: tf.Tensor,
  [x, weight, r]: [tf.Tensor, tf.Tensor, tf.Tensor],
  residual: tf.Tensor | null = null,
): [tf.Tensor2D, tf.Tensor] {
  const [rows, C] = x.shape as [number, number];
  const dx = emptyTensor<tf.Rank.R2>([rows, C]);
  dispatch({
    label: 'rms-norm-grad-input',
    ...GRAD_INPUT.forRows(rows),
    constants: { C4: C / 4, ADD: residual === null ? 0 : 1 },
    // A binding cannot be left empty; without a residual dy stands there unread.
    buffers: [dx, dy, x, weight, r, residual ?? dy],
    uniforms: [rows],
  });
  const slices = Math.min(MAX_SLICES, rows);
  const partial = emptyTensor<tf.Rank.R2>([slices, C]);
  dispatch({
    label: 'rms-norm-grad-weight',
    code: gradWeightKernel,
    constants: { C4: C / 4 },
    buffers: [partial, dy, x, r],
    uniforms: [rows, slices],
    groups: [Math.ceil((slices * C) / 4 / 64)],
  });
  return [dx, sumSlices(partial, [C])];
}

/** `rmsNormForward` as a loop over the WebAssembly backend's memory; any C. */
function forwardOnHeap(x: tf.Tensor2D, weight: tf.Tensor1D, eps: number) {
  const [rows, C] = x.shape;
  const y = heapTensor<tf.Rank.R2>([rows, C]);
  const r = heapTensor<tf.Rank.R1>([rows]);
  const [to, scales, from, weights] = floats(y, r, x, weight);
  for (let row = 0; row < rows; row++) {
    const at = row * C;
    let squares = 0;
    for (let c = 0; c < C; c++) squares += from[at + c]! * from[at + c]!;
    const scale = 1 / Math.sqrt(squares / C + eps);
    scales[row] = scale;
    for (let c = 0; c < C; c++) to[at + c] = from[at + c]! * scale * weights[c]!;
  }
  return { y, r };
}

/** `rmsNormGrad` as a loop over the WebAssembly backend's memory. */
function gradOnHeap(
  dy: tf.Tensor2D,
  [x, weight, r]: [tf.Tensor2D, tf.Tensor1D, tf.Tensor1D],
): [tf.Tensor2D, tf.Tensor1D] {
  const [rows, C] = x.shape;
  const dx = heapTensor<tf.Rank.R2>([rows, C]);
  const dweight = heapTensor<tf.Rank.R1>([C]);
  const [dxs, dweights, dys, xs, weights, scales] = floats(dx, dweight, dy, x, weight, r);
  const sums = new Float64Array(C);
  for (let row = 0; row < rows; row++) {
    const at = row * C;
    const scale = scales[row]!;
    let along = 0;
    for (let c = 0; c < C; c++) {
      const product = dys[at + c]! * xs[at + c]!;
      along += product * weights[c]!;
      sums[c]! += product * scale;
    }
    const back = (along * scale ** 3) / C;
    for (let c = 0; c < C; c++) {
      dxs[at + c] = dys[at + c]! * weights[c]! * scale - xs[at + c]! * back;
    }
  }
  dweights.set(sums);
  return [dx, dweight];
}

/**
 * x [N, C], weight [C] → x / √(mean_c x² + eps) · weight, with gradients for both.
 * The WGSL kernels need C to be a multiple of 4; other sizes go through the reference.
 */
export function rmsNorm(x: tf.Tensor2D, weight: tf.Tensor1D, eps: number): tf.Tensor2D {
  const kernels = useKernels('rms-norm') && x.shape[1] % 4 === 0;
  if (!kernels && !onHeap()) return rmsNormReference(x, weight, eps);
  return withGradient(
    [x, weight],
    () => {
      const { y, r } = (kernels ? rmsNormForward : forwardOnHeap)(x, weight, eps);
      return { value: y, saved: [x, weight, r] };
    },
    (dy, saved) => (kernels ? rmsNormGrad(dy, saved) : gradOnHeap(dy, saved)),
  );
}
