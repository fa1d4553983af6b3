import * as tf from '@tensorflow/tfjs-core';
import { afterAll, describe, expect, test } from 'vitest';
import { openEngine } from '../../src/engine/backend';
import { tokenLogprob, tokenLogprobReference } from '../../src/engine/ops/token-logprob';
import { chooseVariant, forgetVariants } from '../../src/engine/variants';
import { describeOp, normal } from './ops-parity';

const TEMPERATURE = 0.7;

/** A fixed target for each of N rows. */
const targets = (N: number, V: number): tf.Tensor1D =>
  tf.tensor1d(
    Int32Array.from({ length: N }, (_, n) => (n * 31 + 5) % V),
    'int32',
  );

// 4 · 67, 4 · 71 and 300 logits are more than one round of a workgroup; 7 is not for the kernels.
const SIZES: [number, number][] = [
  [1, 4],
  [5, 7],
  [1, 284],
  [33, 268],
  [67, 300],
];

describe.each(['registers', 'shared', 'subgroups'] as const)('in the %s variant', (variant) => {
  afterAll(forgetVariants);

  describeOp(
    'token-logprob',
    SIZES.map(([N, V]) => ({
      name: `[${N},${V}]`,
      inputs: [normal([N, V], 21, 2)],
      op: (logits) => tokenLogprob(logits as tf.Tensor2D, targets(N, V), TEMPERATURE),
      reference: (logits) =>
        tokenLogprobReference(logits as tf.Tensor2D, targets(N, V), TEMPERATURE),
    })),
    () => chooseVariant('token-logprob', variant),
  );

  test('logits of ±1e30 and equal logits: finite, and the first of equals is the argmax', async () => {
    await openEngine({ force: 'webgpu' });
    chooseVariant('token-logprob', variant);
    const V = 136;
    const certain = Array.from({ length: V }, (_, v) => (v === 9 ? 1e30 : -1e30));
    const even = Array<number>(V).fill(3);
    const logits = tf.tensor2d([...certain, ...certain, ...even, ...even], [4, V]);
    const result = tokenLogprob(logits, tf.tensor1d([9, 8, 0, 1], 'int32'), 1);
    const [logprob, entropy, argmax] = (await result.array()) as [number[], number[], number[]];
    expect(logprob[0]).toBe(0);
    expect(logprob[1]).toBeLessThan(-1e30);
    expect(logprob[2]).toBeCloseTo(-Math.log(V), 5);
    expect(entropy[0]).toBe(0);
    expect(entropy[2]).toBeCloseTo(Math.log(V), 5);
    expect(argmax).toEqual([1, 0, 1, 0]);
    tf.dispose([logits, result]);
  });
});
