/** `tf.customGrad` with types: an op whose forward pass and gradient are both ours. */
import * as tf from '@tensorflow/tfjs-core';

/**
 * @param inputs the tensors that get a gradient (others are closed over)
 * @param forward computes the value and names what the gradient needs; run with the tape off
 * @param gradient from dy (shaped like the value) and the saved tensors, one gradient per input
 */
export function withGradient<T extends tf.Tensor, S extends tf.Tensor[]>(
  inputs: tf.Tensor[],
  forward: () => { value: T; saved: [...S] },
  gradient: (dy: T, saved: S) => tf.Tensor[],
): T {
  const op = tf.customGrad<T>((...args) => {
    const save = args[inputs.length] as tf.GradSaveFunc;
    const { value, saved } = forward();
    save(saved);
    return { value, gradFunc: (dy: T, kept: tf.Tensor[]) => gradient(dy, kept as S) };
  });
  return op(...inputs);
}
