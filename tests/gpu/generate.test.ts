import * as tf from '@tensorflow/tfjs-core';
import { afterEach, describe, expect, test } from 'vitest';
import { STREAM, uniform } from '../../src/core/rng';
import { closeEngine, openEngine, type BackendName } from '../../src/engine/backend';
import { collate } from '../../src/engine/batch';
import { generate } from '../../src/engine/generate';
import { tokenLogprobs } from '../../src/engine/inference';
import { numTensors } from '../../src/engine/memory';
import { Llama } from '../../src/engine/model';
import { Sampler } from '../../src/engine/ops/sample';
import { golden, largestDifference, toWeights } from './model-fixture';

const PROMPTS = [[3, 17, 5], [12, 1, 30, 2, 25, 9], [6]];
const OPTIONS = {
  max_new_tokens: 17,
  temperature: 0.8,
  seed: 21,
  streams: [100, 4_000_000_000, 7],
  eos_token_id: 8,
};

afterEach(() => closeEngine());

describe.each<BackendName>(['webgpu', 'wasm'])('on %s', (force) => {
  test('decoding with a cache equals a full forward pass and leaves no tensor behind', async () => {
    await openEngine({ force });
    const model = Llama.load(golden.config, toWeights(golden.weights));
    const before = numTensors();
    const written = await generate(model, PROMPTS, OPTIONS);
    expect(numTensors()).toBe(before);
    const batch = collate(
      written.map(({ tokens }, b) => ({
        input_ids: [...PROMPTS[b]!, ...tokens],
        promptLength: PROMPTS[b]!.length,
      })),
    );
    const { logprobs } = await tokenLogprobs(model, batch, OPTIONS.temperature);
    written.forEach((row, b) => {
      const from = b * batch.T + PROMPTS[b]!.length - 1;
      const full = logprobs.subarray(from, from + row.tokens.length);
      expect(largestDifference(row.logprobs, full)).toBeLessThan(1e-4);
      const end = row.tokens.indexOf(OPTIONS.eos_token_id);
      expect(end).toBe(row.finish === 'eos' ? row.tokens.length - 1 : -1);
      if (row.finish === 'length') expect(row.tokens.length).toBe(OPTIONS.max_new_tokens);
    });
    model.dispose();
  });

  test('a row does not depend on its neighbours, only on seed and stream', async () => {
    await openEngine({ force });
    const model = Llama.load(golden.config, toWeights(golden.weights));
    const together = await generate(model, PROMPTS, OPTIONS);
    for (const [b, prompt] of PROMPTS.entries()) {
      const [alone] = await generate(model, [prompt], {
        ...OPTIONS,
        streams: [OPTIONS.streams[b]!],
      });
      expect(alone!.tokens).toEqual(together[b]!.tokens);
    }
    const other = await generate(model, PROMPTS, { ...OPTIONS, seed: 22 });
    expect(other.map(({ tokens }) => tokens)).not.toEqual(together.map(({ tokens }) => tokens));
    model.dispose();
  });

  test('draws are the bits of core/rng.ts', async () => {
    await openEngine({ force });
    // Equal logits over 4096 tokens: the token is the top 12 of the 24 bits.
    const V = 4096;
    const B = 40;
    const streams = Array.from({ length: B }, (_, b) => (b * 2654435761) >>> 0);
    const seed = 0xdeadbeef;
    const sampler = new Sampler({
      promptLengths: Int32Array.from({ length: B }, (_, b) => 1 + (b % 5)),
      streams,
      max_new_tokens: 3,
      temperature: 1,
      seed,
    });
    for (let i = 0; i < 3; i++) tf.tidy(() => sampler.sample(tf.zeros<tf.Rank.R2>([B, V])));
    const { tokens, logprobs } = await sampler.read();
    const expected = streams.flatMap((stream) =>
      [0, 1, 2].map((i) => Math.floor(uniform(seed, STREAM.sampling, stream, i) * V)),
    );
    expect([...tokens]).toEqual(expected);
    expect(new Set(expected).size).toBeGreaterThan(100);
    expect(
      largestDifference(
        logprobs,
        expected.map(() => -Math.log(V)),
      ),
    ).toBeLessThan(1e-5);
    const positions = [...(await sampler.positions.data())];
    expect(positions).toEqual(positions.map((_, b) => 1 + (b % 5) + 2));
    sampler.dispose();
  });
});

test('draws follow softmax(logits / temperature)', async () => {
  await openEngine({ force: 'webgpu' });
  const B = 4096;
  const temperature = 0.5;
  const logits = [0, 1, -Infinity, 0.5, -1];
  const weights = logits.map((x) => Math.exp(x / temperature));
  const total = weights.reduce((a, b) => a + b);
  const sampler = new Sampler({
    promptLengths: new Int32Array(B).fill(1),
    streams: Array.from({ length: B }, (_, b) => b),
    max_new_tokens: 1,
    temperature,
    seed: 5,
  });
  const row = logits.map((x) => Math.max(x, -1e30));
  tf.tidy(() =>
    sampler.sample(tf.tensor2d(Array.from({ length: B }, () => row).flat(), [B, row.length])),
  );
  const { tokens } = await sampler.read();
  let chiSquare = 0;
  weights.forEach((weight, token) => {
    const expected = (B * weight) / total;
    const seen = tokens.reduce((n, t) => n + (t === token ? 1 : 0), 0);
    if (expected === 0) expect(seen).toBe(0);
    else chiSquare += (seen - expected) ** 2 / expected;
  });
  // 3 degrees of freedom, p = 0.001.
  expect(chiSquare).toBeLessThan(16.27);
  sampler.dispose();
});

test('options out of range and prompts without room are refused by name', async () => {
  await openEngine({ force: 'webgpu' });
  const model = Llama.load(golden.config, toWeights(golden.weights));
  const before = numTensors();
  const refused = (change: Partial<typeof OPTIONS>, prompts = PROMPTS) =>
    expect(generate(model, prompts, { ...OPTIONS, ...change })).rejects;
  await refused({ temperature: 0 }).toMatchObject({ code: 'argument', field: 'temperature' });
  await refused({ max_new_tokens: 0 }).toMatchObject({ field: 'max_new_tokens' });
  await refused({ streams: [1] }).toMatchObject({ code: 'argument', field: 'streams' });
  await refused({ max_new_tokens: 20 }).toMatchObject({ code: 'input' });
  await refused({}, [[1], [], [2]]).toMatchObject({ code: 'input' });
  await refused({}, [[1], [99], [2]]).toMatchObject({ code: 'input', field: 'input_ids' });
  expect(numTensors()).toBe(before);
  expect(await generate(model, [], { ...OPTIONS, streams: [] })).toEqual([]);
  model.dispose();
});
