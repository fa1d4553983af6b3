/**
 * Kernels for the WebAssembly backend. Its tensors lie in this process's memory, so that a loop in
 * JavaScript can read and write them. Worth it where tfjs's own are slow: gather, split and concat
 * take 15 to 70 ns for a number, products of many small matrices use no SIMD, and there is no writing
 * in place.
 */
import * as tf from '@tensorflow/tfjs-core';
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';

/** True on the wasm backend: our loops run there; on others the reference compositions do. */
export const onHeap = (): boolean => tf.getBackend() === 'wasm';

const backend = (): BackendWasm => tf.backend() as BackendWasm;

/** A new float32 tensor with undefined contents. */
export function heapTensor<R extends tf.Rank>(shape: tf.ShapeMap[R]): tf.Tensor<R> {
  const info = backend().makeOutput(shape, 'float32');
  return tf.engine().makeTensorFromTensorInfo(info) as tf.Tensor<R>;
}

/**
 * The numbers of float32 tensors where they lie. Good only until the next tensor is made: the memory may
 * grow then, and move.
 */
export function floats<const T extends readonly tf.Tensor[]>(
  ...tensors: T
): { [I in keyof T]: Float32Array } {
  // A tensor of another backend moves here when it is first asked for, and that takes memory too.
  for (const { dataId } of tensors) backend().getMemoryOffset(dataId);
  const views = tensors.map((tensor) => backend().typedArrayFromHeap(tensor) as Float32Array);
  return views as { [I in keyof T]: Float32Array };
}

/** The same of one int32 tensor. */
export function integers(tensor: tf.Tensor): Int32Array {
  return backend().typedArrayFromHeap(tensor) as Int32Array;
}
