import type * as tf from '@tensorflow/tfjs-core';
import { afterAll, describe } from 'vitest';
import { rmsNorm, rmsNormReference } from '../../src/engine/ops/rms-norm';
import { chooseVariant, forgetVariants } from '../../src/engine/variants';
import { describeOp, normal, type Op } from './ops-parity';

// A large eps, so that a kernel that loses it is seen.
const EPS = 0.1;
const op: Op = (x, w) => rmsNorm(x as tf.Tensor2D, w as tf.Tensor1D, EPS);
const reference: Op = (x, w) => rmsNormReference(x as tf.Tensor2D, w as tf.Tensor1D, EPS);

// 150 rows are more than the 64 slices of the weight's gradient; 10 is not for the kernels. 4 · 65 and
// 4 · 41 are more than two and one rounds of a workgroup, and divide by no size of a subgroup.
const SIZES: [number, number][] = [
  [1, 4],
  [7, 20],
  [13, 64],
  [5, 10],
  [150, 8],
  [1, 164],
  [3, 260],
];

describe.each(['registers', 'shared', 'subgroups'] as const)('in the %s variant', (variant) => {
  afterAll(forgetVariants);
  describeOp(
    'rms-norm',
    SIZES.map(([N, C]) => ({
      name: `[${N},${C}]`,
      inputs: [normal([N, C], 3), normal([C], 4)],
      op,
      reference,
    })),
    () => chooseVariant('rms-norm', variant),
  );
});
