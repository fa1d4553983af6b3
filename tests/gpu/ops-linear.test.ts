import type * as tf from '@tensorflow/tfjs-core';
import { afterAll, describe } from 'vitest';
import { linear, linearReference } from '../../src/engine/ops/linear';
import { chooseVariant, forgetVariants } from '../../src/engine/variants';
import { describeOp, normal, type Op, type OpCase } from './ops-parity';

const op: Op = (x, w, residual) =>
  linear(x as tf.Tensor2D, w as tf.Tensor2D, (residual ?? null) as tf.Tensor2D | null);
const reference: Op = (x, w, residual) =>
  linearReference(x as tf.Tensor2D, w as tf.Tensor2D, (residual ?? null) as tf.Tensor2D | null);

// N, K, M. Tiles are 16 and 64 wide; 1 031 rows cut the weight's gradient into slices; 7, 13, 37 and
// 67 columns are no multiple of 4; 6 inputs are not for the kernels.
const SIZES: [number, number, number][] = [
  [1, 8, 12],
  [7, 36, 20],
  [13, 4, 44],
  [17, 68, 37],
  [67, 64, 131],
  [5, 6, 10],
  [1, 4, 1],
  [1031, 16, 8],
];

const cases: OpCase[] = [
  ...SIZES.map(([N, K, M]) => ({
    name: `[${N},${K}]·[${M},${K}]ᵀ`,
    inputs: [normal([N, K], 1), normal([M, K], 2, 0.3)],
    op,
    reference,
  })),
  ...SIZES.slice(1, 5).map(([N, K, M]) => ({
    name: `residual + [${N},${K}]·[${M},${K}]ᵀ`,
    inputs: [normal([N, K], 1), normal([M, K], 2, 0.3), normal([N, M], 3)],
    op,
    reference,
  })),
];

describe.each(['registers', 'shared'] as const)('in the %s variant', (variant) => {
  afterAll(forgetVariants);
  describeOp('linear', cases, () => chooseVariant('linear', variant));
});
