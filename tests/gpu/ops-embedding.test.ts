import type * as tf from '@tensorflow/tfjs-core';
import { expect, test } from 'vitest';
import { openEngine } from '../../src/engine/backend';
import { disposeTokens, uploadTokens } from '../../src/engine/batch';
import { numTensors } from '../../src/engine/memory';
import { embedding, embeddingReference } from '../../src/engine/ops/embedding';
import { describeOp, normal, type Op } from './ops-parity';

const V = 11;
// Token 3 comes often, token 10 once, some never.
const IDS: Record<string, number[]> = {
  'one token': [10],
  'seven tokens': [3, 0, 3, 7, 3, 3, 1],
  'thirteen tokens': [0, 0, 5, 3, 10, 3, 9, 0, 2, 3, 3, 8, 0],
};
const op =
  (ids: number[]): Op =>
  (w) =>
    embedding(w as tf.Tensor2D, uploadTokens(Int32Array.from(ids), V));
const reference =
  (ids: number[]): Op =>
  (w) =>
    embeddingReference(w as tf.Tensor2D, uploadTokens(Int32Array.from(ids), V));

describeOp(
  'embedding',
  [6, 8].flatMap((C) =>
    Object.entries(IDS).map(([name, ids]) => ({
      name: `${name}, ${C} channels`,
      inputs: [normal([V, C], 5)],
      op: op(ids),
      reference: reference(ids),
    })),
  ),
);

test('the index lists the positions of each token in order, and is freed', async () => {
  await openEngine({ force: 'webgpu' });
  const before = numTensors();
  const tokens = uploadTokens(Int32Array.from([2, 0, 2, 1, 2]), 4);
  expect([...(await tokens.ids.data())]).toEqual([2, 0, 2, 1, 2]);
  expect([...(await tokens.order.data())]).toEqual([1, 3, 0, 2, 4]);
  expect([...(await tokens.offsets.data())]).toEqual([0, 1, 2, 5, 5]);
  disposeTokens(tokens);
  expect(numTensors()).toBe(before);
});

test.each([-1, 4])('a token id of %i in a vocabulary of 4 is refused by name', (id) => {
  expect(() => uploadTokens(Int32Array.from([0, id]), 4)).toThrow(
    `Token id ${id} at position 1 is outside the vocabulary of 4`,
  );
});
