/** The scalar head of reward and value models. */
import * as tf from '@tensorflow/tfjs-core';
import { dispatch, elementGroups, emptyTensor, useKernels } from '../dispatch';
import gradWeightKernel from '../kernels/score-grad-weight.wgsl?raw';
import gradWeightPartialKernel from '../kernels/score-grad-weight-partial.wgsl?raw';
import gradInputKernel from '../kernels/score-grad-input.wgsl?raw';
import forwardKernel from '../kernels/score-forward.wgsl?raw';
import { withGradient } from '../with-gradient';

/** Rows are summed in this many slices, enough to keep a GPU busy. */
const MAX_SLICES = 64;
const ROWS_PER_SLICE = 16;

/** x [N, C] · weight [1, C] + bias [1] → [N]; gradients for all three. */
export function scoreHead(x: tf.Tensor2D, weight: tf.Tensor2D, bias: tf.Tensor1D): tf.Tensor1D {
  if (useKernels()) return withKernels(x, weight, bias);
  return tf.add(tf.sum(tf.mul(x, weight), 1), bias);
}

function withKernels(x: tf.Tensor2D, weight: tf.Tensor2D, bias: tf.Tensor1D): tf.Tensor1D {
  const [N, C] = x.shape;
  return withGradient(
    [x, weight, bias],
    () => {
      const scores = emptyTensor<tf.Rank.R1>([N]);
      dispatch({
        label: 'score-forward',
        code: forwardKernel,
        buffers: [scores, x, weight, bias],
        uniforms: [N, C],
        groups: [Math.ceil(N / 64)],
      });
      return { value: scores, saved: [x, weight] };
    },
    (d, [xSaved, weightSaved]) => backward(d, xSaved, weightSaved),
  );
}

function backward(d: tf.Tensor, x: tf.Tensor2D, w: tf.Tensor2D): tf.Tensor[] {
  const [N, C] = x.shape;
  const dx = emptyTensor<tf.Rank.R2>([N, C]);
  dispatch({
    label: 'score-grad-input',
    code: gradInputKernel,
    buffers: [dx, d, w],
    uniforms: [N, C],
    groups: elementGroups(N * C, 64),
  });
  const S = Math.min(MAX_SLICES, Math.ceil(N / ROWS_PER_SLICE));
  const partials = emptyTensor<tf.Rank.R2>([S, C + 1]);
  dispatch({
    label: 'score-grad-weight-partial',
    code: gradWeightPartialKernel,
    buffers: [partials, x, d],
    uniforms: [N, C, S],
    groups: [Math.ceil((S * (C + 1)) / 64)],
  });
  const dw = emptyTensor<tf.Rank.R2>([1, C]);
  const dBias = emptyTensor<tf.Rank.R1>([1]);
  dispatch({
    label: 'score-grad-weight',
    code: gradWeightKernel,
    buffers: [dw, dBias, partials],
    uniforms: [C, S],
    groups: [Math.ceil((C + 1) / 64)],
  });
  partials.dispose();
  return [dx, dw, dBias];
}
