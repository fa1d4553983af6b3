import * as tf from '@tensorflow/tfjs-core';
import { afterEach, describe, expect, test } from 'vitest';
import type { WeightMap } from '../../src/core/domain';
import { closeEngine, openEngine, type BackendName } from '../../src/engine/backend';
import { collate } from '../../src/engine/batch';
import { completionLoss, type LossOutput } from '../../src/engine/losses';
import { numTensors } from '../../src/engine/memory';
import { Llama } from '../../src/engine/model';
import { AdamW, type AdamWOptions } from '../../src/engine/optimizer';
import { initialWeights, readWeights } from '../../src/engine/weights';
import adamw from '../golden/llama/adamw.json';
import {
  golden,
  goldenBatch,
  largestDifference,
  MINIATURE,
  toWeights,
  type JsonTensors,
} from './model-fixture';

const OPTIONS: AdamWOptions = {
  adam_beta1: 0.9,
  adam_beta2: 0.95,
  adam_epsilon: 1e-8,
  weight_decay: 0.1,
  max_grad_norm: 1,
};
const ROWS = [
  { input_ids: [1, 2, 3, 4, 5, 0], promptLength: 2 },
  { input_ids: [6, 7, 8, 0], promptLength: 1 },
];

afterEach(() => closeEngine());

/** Trains a fresh miniature model; continues from `from` when given. */
async function train(
  steps: number,
  from?: { weights: WeightMap; optimizer: Awaited<ReturnType<AdamW['state']>> },
) {
  const model = Llama.load(MINIATURE, from?.weights ?? initialWeights(MINIATURE, 11));
  const optimizer = new AdamW(model.parameters, OPTIONS);
  if (from !== undefined) optimizer.restore(from.optimizer);
  const losses: number[] = [];
  for (let i = 0; i < steps; i++) {
    losses.push((await optimizer.step(() => completionLoss(model, collate(ROWS)), 1e-2)).loss);
  }
  const weights = await readWeights(model.parameters);
  const state = await optimizer.state();
  optimizer.dispose();
  model.dispose();
  return { losses, weights, optimizer: state };
}

describe.each<BackendName>(['webgpu', 'wasm', 'cpu'])('on %s', (force) => {
  test('five clipped steps equal torch.optim.AdamW', async () => {
    await openEngine({ force });
    const model = Llama.load(golden.config, toWeights(golden.weights));
    const optimizer = new AdamW(model.parameters, adamw.options);
    for (const [i, rate] of adamw.learning_rates.entries()) {
      const result = await optimizer.step(() => completionLoss(model, goldenBatch()), rate);
      expect(result.loss).toBeCloseTo(adamw.losses[i]!, 3);
      expect(result.grad_norm).toBeCloseTo(adamw.grad_norms[i]!, 3);
    }
    for (const [name, { data }] of await readWeights(model.parameters)) {
      const expected = (adamw.weights as JsonTensors)[name]!.data;
      expect(largestDifference(data, expected), name).toBeLessThan(1e-4);
    }
    optimizer.dispose();
    model.dispose();
  });

  test('a loss that is not finite is refused and changes nothing', async () => {
    await openEngine({ force });
    const model = Llama.load(MINIATURE, initialWeights(MINIATURE, 11));
    const optimizer = new AdamW(model.parameters, OPTIONS);
    const good = () => completionLoss(model, collate(ROWS));
    await optimizer.step(good, 1e-2);
    const before = await readWeights(model.parameters);
    const stateBefore = await optimizer.state();
    const tensors = numTensors();
    const times = (factor: number) => (): LossOutput => {
      const { loss, stats } = good();
      return { loss: tf.mul(loss, tf.scalar(factor)), stats };
    };
    await expect(optimizer.step(times(NaN), 1e-2)).rejects.toMatchObject({
      code: 'non-finite',
      field: 'loss',
    });
    await expect(optimizer.step(times(Infinity), 1e-2)).rejects.toMatchObject({ field: 'loss' });
    // The loss itself is finite; its gradient is 1e38 times too large for the squares of the norm.
    await expect(optimizer.step(times(1e37), 1e-2)).rejects.toMatchObject({ code: 'non-finite' });
    expect(await readWeights(model.parameters)).toEqual(before);
    expect(await optimizer.state()).toEqual(stateBefore);
    expect(numTensors()).toBe(tensors);
    // And training goes on.
    await optimizer.step(good, 1e-2);
    expect((await optimizer.state()).step).toBe(2);
    optimizer.dispose();
    model.dispose();
  });
});

test('a gradient that is not finite is named although the loss is finite', async () => {
  await openEngine({ force: 'webgpu' });
  const model = Llama.load(MINIATURE, initialWeights(MINIATURE, 11));
  const optimizer = new AdamW(model.parameters, OPTIONS);
  const name = 'model.norm.weight';
  const norm = model.parameters.get(name)!;
  const spoiled = (): LossOutput => {
    const { loss, stats } = completionLoss(model, collate(ROWS));
    // d√x/dx at 0 is infinite; the value is 0.
    const root = tf.sum<tf.Scalar>(tf.sqrt(tf.sub(norm, tf.onesLike(norm))));
    return { loss: tf.add(loss, root), stats };
  };
  await expect(optimizer.step(spoiled, 1e-2)).rejects.toMatchObject({
    code: 'non-finite',
    field: name,
  });
  optimizer.dispose();
  model.dispose();
});

test('200 steps leave the number of tensors as it was and learn the rows', async () => {
  await openEngine({ force: 'webgpu' });
  const model = Llama.load(MINIATURE, initialWeights(MINIATURE, 11));
  const optimizer = new AdamW(model.parameters, OPTIONS);
  const step = () => optimizer.step(() => completionLoss(model, collate(ROWS)), 1e-2);
  const first = await step();
  expect(first.loss).toBeCloseTo(Math.log(MINIATURE.vocab_size), 1);
  const before = numTensors();
  let last = first;
  for (let i = 0; i < 200; i++) last = await step();
  expect(numTensors()).toBe(before);
  expect(last.loss).toBeLessThan(0.05);
  expect(last.stats['mean_token_accuracy']).toBe(1);
  expect(last.stats['num_tokens']).toBe(10);
  optimizer.dispose();
  model.dispose();
  expect(numTensors()).toBeLessThan(before);
});

test('two trainings with one seed agree bit for bit, also across a save and restore', async () => {
  await openEngine({ force: 'webgpu' });
  const once = await train(12);
  expect(await train(12)).toEqual(once);
  const half = await train(5);
  const rest = await train(7, half);
  expect([...half.losses, ...rest.losses]).toEqual(once.losses);
  expect(rest.weights).toEqual(once.weights);
  expect(rest.optimizer).toEqual(once.optimizer);
  const broken = { ...half, optimizer: { step: 5, tensors: new Map(half.optimizer.tensors) } };
  broken.optimizer.tensors.delete('v/model.norm.weight');
  await expect(train(1, broken)).rejects.toMatchObject({ field: 'v/model.norm.weight' });
});

test('learning rate 0 changes no weight', async () => {
  await openEngine({ force: 'webgpu' });
  const weights = initialWeights(MINIATURE, 11);
  const model = Llama.load(MINIATURE, weights);
  const optimizer = new AdamW(model.parameters, OPTIONS);
  await optimizer.step(() => completionLoss(model, collate(ROWS)), 0);
  expect(await readWeights(model.parameters)).toEqual(weights);
  optimizer.dispose();
  model.dispose();
});
