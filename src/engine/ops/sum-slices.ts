/** Σ over the first dimension in a fixed order. */
import type * as tf from '@tensorflow/tfjs-core';
import { dispatch, elementGroups, emptyTensor } from '../dispatch';
import sumSlicesKernel from '../kernels/sum-slices.wgsl?raw';

/** slices [S, …shape] → total [shape]; the product of `shape` must be a multiple of 4. WebGPU only. */
export function sumSlices(slices: tf.Tensor, shape: number[]): tf.Tensor {
  const total = emptyTensor(shape);
  const count4 = total.size / 4;
  dispatch({
    label: 'sum-slices',
    code: sumSlicesKernel,
    buffers: [total, slices],
    uniforms: [slices.size / total.size, count4],
    groups: elementGroups(count4, 64),
  });
  return total;
}
