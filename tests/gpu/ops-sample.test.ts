import * as tf from '@tensorflow/tfjs-core';
import { expect, test } from 'vitest';
import { STREAM, uniform } from '../../src/core/rng';
import { openEngine } from '../../src/engine/backend';
import { Sampler } from '../../src/engine/ops/sample';
import { chooseVariant } from '../../src/engine/variants';

const SEED = 77;
// Prime, and more than one round of a workgroup; a prime number of rows.
const V = 131;
const DRAWS = 2;

test.each(['registers', 'shared', 'subgroups'] as const)(
  'in the %s variant equal logits give the token of the draw, certain ones no other',
  async (variant) => {
    await openEngine({ force: 'webgpu' });
    chooseVariant('sample', variant);
    const only = (token: number): number[] =>
      Array.from({ length: V }, (_, v) => (v === token ? 1e30 : -1e30));
    const even = Array<number>(V).fill(-7);
    const rows = [only(0), only(V - 1), only(64), ...Array<number[]>(8).fill(even)];
    const B = rows.length;
    const streams = rows.map((_, b) => b + 5);
    const sampler = new Sampler({
      promptLengths: new Int32Array(B).fill(2),
      streams,
      max_new_tokens: DRAWS,
      temperature: 0.5,
      seed: SEED,
      eos_token_id: 64,
    });
    for (let i = 0; i < DRAWS; i++) tf.tidy(() => sampler.sample(tf.tensor2d(rows, [B, V])));
    const { tokens, logprobs } = await sampler.read();
    const expected = streams.flatMap((stream, b) =>
      [0, 1].map((i) => {
        if (b < 3) return [0, V - 1, 64][b]!;
        // Running sums of equal weights are whole numbers, so the border between tokens is exact.
        return Math.floor(Math.fround(uniform(SEED, STREAM.sampling, stream, i) * V));
      }),
    );
    expect([...tokens]).toEqual(expected);
    expect(new Set(expected).size).toBeGreaterThan(10);
    expect([...logprobs.subarray(0, 6)]).toEqual([0, 0, 0, 0, 0, 0]);
    for (const logprob of logprobs.subarray(6)) expect(logprob).toBeCloseTo(-Math.log(V), 5);
    expect([...(await sampler.positions.data())]).toEqual(Array(B).fill(3));
    expect(await sampler.allEnded()).toBe(false);
    sampler.dispose();
  },
);
