/** y = x · wᵀ, Hugging Face's bias-free `nn.Linear` with weight [out, in]. */
import * as tf from '@tensorflow/tfjs-core';
import { dispatch, emptyTensor, up4, useKernels } from '../dispatch';
import { columnsOf, readingStored, storageOf } from '../frozen';
import forwardKernel from '../kernels/linear-forward.wgsl?raw';
import gradInputKernel from '../kernels/linear-grad-input.wgsl?raw';
import gradWeightKernel from '../kernels/linear-grad-weight.wgsl?raw';
import sharedKernel from '../kernels/linear-shared.wgsl?raw';
import { variantOf } from '../variants';
import { withGradient } from '../with-gradient';
import { sumSlices } from './sum-slices';

const FORWARD = readingStored(forwardKernel);
const SHARED = readingStored(sharedKernel);
/** Side of the tile that a workgroup makes, in either variant. */
const TILE = 64;
/** Up to so many rows the `registers` variant makes tiles of 4 rows instead of 16. */
const FEW_ROWS = 8;
/** The weight's gradient is cut into slices until it has about this many workgroups … */
const WANTED_GROUPS = { registers: 4, shared: 128 };
/** … of at least this many rows each; a multiple of 4. */
const MIN_ROWS_PER_SLICE = 64;

const tiles = (count: number): number => Math.ceil(count / TILE);

/**
 * The kernels of a linear layer by themselves, for ops that bring their own gradient.
 * residual [N, M] (0 without one) + x [N, K] · weight [M, K]ᵀ → [N, M], or [N, M rounded up to 4]
 * from the `registers` variant; K must be a multiple of 4. The weight may be frozen.
 */
export function linearForward(
  x: tf.Tensor,
  weight: tf.Tensor,
  residual: tf.Tensor | null = null,
): tf.Tensor2D {
  const [N, K] = x.shape as [number, number];
  const M = weight.shape[0];
  const shared = variantOf('linear') === 'shared';
  const y = emptyTensor<tf.Rank.R2>([N, shared ? M : up4(M)]);
  const ADD = residual === null ? 0 : 1;
  const FEW = N <= FEW_ROWS ? 1 : 0;
  dispatch({
    label: shared ? 'linear-shared forward' : 'linear-forward',
    code: (shared ? SHARED : FORWARD)[storageOf(weight)],
    constants: shared ? { B_TRANSPOSED: 1, ADD } : { ADD, FEW },
    // A binding cannot be left empty; without a residual any tensor stands there unread.
    buffers: [y, x, weight, residual ?? x],
    uniforms: shared ? [N, M, K, K] : [N, M, K / 4, up4(M) / 4],
    groups: [tiles(M), !shared && FEW === 1 ? Math.ceil(N / 16) : tiles(N)],
  });
  return y;
}

/** residual [N, K] (0 without one) + dy · weight → [N, K]; dy is as wide as `linearForward` made y. */
export function linearGradInput(
  dy: tf.Tensor,
  weight: tf.Tensor,
  residual: tf.Tensor | null = null,
): tf.Tensor2D {
  const N = dy.shape[0];
  const [M, K] = weight.shape as [number, number];
  tf.util.assert(storageOf(weight) === 'f32', () => 'a frozen weight passes no gradient on');
  const shared = variantOf('linear') === 'shared';
  const dx = emptyTensor<tf.Rank.R2>([N, K]);
  dispatch({
    label: shared ? 'linear-shared grad-input' : 'linear-grad-input',
    code: shared ? SHARED.f32 : gradInputKernel,
    constants: { ADD: residual === null ? 0 : 1 },
    buffers: [dx, dy, weight, residual ?? dy],
    uniforms: shared ? [N, K, M, M] : [N, M, K / 4, up4(M) / 4],
    groups: [tiles(K), tiles(N)],
  });
  return dx;
}

