import * as tf from '@tensorflow/tfjs-core';
import { expect, test } from 'vitest';
import { openEngine } from '../../src/engine/backend';
import { rope, ropeAt, ropeAtReference, ropeReference, ropeTable } from '../../src/engine/ops/rope';
import { describeOp, farthest, normal, type Op } from './ops-parity';

const THETA = 100;
const with2D =
  (fn: typeof rope, hd: number, T: number): Op =>
  (x) =>
    fn(x as tf.Tensor2D, ropeTable(32, hd, THETA), hd, T);

// B, T, heads, head_dim
const SIZES: [number, number, number, number][] = [
  [1, 1, 1, 4],
  [3, 5, 2, 6],
  [2, 13, 3, 8],
];

describeOp(
  'rope',
  SIZES.map(([B, T, H, hd]) => ({
    name: `B ${B}, T ${T}, ${H} heads of ${hd}`,
    inputs: [normal([B * T, H * hd], 8)],
    op: with2D(rope, hd, T),
    reference: with2D(ropeReference, hd, T),
  })),
);

test('rope turns pairs (i, i + hd/2) by position · theta^(−2i/hd)', async () => {
  await openEngine({ force: 'webgpu' });
  const table = ropeTable(8, 4, THETA);
  // Two rows of T = 2; the second of each is at position 1.
  const x = tf.tensor2d([
    [1, 2, 3, 4],
    [1, 2, 3, 4],
  ]);
  const y = await rope(x, table, 4, 2).data();
  const turn = (a: number, b: number, angle: number): [number, number] => [
    a * Math.cos(angle) - b * Math.sin(angle),
    b * Math.cos(angle) + a * Math.sin(angle),
  ];
  const [y0, y2] = turn(1, 3, 1);
  const [y1, y3] = turn(2, 4, 0.1);
  expect(farthest(y as Float32Array, Float32Array.from([1, 2, 3, 4, y0, y1, y2, y3]))).toBeLessThan(
    1e-6,
  );
});

test.each(['webgpu', 'wasm'] as const)('ropeAt turns each row as rope does: %s', async (force) => {
  await openEngine({ force });
  const hd = 8;
  const table = ropeTable(32, hd, THETA);
  const { data, shape } = normal([13, 2 * hd], 9);
  const x = tf.tensor2d(data, shape as [number, number]);
  const byRow = (await rope(x, table, hd, 13).data()) as Float32Array;
  const positions = [12, 0, 5, 5];
  const picked = tf.gather(x, tf.tensor1d(positions, 'int32'));
  const at = tf.tensor1d(positions, 'int32');
  const kernel = (await ropeAt(picked, table, hd, at).data()) as Float32Array;
  const reference = (await ropeAtReference(picked, table, hd, at).data()) as Float32Array;
  const expected = Float32Array.from(
    positions.flatMap((p) => [...byRow.subarray(p * 2 * hd, (p + 1) * 2 * hd)]),
  );
  expect(farthest(kernel, expected)).toBeLessThan(1e-6);
  expect(farthest(reference, expected)).toBeLessThan(1e-6);
});

test('more positions than the table has are refused', async () => {
  await openEngine({ force: 'webgpu' });
  expect(() => rope(tf.zeros([9, 4]), ropeTable(8, 4, THETA), 4, 9)).toThrow(
    'rope: 9 positions, but the table has 8',
  );
});
