import { expect, test } from 'vitest';
import { collate } from '../../src/engine/batch';

test('rows are padded right to a multiple of 8; the mask covers the completion', () => {
  const batch = collate([
    { input_ids: [5, 6, 7, 8, 9], promptLength: 2 },
    { input_ids: [3, 4, 2], promptLength: 0 },
    { input_ids: [1], promptLength: 1 },
  ]);
  expect([batch.B, batch.T]).toEqual([3, 8]);
  expect([...batch.lengths]).toEqual([5, 3, 1]);
  expect([...batch.input_ids.subarray(0, 8)]).toEqual([5, 6, 7, 8, 9, 0, 0, 0]);
  expect([...batch.targets.subarray(0, 8)]).toEqual([6, 7, 8, 9, 0, 0, 0, 0]);
  // Position 1 predicts the first completion token, 7; position 3 the last, 9.
  expect([...batch.mask.subarray(0, 8)]).toEqual([0, 1, 1, 1, 0, 0, 0, 0]);
  // Without a prompt the first token is given all the same: nothing precedes it.
  expect([...batch.mask.subarray(8, 16)]).toEqual([1, 1, 0, 0, 0, 0, 0, 0]);
  expect([...batch.mask.subarray(16)]).toEqual([0, 0, 0, 0, 0, 0, 0, 0]);
});

test('T takes few values, and batches can share one', () => {
  const row = (length: number) => ({ input_ids: Array<number>(length).fill(1), promptLength: 1 });
  expect(collate([row(8)]).T).toBe(8);
  expect(collate([row(9)]).T).toBe(16);
  expect(collate([row(9)], { padTo: 30 }).T).toBe(32);
});

test.each([
  [[], 'at least one row'],
  [[{ input_ids: [], promptLength: 0 }], 'Row 0 of the batch has 0 tokens'],
  [[{ input_ids: [1, 2], promptLength: 3 }], 'a prompt of 3'],
  [[{ input_ids: [1, 2], promptLength: -1 }], 'a prompt of -1'],
])('%j is refused', (rows, message) => {
  expect(() => collate(rows)).toThrow(message);
});
