/** Token embedding with a deterministic gradient. */
import * as tf from '@tensorflow/tfjs-core';
import type { TokenIndex } from '../batch';
import { dispatch, elementGroups, emptyTensor, useKernels } from '../dispatch';
import { columnsOf, readingStored, storageOf } from '../frozen';
import { floats, heapTensor, integers, onHeap } from '../heap';
import forwardKernel from '../kernels/embedding-forward.wgsl?raw';
import gradKernel from '../kernels/embedding-grad.wgsl?raw';
import { withGradient } from '../with-gradient';

const FORWARD = readingStored(forwardKernel);

/**
 * The same from stock tfjs ops. The gradient is a matmul with the one-hot ids: the stock gradient
 * of gather adds with atomics on WebGPU and does not exist on wasm.
 */
export function embeddingReference(weight: tf.Tensor2D, tokens: TokenIndex): tf.Tensor2D {
  const V = weight.shape[0];
  return withGradient(
    [weight],
    () => ({ value: tf.gather(weight, tokens.ids), saved: [tokens.ids] }),
    (dy, [ids]) => [
      tf.matMul(tf.transpose(tf.cast(tf.oneHot(ids, V), 'float32') as tf.Tensor2D), dy),
    ],
  );
}

/** The rows of weight [V, C] as a loop over the WebAssembly backend's memory. */
function rowsOnHeap(weight: tf.Tensor2D, ids: tf.Tensor1D): tf.Tensor2D {
  const C = weight.shape[1];
  const y = heapTensor<tf.Rank.R2>([ids.shape[0], C]);
  const [to, from] = floats(y, weight);
  integers(ids).forEach((id, n) => to.set(from.subarray(id * C, (id + 1) * C), n * C));
  return y;
}

/** The gradient of that: each row of dy [N, C] added to the row of its token, in order. */
function gradOnHeap(dy: tf.Tensor2D, ids: tf.Tensor1D, V: number): tf.Tensor2D {
  const C = dy.shape[1];
  const dweight = heapTensor<tf.Rank.R2>([V, C]);
  const [to, from] = floats(dweight, dy);
  to.fill(0);
  integers(ids).forEach((id, n) => {
    for (let c = 0; c < C; c++) to[id * C + c]! += from[n * C + c]!;
  });
  return dweight;
}

/** weight [V, C], which may be frozen, ids int32 [N] → [N, C]. No gradient. */
export function embeddingRows(weight: tf.Tensor2D, ids: tf.Tensor1D): tf.Tensor2D {
  const C = columnsOf(weight);
  if (onHeap()) return rowsOnHeap(weight, ids);
  if (!useKernels() || C % 4 !== 0) return tf.gather(weight, ids);
  const N = ids.shape[0];
  const y = emptyTensor<tf.Rank.R2>([N, C]);
  dispatch({
    label: 'embedding-forward',
    code: FORWARD[storageOf(weight)],
    constants: { C4: C / 4 },
    buffers: [y, ids, weight],
    uniforms: [N],
    groups: elementGroups((N * C) / 4, 64),
  });
  return y;
}

/**
 * weight [V, C], N tokens → [N, C]; gradient for the weight. The kernels need C to be a multiple
 * of 4; other sizes go through the reference.
 */
export function embedding(weight: tf.Tensor2D, tokens: TokenIndex): tf.Tensor2D {
  const V = weight.shape[0];
  const C = columnsOf(weight);
  if (onHeap()) {
    return withGradient(
      [weight],
      () => ({ value: rowsOnHeap(weight, tokens.ids), saved: [tokens.ids] }),
      (dy, [ids]) => [gradOnHeap(dy, ids, V)],
    );
  }
  if (!useKernels() || C % 4 !== 0) return embeddingReference(weight, tokens);
  return withGradient(
    [weight],
    // Saved, so that the caller may dispose the index before the gradient is taken.
    () => ({
      value: embeddingRows(weight, tokens.ids),
      saved: [tokens.order, tokens.offsets],
    }),
    (dy, [order, offsets]) => {
      const dweight = emptyTensor<tf.Rank.R2>([V, C]);
      dispatch({
        label: 'embedding-grad',
        code: gradKernel,
        constants: { C4: C / 4 },
        buffers: [dweight, dy, order, offsets],
        uniforms: [V],
        groups: elementGroups((V * C) / 4, 64),
      });
      return [dweight];
    },
  );
}