/** dyᵀ · x [N, K] → [columns of dy, K]; dy is as wide as `linearForward` made y. */
export function linearGradWeight(dy: tf.Tensor, x: tf.Tensor): tf.Tensor2D {
  const [N, M] = dy.shape as [number, number];
  const K = x.shape[1]!;
  const variant = variantOf('linear') === 'shared' ? 'shared' : 'registers';
  const wanted = Math.ceil(WANTED_GROUPS[variant] / (tiles(M) * tiles(K)));
  const rowsPerSlice = Math.max(MIN_ROWS_PER_SLICE, up4(Math.ceil(N / wanted)));
  const slices = Math.ceil(N / rowsPerSlice);
  const partial = emptyTensor([slices, M, K]);
  const groups: [number, number, number] = [tiles(K), tiles(M), slices];
  if (variant === 'shared') {
    dispatch({
      label: 'linear-shared grad-weight',
      code: SHARED.f32,
      constants: { A_TRANSPOSED: 1 },
      buffers: [partial, dy, x, dy],
      uniforms: [M, K, N, rowsPerSlice],
      groups,
    });
  } else {
    dispatch({
      label: 'linear-grad-weight',
      code: gradWeightKernel,
      buffers: [partial, dy, x],
      uniforms: [N, rowsPerSlice, K / 4, M / 4],
      groups,
    });
  }
  return (slices === 1 ? tf.reshape(partial, [M, K]) : sumSlices(partial, [M, K])) as tf.Tensor2D;
}

/**
 * The same from stock tfjs ops. Transposes are explicit, in the gradient too: the wasm backend is
 * about ten times slower on transposed matmul operands.
 */
export function linearReference(
  x: tf.Tensor2D,
  weight: tf.Tensor2D,
  residual: tf.Tensor2D | null = null,
): tf.Tensor2D {
  const product: tf.Tensor2D = withGradient(
    [x, weight],
    () => ({ value: tf.matMul(x, tf.transpose(weight)), saved: [x, weight] }),
    (dy, [xSaved, weightSaved]) => [
      tf.matMul(dy, weightSaved),
      tf.matMul(tf.transpose(dy), xSaved),
    ],
  );
  return residual === null ? product : tf.add(residual, product);
}

/** Takes off the columns or rows that `registers` adds to a size that is no multiple of 4. */
function trimmed(x: tf.Tensor, shape: [number, number]): tf.Tensor2D {
  const whole = x.shape[0] === shape[0] && x.shape[1] === shape[1];
  return whole ? (x as tf.Tensor2D) : tf.slice(x as tf.Tensor2D, [0, 0], shape);
}

/** dy [N, M] as wide as `linearForward` made y, with zeros. */
function widened(dy: tf.Tensor2D): tf.Tensor2D {
  const extra = up4(dy.shape[1]) - dy.shape[1];
  if (extra === 0 || variantOf('linear') === 'shared') return dy;
  return tf.concat<tf.Tensor2D>([dy, tf.zeros([dy.shape[0], extra])], 1);
}

/**
 * residual [N, M] (0 without one) + x [N, K] · weight [M, K]ᵀ → [N, M], with gradients for all.
 * Any N and M; the kernels need K to be a multiple of 4, other sizes go through the reference.
 */
export function linear(
  x: tf.Tensor2D,
  weight: tf.Tensor2D,
  residual: tf.Tensor2D | null = null,
): tf.Tensor2D {
  const M = weight.shape[0];
  const K = columnsOf(weight);
  tf.util.assert(
    x.shape[1] === K,
    () => `linear: x [${x.shape.join()}] does not fit weight [${M},${K}]`,
  );
  if (!useKernels('linear') || K % 4 !== 0) return linearReference(x, weight, residual);
  // The epilogue works on whole rows of y, which have another width there.
  if (residual !== null && M % 4 !== 0) return tf.add(residual, linear(x, weight));
  return withGradient(
    residual === null ? [x, weight] : [x, weight, residual],
    () => ({
      value: trimmed(linearForward(x, weight, residual), [x.shape[0], M]),
      saved: [x, weight],
    }),
    (dy, [xSaved, weightSaved]) => {
      const wide = widened(dy);
      const dw = linearGradWeight(wide, xSaved);
      const grads = [linearGradInput(wide, weightSaved), trimmed(dw, [M, K])];
      return residual === null ? grads : [...grads, tf.clone(dy)];
    },
  );
}
