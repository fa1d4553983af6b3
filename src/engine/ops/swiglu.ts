/** SwiGLU's product (Shazeer 2020), as in Llama's MLP: silu(gate) · up. */
import * as tf from '@tensorflow/tfjs-core';
import { dispatch, elementGroups, emptyTensor, useKernels } from '../dispatch';
import forwardKernel from '../kernels/swiglu-forward.wgsl?raw';
import gradKernel from '../kernels/swiglu-grad.wgsl?raw';
import { withGradient } from '../with-gradient';

/** The same from stock tfjs ops. */
export function swigluReference(gate: tf.Tensor2D, up: tf.Tensor2D): tf.Tensor2D {
  return tf.tidy(() => tf.mul(tf.mul(gate, tf.sigmoid(gate)), up));
}

/**
 * gate [N, F], up [N, F] → silu(gate) · up [N, F], with gradients for both. The kernels need F to
 * be a multiple of 4; other sizes go through the reference.
 */
export function swiglu(gate: tf.Tensor2D, up: tf.Tensor2D): tf.Tensor2D {
  if (!useKernels() || gate.shape[1] % 4 !== 0) return swigluReference(gate, up);
  const count4 = gate.size / 4;
  return withGradient(
    [gate, up],
    () => {
      const y = emptyTensor<tf.Rank.R2>(gate.shape);
      dispatch({
        label: 'swiglu-forward',
        code: forwardKernel,
        buffers: [y, gate, up],
        uniforms: [count4],
        groups: elementGroups(count4, 64),
      });
      return { value: y, saved: [gate, up] };
    },
    (dy, [gateSaved, upSaved]) => {
      const dgate = emptyTensor<tf.Rank.R2>(dy.shape);
      const dup = emptyTensor<tf.Rank.R2>(dy.shape);
      dispatch({
        label: 'swiglu-grad',
        code: gradKernel,
        buffers: [dgate, dup, dy, gateSaved!, upSaved!],
        uniforms: [count4],
        groups: elementGroups(count4, 64),
      });
      return [dgate, dup];
    },
  );
}
