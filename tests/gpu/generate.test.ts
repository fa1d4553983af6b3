import * as tf from '@tensorflow/tfjs-core';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { STREAM, uniform } from '../../src/core/rng';
import { closeEngine, openEngine, type BackendName } from '../../src/engine/backend';
import { collate } from '../../src/engine/batch';
import { generate } from '../../src/engine/generate';
import { ScalarModel } from '../../src/engine/heads';
import { scores, tokenLogprobs } from '../../src/engine/inference';
import { numTensors } from '../../src/engine/memory';
import { Llama } from '../../src/engine/model';
import { Sampler } from '../../src/engine/ops/sample';
import { initialWeights } from '../../src/engine/weights';
import { golden, largestDifference, MINIATURE, toWeights } from './model-fixture';

const PROMPTS = [[3, 17, 5], [12, 1, 30, 2, 25, 9], [6]];
const OPTIONS = {
  max_new_tokens: 17,
  temperature: 0.8,
  seed: 21,
  streams: [100, 4_000_000_000, 7],
  eos_token_id: 8,
};

afterEach(() => closeEngine());

test('a failure while a look at the ended rows is under way is told once', async () => {
  await openEngine({ force: 'webgpu' });
  const model = Llama.load(golden.config, toWeights(golden.weights));
  await generate(model, PROMPTS, OPTIONS);
  const decode = model.decode.bind(model);
  let steps = 0;
  vi.spyOn(model, 'decode').mockImplementation((...args) => {
    // the first look is asked for before the eighth step
    if (++steps === 8) throw new Error('the model is gone');
    return decode(...args);
  });
  const unheard: unknown[] = [];
  const listen = (event: PromiseRejectionEvent) => {
    event.preventDefault();
    unheard.push(event.reason);
  };
  addEventListener('unhandledrejection', listen);
  await expect(generate(model, PROMPTS, OPTIONS)).rejects.toThrow('the model is gone');
  await new Promise((done) => setTimeout(done, 500));
  removeEventListener('unhandledrejection', listen);
  expect(unheard).toEqual([]);
  model.dispose();
});

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

  test('a row ends with its end token, the others write on, and nobody draws when all have ended', async () => {
    await openEngine({ force });
    const model = Llama.load(golden.config, toWeights(golden.weights));
    const prompts = [[3, 17], [12]];
    const options = { ...OPTIONS, max_new_tokens: 20, streams: [100, 7] };
    // No token has the id −1, so this is what the rows say when nothing ends them.
    const free = await generate(model, prompts, { ...options, eos_token_id: -1 });
    const [short, long] = free.map(({ tokens }) => tokens);
    const eos_token_id = short!.find((id) => !long!.includes(id))!;
    const length = short!.indexOf(eos_token_id) + 1;
    expect(length).toBeLessThan(16);
    const ended = await generate(model, prompts, { ...options, eos_token_id });
    expect(ended).toEqual([
      {
        tokens: short!.slice(0, length),
        logprobs: free[0]!.logprobs.slice(0, length),
        finish: 'eos',
      },
      { ...free[1]!, finish: 'length' },
    ]);

    const decode = vi.spyOn(model, 'decode');
    await generate(model, [prompts[0]!], { ...options, streams: [100], eos_token_id });
    expect(decode.mock.calls.length).toBeLessThanOrEqual(16);
    model.dispose();
  });

  test('a long prompt beside a short one has its own room in the cache', async () => {
    await openEngine({ force });
    const model = Llama.load(golden.config, toWeights(golden.weights));
    const prompts = [Array.from({ length: 18 }, (_, i) => (i * 7) % 40), [12]];
    const options = { ...OPTIONS, max_new_tokens: 4, streams: [1, 2] };
    const together = await generate(model, prompts, options);
    for (const [b, prompt] of prompts.entries()) {
      const [alone] = await generate(model, [prompt], {
        ...options,
        streams: [options.streams[b]!],
      });
      expect(alone!.tokens).toEqual(together[b]!.tokens);
    }
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
      eos_token_id: -1,
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
    eos_token_id: -1,
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

test('a batch too large for one pass is measured in parts, each row in its own place', async () => {
  await openEngine({ force: 'webgpu' });
  // 8 · 65536 logits for each row: 32 rows in one pass. 8 · 4 · 65536 hidden numbers: 8 rows.
  const talker = { ...MINIATURE, vocab_size: 65536, tie_word_embeddings: true };
  const thinker = { ...MINIATURE, vocab_size: 256, intermediate_size: 65536 };
  const rows = Array.from({ length: 34 }, (_, b) => ({
    input_ids: [3 + b, 40 + 6 * b, 9, 100 + b],
    promptLength: 1,
  }));
  const batch = collate(rows);
  const policy = Llama.load(talker, initialWeights(talker, 2));
  const measured = await tokenLogprobs(policy, batch, 1);
  for (const b of [0, 9, 33]) {
    const { logprobs, entropy } = await tokenLogprobs(policy, collate([rows[b]!]), 1);
    const at = (all: Float32Array) => all.subarray(b * batch.T, (b + 1) * batch.T);
    expect(largestDifference(at(measured.logprobs), logprobs)).toBeLessThan(1e-5);
    expect(largestDifference(at(measured.entropy), entropy)).toBeLessThan(1e-5);
  }
  const scalar = ScalarModel.load(thinker, initialWeights(thinker, 2), 1);
  const scored = await scores(scalar, collate(rows.slice(0, 10)));
  const last = await scores(scalar, collate([rows[9]!]));
  expect(scored[9]).toBeCloseTo(last[0]!, 5);
  // Rows differ by more than the tolerance, so a row in another's place would be seen.
  expect(Math.abs(scored[9]! - scored[1]!)).toBeGreaterThan(1e-3);
  policy.dispose();
  scalar.dispose();
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
