import * as tf from '@tensorflow/tfjs-core';
import { expect, test } from 'vitest';
import { openEngine } from '../../src/engine/backend';
import { swiglu, swigluReference } from '../../src/engine/ops/swiglu';
import { describeOp, normal, type Op } from './ops-parity';

const op: Op = (g, u) => swiglu(g as tf.Tensor2D, u as tf.Tensor2D);
const reference: Op = (g, u) => swigluReference(g as tf.Tensor2D, u as tf.Tensor2D);

const SIZES: [number, number][] = [
  [1, 4],
  [7, 20],
  [5, 6],
  [13, 44],
];

describeOp(
  'swiglu',
  SIZES.map(([N, F]) => ({
    name: `[${N},${F}]`,
    inputs: [normal([N, F], 6), normal([N, F], 7)],
    op,
    reference,
  })),
);

test('a gate far from 0 neither overflows nor turns into NaN', async () => {
  await openEngine({ force: 'webgpu' });
  const y = swiglu(tf.tensor2d([[-500, -90, 90, 500]]), tf.ones([1, 4]));
  const [a, b, c, d] = await y.data();
  expect(a).toBeCloseTo(0, 6);
  expect(b).toBeCloseTo(0, 6);
  expect([c, d]).toEqual([90, 500]);
});
