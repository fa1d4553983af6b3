/** Declares the tests that every differentiable op of the engine has to pass. */
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { openEngine } from '../../src/engine/backend';
import { gpuBytes, numTensors } from '../../src/engine/memory';

export interface HostArray {
  shape: number[];
  data: Float32Array;
}

export type Op = (...inputs: tf.Tensor[]) => tf.Tensor;

export interface OpCase {
  name: string;
  /** The inputs that have gradients. */
  inputs: HostArray[];
  /** What the product calls; makes tables and indices it needs by itself. */
  op: Op;
  /** Stock tfjs ops. */
  reference: Op;
}

interface Outcome {
  value: Float32Array;
  grads: Float32Array[];
}

/** Normal numbers from a fixed stream (mulberry32 and Box-Muller). */
export function normal(shape: number[], seed: number, std = 1): HostArray {
  let state = seed >>> 0;
  const uniform = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let z = state;
    z = Math.imul(z ^ (z >>> 15), z | 1);
    z ^= z + Math.imul(z ^ (z >>> 7), z | 61);
    return (((z ^ (z >>> 14)) >>> 0) + 0.5) / 2 ** 32;
  };
  const size = shape.reduce((product, n) => product * n, 1);
  const data = Float32Array.from(
    { length: size },
    () => std * Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform()),
  );
  return { shape, data };
}

/** Weights of the outputs in the scalar Σ y·u, whose gradient is tested. */
const upstream = (shape: number[]): HostArray => normal(shape, 4242);

async function read(tensor: tf.Tensor): Promise<Float32Array> {
  const data = (await tensor.data()) as Float32Array;
  return data.slice();
}

async function run(op: Op, inputs: HostArray[]): Promise<Outcome> {
  const { value, grads } = tf.tidy(() => {
    const tensors = inputs.map(({ data, shape }) => tf.tensor(data.slice(), shape));
    const shape = op(...tensors).shape;
    const dy = upstream(shape);
    return tf.valueAndGrads(op)(tensors, tf.tensor(dy.data, dy.shape));
  });
  const outcome = { value: await read(value), grads: await Promise.all(grads.map(read)) };
  tf.dispose([value, ...grads]);
  return outcome;
}

async function forward(op: Op, inputs: HostArray[]): Promise<number> {
  const value = tf.tidy(() =>
    op(...inputs.map(({ data, shape }) => tf.tensor(data.slice(), shape))),
  );
  const y = await read(value);
  const u = upstream(value.shape).data;
  value.dispose();
  return y.reduce((sum, v, i) => sum + v * u[i]!, 0);
}

/** Largest difference relative to the size of the numbers compared. */
export function farthest(actual: Float32Array, expected: Float32Array): number {
  expect(actual.length).toBe(expected.length);
  const scale = expected.reduce((most, v) => Math.max(most, Math.abs(v)), 1e-3);
  // NaN is farthest of all: a plain maximum would drop it.
  return actual.reduce((most, v, i) => {
    const distance = Math.abs(v - expected[i]!) / scale;
    return Number.isNaN(distance) ? Infinity : Math.max(most, distance);
  }, 0);
}

function expectClose(actual: Outcome, expected: Outcome, tolerance: number): void {
  expect(farthest(actual.value, expected.value), 'value').toBeLessThan(tolerance);
  expect(actual.grads.length).toBe(expected.grads.length);
  actual.grads.forEach((grad, i) => {
    expect(farthest(grad, expected.grads[i]!), `gradient ${i}`).toBeLessThan(tolerance);
  });
}

/** f32 sums of a few hundred products in two orders. */
const TOLERANCE = 2e-5;
/** Step of the central difference: its error is O(step²), the rounding error O(1e-7 / step). */
const STEP = 5e-3;
const FINITE_TOLERANCE = 3e-3;
const DIRECTIONS = 3;

/** @param choose chooses variants; an engine that is opened has none chosen yet */
export function describeOp(name: string, cases: OpCase[], choose?: () => void): void {
  describe(name, () => {
    beforeAll(async () => {
      await openEngine({ force: 'webgpu' });
      choose?.();
    });

    test.each(cases)('$name: kernel agrees with stock ops, twice the same', async (item) => {
      const first = await run(item.op, item.inputs);
      const again = await run(item.op, item.inputs);
      const expected = await run(item.reference, item.inputs);
      expectClose(first, expected, TOLERANCE);
      expect(again).toEqual(first);
    });

    test.each(cases)('$name: gradients agree with finite differences', async (item) => {
      const { grads } = await run(item.op, item.inputs);
      for (const [at, input] of item.inputs.entries()) {
        for (let d = 0; d < DIRECTIONS; d++) {
          const direction = normal(input.shape, 900 + d).data;
          const moved = (by: number): HostArray[] =>
            item.inputs.map((other, i) =>
              i === at
                ? { ...other, data: other.data.map((v, j) => v + by * direction[j]!) }
                : other,
            );
          const slope =
            ((await forward(item.op, moved(STEP))) - (await forward(item.op, moved(-STEP)))) /
            (2 * STEP);
          const expected = grads[at]!.reduce((sum, g, j) => sum + g * direction[j]!, 0);
          // Relative to what a random direction gives, so that a slope near 0 is no trouble.
          const scale = Math.max(1, Math.hypot(...grads[at]!));
          expect(Math.abs(slope - expected) / scale, `input ${at}`).toBeLessThan(FINITE_TOLERANCE);
        }
      }
    });

    test('200 repetitions leave no tensor and no further GPU memory behind', async () => {
      const item = cases[0]!;
      await run(item.op, item.inputs);
      const before = numTensors();
      let bytes = 0;
      for (let i = 0; i < 200; i++) {
        await run(item.op, item.inputs);
        if (i === 99) bytes = gpuBytes();
      }
      expect(numTensors()).toBe(before);
      expect(bytes).toBeGreaterThan(0);
      expect(gpuBytes()).toBe(bytes);
    });

    test('the wasm backend gives the same numbers', async () => {
      const expected: Outcome[] = [];
      for (const item of cases) expected.push(await run(item.op, item.inputs));
      const { backend } = await openEngine({ force: 'wasm' });
      expect(backend).toBe('wasm');
      for (const [i, item] of cases.entries()) {
        expectClose(await run(item.op, item.inputs), expected[i]!, TOLERANCE);
      }
    });
  });
}
