/**
 * Matrices that are only read. Where 16 bits hold all their numbers exactly, as those of most
 * published models, they take half the memory, and decoding, which reads every weight for each token,
 * half the bandwidth. Packed in words of 32 bits, so that no device has to have `shader-f16`.
 */
import * as tf from '@tensorflow/tfjs-core';
import type { HostTensor } from '../core/domain';
import { exactBfloats, exactHalves } from './sixteen-bits';
import { useKernels } from './dispatch';
import readBf16 from './kernels/storage-bf16.wgsl?raw';
import readF16 from './kernels/storage-f16.wgsl?raw';
import readF32 from './kernels/storage-f32.wgsl?raw';

export type Storage = 'f32' | 'f16' | 'bf16';

/** bf16 first: it is read with less work. */
const EXACT = [
  ['bf16', exactBfloats],
  ['f16', exactHalves],
] as const;

/** By data id: a variable has that of the tensor it was made from. */
const packed = new WeakMap<object, Storage>();

/** How the numbers of a matrix stand in its buffer. */
export function storageOf(matrix: tf.Tensor): Storage {
  return packed.get(matrix.dataId) ?? 'f32';
}

/** Numbers in a row; a packed matrix is an int32 tensor [rows, columns / 2]. */
export function columnsOf(matrix: tf.Tensor): number {
  return storageOf(matrix) === 'f32' ? matrix.shape[1]! : 2 * matrix.shape[1]!;
}

/**
 * A weight that only `linear`, `embedding` and the blocks read. f32 where 16 bits do not hold it
 * exactly or no kernel reads it: then it is like any other tensor.
 */
export function uploadFrozen({ shape, data }: HostTensor): tf.Tensor {
  const [rows, columns] = shape;
  // Kernels read four numbers at a time.
  if (useKernels('linear') && shape.length === 2 && columns! % 4 === 0) {
    for (const [storage, exact] of EXACT) {
      const patterns = exact(data);
      if (patterns === null) continue;
      const tensor = tf.tensor2d(new Int32Array(patterns.buffer), [rows!, columns! / 2], 'int32');
      packed.set(tensor.dataId, storage);
      return tensor;
    }
  }
  return tf.tensor(data.slice(), shape, 'float32');
}

/** A kernel that reads a matrix through `stored4` or `stored1`, for each way of storing it. */
export const readingStored = (kernel: string): Record<Storage, string> => ({
  f32: readF32 + kernel,
  f16: readF16 + kernel,
  bf16: readBf16 + kernel,
});
