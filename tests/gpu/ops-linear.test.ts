import type * as tf from '@tensorflow/tfjs-core';
import { linear, linearReference } from '../../src/engine/ops/linear';
import { describeOp, normal, type Op } from './ops-parity';

const op: Op = (x, w) => linear(x as tf.Tensor2D, w as tf.Tensor2D);
const reference: Op = (x, w) => linearReference(x as tf.Tensor2D, w as tf.Tensor2D);

// N, K, M; 1 030 rows cut the weight's gradient into slices, 6 columns are not for the kernels.
const SIZES: [number, number, number][] = [
  [1, 8, 12],
  [7, 36, 20],
  [13, 4, 44],
  [5, 6, 10],
  [1030, 16, 8],
];

describeOp(
  'linear',
  SIZES.map(([N, K, M]) => ({
    name: `[${N},${K}]·[${M},${K}]ᵀ`,
    inputs: [normal([N, K], 1), normal([M, K], 2, 0.3)],
    op,
    reference,
  })),
);
