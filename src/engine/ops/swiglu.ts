/** SwiGLU's product (Shazeer 2020), as in Llama's MLP: silu(gate) · up. */
import * as tf from '@tensorflow/tfjs-core';
import { dispatch, elementGroups, emptyTensor, useKernels } from '../dispatch';
import { floats, heapTensor, onHeap } from '../heap';
import forwardKernel from '../kernels/swiglu-forward.wgsl?raw';
import gradKernel from '../kernels/swiglu-grad.wgsl?raw';
import { withGradient } from '../with-gradient';

/** The same from stock tfjs ops. */
export function swigluReference(gate: tf.Tensor2D, up: tf.Tensor2D): tf.Tensor2D {
  return tf.tidy(() => tf.mul(tf.mul(gate, tf.sigmoid(gate)), up));
}

/** The kernel by itself; the size must be a multiple of 4. */
export function swigluForward(gate: tf.Tensor, up: tf.Tensor): tf.Tensor2D {
  const count4 = gate.size / 4;
  const y = emptyTensor<tf.Rank.R2>(gate.shape as [number, number]);
  dispatch({
    label: 'swiglu-forward',
    code: forwardKernel,
    buffers: [y, gate, up],
    uniforms: [count4],
    groups: elementGroups(count4, 64),
  });
  return y;
}

/** [dgate, dup] */
export function swigluGrad(
  dy: tf.Tensor,
  gate: tf.Tensor,
  up: tf.Tensor,
): [tf.Tensor2D, tf.Tensor2D] {
  const shape = gate.shape as [number, number];
  const dgate = emptyTensor<tf.Rank.R2>(shape);
  const dup = emptyTensor<tf.Rank.R2>(shape);
  const count4 = gate.size / 4;
  dispatch({
    label: 'swiglu-grad',
    code: gradKernel,
    buffers: [dgate, dup, dy, gate, up],
    uniforms: [count4],
    groups: elementGroups(count4, 64),
  });
  return [dgate, dup];
}

/** `swigluForward` as a loop over the WebAssembly backend's memory. */
function forwardOnHeap(gate: tf.Tensor2D, up: tf.Tensor2D): tf.Tensor2D {
  const y = heapTensor<tf.Rank.R2>(gate.shape);
  const [to, gates, ups] = floats(y, gate, up);
  for (let i = 0; i < to.length; i++) to[i] = (gates[i]! / (1 + Math.exp(-gates[i]!))) * ups[i]!;
  return y;
}

/** `swigluGrad` as a loop over the WebAssembly backend's memory. */
function gradOnHeap(dy: tf.Tensor2D, gate: tf.Tensor2D, up: tf.Tensor2D) {
  const dgate = heapTensor<tf.Rank.R2>(gate.shape);
  const dup = heapTensor<tf.Rank.R2>(gate.shape);
  const [dgates, dups, dys, gates, ups] = floats(dgate, dup, dy, gate, up);
  for (let i = 0; i < dys.length; i++) {
    const sigmoid = 1 / (1 + Math.exp(-gates[i]!));
    const silu = gates[i]! * sigmoid;
    dups[i] = dys[i]! * silu;
    dgates[i] = dys[i]! * ups[i]! * (sigmoid + silu * (1 - sigmoid));
  }
  return [dgate, dup];
}

/**
 * gate [N, F], up [N, F] → silu(gate) · up [N, F], with gradients for both. The WGSL
 * kernels need F to be a multiple of 4; other sizes go through the reference.
 */
export function swiglu(gate: tf.Tensor2D, up: tf.Tensor2D): tf.Tensor2D {
  const kernels = useKernels() && gate.shape[1] % 4 === 0;
  if (!kernels && !onHeap()) return swigluReference(gate, up);
  const [forward, grad] = kernels ? [swigluForward, swigluGrad] : [forwardOnHeap, gradOnHeap];
  return withGradient(
    [gate, up],
    () => ({ value: forward(gate, up), saved: [gate, up] }),
    (dy, [gateSaved, upSaved]) => grad(dy, gateSaved, upSaved),
  );
}
