import * as tf from '@tensorflow/tfjs-core';
import { afterEach, describe, expect, test } from 'vitest';
import { closeEngine, openEngine, type BackendName } from '../../src/engine/backend';
import { ScalarModel } from '../../src/engine/heads';
import { scores, tokenLogprobs, values } from '../../src/engine/inference';
import { completionLoss } from '../../src/engine/losses';
import { Llama } from '../../src/engine/model';
import { initialWeights, readWeights } from '../../src/engine/weights';
import { golden, goldenBatch, largestDifference, MINIATURE, toWeights } from './model-fixture';

const TOLERANCE = 1e-4;

afterEach(() => closeEngine());

describe.each<BackendName>(['webgpu', 'wasm', 'cpu'])('on %s', (force) => {
  test('logits equal LlamaForCausalLM', async () => {
    await openEngine({ force });
    const model = Llama.load(golden.config, toWeights(golden.weights));
    const batch = goldenBatch();
    const logits = tf.tidy(() => model.logits(model.hiddenStates(batch)));
    const numbers = await logits.data();
    const V = golden.config.vocab_size;
    golden.rows.forEach((row, b) => {
      const from = b * batch.T * V;
      const actual = numbers.subarray(from, from + row.logits.length);
      expect(largestDifference(actual, row.logits)).toBeLessThan(TOLERANCE);
    });
    logits.dispose();
    model.dispose();
  });

  test('loss and every gradient equal LlamaForCausalLM', async () => {
    await openEngine({ force });
    const model = Llama.load(golden.config, toWeights(golden.weights));
    const { value, grads } = tf.variableGrads(
      () => completionLoss(model, goldenBatch()).loss,
      [...model.parameters.values()],
    );
    expect((await value.data())[0]).toBeCloseTo(golden.loss, 4);
    expect([...model.parameters.keys()].sort()).toEqual(Object.keys(golden.gradients).sort());
    for (const [name, parameter] of model.parameters) {
      const actual = await grads[parameter.name]!.data();
      const difference = largestDifference(actual, golden.gradients[name]!.data);
      expect(difference, name).toBeLessThan(TOLERANCE);
    }
    tf.dispose([value, grads]);
    model.dispose();
  });

  test('token log-probabilities and entropies equal PyTorch, and are 0 outside the mask', async () => {
    await openEngine({ force });
    const model = Llama.load(golden.config, toWeights(golden.weights));
    const batch = goldenBatch();
    const before = tf.memory().numTensors;
    const { logprobs, entropy } = await tokenLogprobs(model, batch, golden.temperature);
    expect(tf.memory().numTensors).toBe(before);
    golden.rows.forEach((row, b) => {
      const first = row.promptLength - 1;
      const end = row.input_ids.length - 1;
      const at = (all: Float32Array) => all.subarray(b * batch.T + first, b * batch.T + end);
      expect(largestDifference(at(logprobs), row.logprobs.slice(first))).toBeLessThan(TOLERANCE);
      expect(largestDifference(at(entropy), row.entropy.slice(first))).toBeLessThan(TOLERANCE);
    });
    const outside = [...logprobs, ...entropy].filter(
      (_, i) => batch.mask[i % batch.mask.length] === 0,
    );
    expect(outside.length).toBeGreaterThan(0);
    expect(outside.every((x) => x === 0)).toBe(true);
    model.dispose();
  });
});

test('the scalar head is hidden · weight + bias, the same with a fresh head of the same seed', async () => {
  await openEngine({ force: 'webgpu' });
  const weights = toWeights(golden.weights);
  const C = golden.config.hidden_size;
  const head = Float32Array.from({ length: C }, (_, i) => Math.sin(i));
  weights.set('score.weight', { shape: [1, C], data: head });
  weights.set('score.bias', { shape: [1], data: Float32Array.of(0.5) });
  const scalar = ScalarModel.load(golden.config, weights, 1);
  const llama = Llama.load(golden.config, toWeights(golden.weights));
  const batch = goldenBatch();
  const hidden = tf.tidy(() => llama.hiddenStates(batch));
  const h = await hidden.data();
  const expected = Array.from({ length: batch.B * batch.T }, (_, n) =>
    head.reduce((sum, w, c) => sum + w * h[n * C + c]!, 0.5),
  );
  const actual = await values(scalar, batch);
  expect(largestDifference(actual, expected)).toBeLessThan(TOLERANCE);
  const last = await scores(scalar, batch);
  expect([...last]).toEqual([...batch.lengths].map((n, b) => actual[b * batch.T + n - 1]));

  const fresh = [5, 5, 6].map((seed) =>
    ScalarModel.load(golden.config, toWeights(golden.weights), seed),
  );
  const [a, same, other] = await Promise.all(fresh.map((model) => scores(model, batch)));
  expect(same).toEqual(a);
  expect(other).not.toEqual(a);
  hidden.dispose();
  for (const model of [scalar, llama, ...fresh]) model.dispose();
});

test('weights survive a round trip; wrong ones are refused by name and leave nothing behind', async () => {
  await openEngine({ force: 'webgpu' });
  const weights = initialWeights(MINIATURE, 3);
  const before = tf.memory().numTensors;
  const model = Llama.load(MINIATURE, weights);
  expect(await readWeights(model.parameters)).toEqual(weights);
  model.dispose();

  const name = 'model.layers.0.mlp.up_proj.weight';
  const missing = new Map(weights);
  missing.delete(name);
  const wrong = new Map(weights).set(name, { shape: [8, 12], data: new Float32Array(96) });
  const unknown = new Map(weights).set('model.extra', { shape: [1], data: new Float32Array(1) });
  expect(() => Llama.load(MINIATURE, missing)).toThrow(/up_proj\.weight is missing/);
  expect(() => Llama.load(MINIATURE, wrong)).toThrow(/up_proj\.weight has shape \[8, 12\]/);
  expect(() => Llama.load(MINIATURE, unknown)).toThrow(/model\.extra does not belong/);
  expect(() => ScalarModel.load(MINIATURE, missing, 1)).toThrow(/up_proj\.weight is missing/);
  expect(tf.memory().numTensors).toBe(before);
});
