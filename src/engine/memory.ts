/** What the engine holds, for leak checks and the memory line of the page. */
import * as tf from '@tensorflow/tfjs-core';

/** What we use of the pool of tfjs 4.22's WebGPU backend. */
interface BufferPool {
  freeBuffers: Map<string, GPUBuffer[]>;
  numFreeBuffers: number;
  numBytesAllocated: number;
}

/** Live tensors; a training step leaves it as it was. */
export function numTensors(): number {
  return tf.memory().numTensors;
}

/** Bytes of GPU buffers, pooled free ones included; 0 without a GPU. */
export function gpuBytes(): number {
  const memory = tf.memory() as tf.MemoryInfo & { numBytesAllocatedInGPU?: number };
  return memory.numBytesAllocatedInGPU ?? 0;
}

/**
 * Gives the pool's unused buffers back to the system; tfjs itself never does. Nothing that has been
 * recorded reads them: tfjs puts a buffer into the pool when its last command has been submitted.
 */
export function trimPool(): void {
  if (tf.getBackend() !== 'webgpu') return;
  const { bufferManager: pool } = tf.backend() as unknown as { bufferManager: BufferPool };
  for (const buffers of pool.freeBuffers.values()) {
    for (const buffer of buffers) {
      pool.numBytesAllocated -= buffer.size;
      buffer.destroy();
    }
    pool.numFreeBuffers -= buffers.length;
    buffers.length = 0;
  }
}
