/** What the engine holds, for leak checks and the memory line of the page. */
import * as tf from '@tensorflow/tfjs-core';

/** Live tensors; a training step leaves it as it was. */
export function numTensors(): number {
  return tf.memory().numTensors;
}

/** Bytes of GPU buffers, pooled free ones included; 0 without a GPU. */
export function gpuBytes(): number {
  const memory = tf.memory() as tf.MemoryInfo & { numBytesAllocatedInGPU?: number };
  return memory.numBytesAllocatedInGPU ?? 0;
}
