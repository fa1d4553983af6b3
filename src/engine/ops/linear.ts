/** y = x · wᵀ, Hugging Face's bias-free `nn.Linear` with weight [out, in]. */
import * as tf from '@tensorflow/tfjs-core';
import { dispatch, emptyTensor, useKernels } from '../dispatch';
import forwardKernel from '../kernels/linear-forward.wgsl?raw';
import gradInputKernel from '../kernels/linear-grad-input.wgsl?raw';
import gradWeightKernel from '../kernels/linear-grad-weight.wgsl?raw';
import { withGradient } from '../with-gradient';
import { sumSlices } from './sum-slices';

/** Width of the square workgroups, in tiles of 4×4 numbers. */
const GROUP = 8;
/** The weight's gradient is cut into slices until it has about this many invocations … */
const WANTED_INVOCATIONS = 8192;
/** … of at least this many rows each. */
const MIN_ROWS_PER_SLICE = 64;

const tiles = (count: number): number => Math.ceil(count / 4 / GROUP);

function forward(x: tf.Tensor, weight: tf.Tensor): tf.Tensor2D {
  const [N, K] = x.shape as [number, number];
  const M = weight.shape[0];
  const y = emptyTensor<tf.Rank.R2>([N, M]);
  dispatch({
    label: 'linear-forward',
    code: forwardKernel,
    constants: { K4: K / 4, M4: M / 4 },
    buffers: [y, x, weight],
    uniforms: [N],
    groups: [tiles(M), tiles(N)],
  });
  return y;
}

function gradInput(dy: tf.Tensor, weight: tf.Tensor): tf.Tensor {
  const N = dy.shape[0];
  const [M, K] = weight.shape as [number, number];
  const dx = emptyTensor<tf.Rank.R2>([N, K]);
  dispatch({
    label: 'linear-grad-input',
    code: gradInputKernel,
    constants: { K4: K / 4, M4: M / 4 },
    buffers: [dx, dy, weight],
    uniforms: [N],
    groups: [tiles(K), tiles(N)],
  });
  return dx;
}

function gradWeight(dy: tf.Tensor, x: tf.Tensor): tf.Tensor {
  const [N, M] = dy.shape as [number, number];
  const K = x.shape[1]!;
  const wanted = Math.ceil(WANTED_INVOCATIONS / ((M * K) / 16));
  const rowsPerSlice = Math.max(MIN_ROWS_PER_SLICE, Math.ceil(N / wanted));
  const slices = Math.ceil(N / rowsPerSlice);
  const partial = emptyTensor([slices, M, K]);
  dispatch({
    label: 'linear-grad-weight',
    code: gradWeightKernel,
    constants: { K4: K / 4, M4: M / 4 },
    buffers: [partial, dy, x],
    uniforms: [N, rowsPerSlice],
    groups: [tiles(K), tiles(M), slices],
  });
  return slices === 1 ? tf.reshape(partial, [M, K]) : sumSlices(partial, [M, K]);
}

/**
 * The same from stock tfjs ops. Transposes are explicit, in the gradient too: the wasm backend is
 * about ten times slower on transposed matmul operands.
 */
export function linearReference(x: tf.Tensor2D, weight: tf.Tensor2D): tf.Tensor2D {
  return withGradient(
    [x, weight],
    () => ({ value: tf.matMul(x, tf.transpose(weight)), saved: [x, weight] }),
    (dy, [xSaved, weightSaved]) => [
      tf.matMul(dy, weightSaved as tf.Tensor2D),
      tf.matMul(tf.transpose(dy), xSaved as tf.Tensor2D),
    ],
  );
}

/**
 * x [N, K], weight [M, K] → [N, M], with gradients for both. Any N; the kernels need K and M to be
 * multiples of 4, other sizes go through the reference.
 */
export function linear(x: tf.Tensor2D, weight: tf.Tensor2D): tf.Tensor2D {
  const [M, K] = weight.shape;
  tf.util.assert(
    x.shape[1] === K,
    () => `linear: x [${x.shape.join()}] does not fit weight [${M},${K}]`,
  );
  if (!useKernels() || K % 4 !== 0 || M % 4 !== 0) return linearReference(x, weight);
  return withGradient(
    [x, weight],
    () => ({ value: forward(x, weight), saved: [x, weight] }),
    (dy, [xSaved, weightSaved]) => [gradInput(dy, weightSaved!), gradWeight(dy, xSaved!)],
  );
}
