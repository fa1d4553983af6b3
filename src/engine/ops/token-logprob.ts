/** Log-probability of the target, entropy and top-1 hit of every row, without storing a softmax. */
import * as tf from '@tensorflow/tfjs-core';
import { dispatch, elementGroups, emptyTensor, f32Bits, useKernels } from '../dispatch';
import gradKernel from '../kernels/token-logprob-grad.wgsl?raw';
import workgroupForwardKernel from '../kernels/token-logprob-forward-workgroup.wgsl?raw';
import forwardKernel from '../kernels/token-logprob-forward.wgsl?raw';
import { withGradient } from '../with-gradient';
import { RowKernel } from './row-kernel';

const FORWARD = new RowKernel('token-logprob', forwardKernel, 32, workgroupForwardKernel);

/**
 * @param logits [N, V]
 * @param targets int32 [N]
 * @param temperature divides the logits first; > 0
 * @returns [3, N]: log p(target) in nats (differentiable), entropy in nats (differentiable), 1 where
 *   the target is the argmax (first of equals; no gradient)
 */
export function tokenLogprob(
  logits: tf.Tensor2D,
  targets: tf.Tensor1D,
  temperature: number,
): tf.Tensor2D {
  if (useKernels('token-logprob') && logits.shape[1] % 4 === 0) {
    return withKernels(logits, targets, temperature);
  }
  return tokenLogprobReference(logits, targets, temperature);
}

function withKernels(logits: tf.Tensor2D, targets: tf.Tensor1D, temperature: number): tf.Tensor2D {
  const [N, V] = logits.shape;
  const defines = { V4: V / 4 };
  const uniforms = [N, f32Bits(temperature)];
  return withGradient(
    [logits],
    () => {
      const result = emptyTensor<tf.Rank.R2>([3, N]);
      dispatch({
        label: 'token-logprob-forward',
        ...FORWARD.forRows(N),
        defines,
        buffers: [result, logits, targets],
        uniforms,
      });
      return { value: result, saved: [logits, targets, result] };
    },
    (d, saved) => {
      const dLogits = emptyTensor<tf.Rank.R2>([N, V]);
      dispatch({
        label: 'token-logprob-grad',
        code: gradKernel,
        defines,
        buffers: [dLogits, ...saved, d],
        uniforms,
        groups: elementGroups((N * V) / 4, 64),
      });
      return [dLogits];
    },
  );
}

/** The same from stock tfjs ops. */
export function tokenLogprobReference(
  logits: tf.Tensor2D,
  targets: tf.Tensor1D,
  temperature: number,
): tf.Tensor2D {
  const V = logits.shape[1];
  const logp = tf.logSoftmax<tf.Tensor2D>(tf.div(logits, temperature));
  // Cast: oneHot of the wasm backend writes integer bits whatever dtype it is asked for.
  const hit = tf.cast(tf.oneHot(targets, V), 'float32');
  const logprob = tf.sum(tf.mul(logp, hit), 1);
  const entropy = tf.neg(tf.sum(tf.mul(tf.exp(logp), logp), 1));
  // Inside `withGradient`, because comparisons have no gradient of their own and would stop the tape.
  const isArgmax = withGradient(
    [logits],
    () => ({
      value: tf.cast(tf.equal(tf.argMax(logits, 1), targets), 'float32'),
      saved: [logits],
    }),
    (_, [saved]) => [tf.zerosLike(saved)],
  );
  return tf.stack([logprob, entropy, isArgmax]) as tf.Tensor2D;
}
