import { expect, test } from 'vitest';
import { epochBatches } from '../../../src/rlhf/stage';

test('each epoch holds every row once, in an order of its own that the seed decides', () => {
  const epoch = (batches: ReturnType<typeof epochBatches>, n: number) =>
    [0, 1, 2].map((i) => batches.rowsAt(n * 3 + i));
  const batches = epochBatches(10, 4, 1);
  expect(batches.stepsPerEpoch).toBe(3);
  const first = epoch(batches, 0);
  const second = epoch(batches, 1);
  for (const rows of [first, second]) {
    expect(rows.map(({ length }) => length)).toEqual([4, 4, 2]);
    expect(rows.flat().sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  }
  expect(second).not.toEqual(first);
  expect(epoch(epochBatches(10, 4, 2), 0)).not.toEqual(first);
  // A resumed run asks for a step in the middle first.
  expect(epochBatches(10, 4, 1).rowsAt(4)).toEqual(second[1]);
});
