import * as tf from '@tensorflow/tfjs-core';
import { afterEach, describe, expect, test } from 'vitest';
import type { WeightMap } from '../../src/core/domain';
import { closeEngine, openEngine, type BackendName } from '../../src/engine/backend';
import { collate } from '../../src/engine/batch';
import { ScalarModel } from '../../src/engine/heads';
import { scores, tokenLogprobs, values } from '../../src/engine/inference';
import {
  kwiseRewardLoss,
  ppoPolicyLoss,
  ppoValueLoss,
  type LossOutput,
} from '../../src/engine/losses';
import { Llama } from '../../src/engine/model';
import { AdamW } from '../../src/engine/optimizer';
import { initialWeights } from '../../src/engine/weights';
import { golden, goldenBatch, MINIATURE, toWeights } from './model-fixture';

afterEach(() => closeEngine());

/** The loss and its statistics as numbers. */
async function numbersOf(compute: () => LossOutput): Promise<Record<string, number>> {
  const tensors = tf.tidy(() => {
    const { loss, stats } = compute();
    return { ...stats, loss };
  });
  const read = await Promise.all(
    Object.entries(tensors).map(async ([name, x]) => [name, (await x.data())[0]!] as const),
  );
  tf.dispose(tensors);
  return Object.fromEntries(read);
}

function miniature(score: number): WeightMap {
  const C = MINIATURE.hidden_size;
  const data = Float32Array.from({ length: C }, (_, i) => score * Math.cos(i));
  return initialWeights(MINIATURE, 4).set('score.weight', { shape: [1, C], data });
}

const K_WISE = collate(
  [
    [1, 2, 3],
    [1, 2, 4, 5],
    [1, 2, 6],
    [1, 2, 7, 8, 9],
  ].map((input_ids) => ({
    input_ids,
    promptLength: 2,
  })),
);
const PAIRS = [
  { winner: 0, loser: 1, weight: 0.25 },
  { winner: 1, loser: 2, weight: 0.25 },
  { winner: 3, loser: 0, weight: 0.5 },
];
const mean = (xs: number[]) => xs.reduce((a, b) => a + b, 0) / xs.length;

describe.each<BackendName>(['webgpu', 'wasm'])('on %s', (force) => {
  test('K-wise reward loss: ln 2 with a zero head, the formula with another', async () => {
    await openEngine({ force });
    const zero = ScalarModel.load(MINIATURE, miniature(0), 1);
    const off = { margin: 0, center: 0 };
    const start = await numbersOf(() => kwiseRewardLoss(zero, K_WISE, PAIRS, off));
    expect(start['loss']).toBeCloseTo(Math.LN2, 6);
    expect(start['accuracy']).toBe(0);

    const model = ScalarModel.load(MINIATURE, miniature(3), 1);
    const r = await scores(model, K_WISE);
    const margin = 0.3;
    const center = 0.2;
    const expected = PAIRS.reduce((sum, { winner, loser, weight }) => {
      const x = r[winner]! - r[loser]! - margin;
      return sum + weight * (Math.log1p(Math.exp(-x)) + center * (r[winner]! + r[loser]!) ** 2);
    }, 0);
    const actual = await numbersOf(() => kwiseRewardLoss(model, K_WISE, PAIRS, { margin, center }));
    const deltas = PAIRS.map(({ winner, loser }) => r[winner]! - r[loser]!);
    expect(actual['loss']).toBeCloseTo(expected, 4);
    expect(actual['accuracy']).toBeCloseTo(deltas.filter((d) => d > 0).length / 3, 5);
    expect(actual['margin']).toBeCloseTo(mean(deltas), 4);
    expect(actual['min_reward']).toBeCloseTo(Math.min(...r), 5);
    expect(actual['mean_reward']).toBeCloseTo(mean([...r]), 5);
    expect(actual['max_reward']).toBeCloseTo(Math.max(...r), 5);
    expect(() => tf.tidy(() => kwiseRewardLoss(model, K_WISE, [], off).loss)).toThrow(/no pair/);
    zero.dispose();
    model.dispose();
  });

  test('policy loss: −1.2 and −0.3679 for Δ log π = ±1, A = 1, clip 0.2', async () => {
    await openEngine({ force });
    const model = Llama.load(golden.config, toWeights(golden.weights));
    const batch = goldenBatch();
    const temperature = 0.8;
    const { logprobs, entropy } = await tokenLogprobs(model, batch, temperature);
    const advantages = new Float32Array(logprobs.length).fill(1);
    const at = (shift: number) => {
      // −100 outside the mask: no padding may reach the loss.
      const oldLogprobs = logprobs.map((x, i) => (batch.mask[i] === 1 ? x - shift : -100));
      const settings = { cliprange: 0.2, temperature };
      return numbersOf(() => ppoPolicyLoss(model, batch, { oldLogprobs, advantages }, settings));
    };
    const same = await at(0);
    expect(same['loss']).toBeCloseTo(-1, 5);
    expect(same['ratio']).toBeCloseTo(1, 5);
    expect(same['ratio_var']).toBeCloseTo(0, 5);
    expect(same['approxkl']).toBeCloseTo(0, 5);
    expect(same['clipfrac']).toBe(0);
    const masked = [...entropy].filter((_, i) => batch.mask[i] === 1);
    expect(same['entropy']).toBeCloseTo(mean(masked), 4);
    const up = await at(1);
    expect(up['loss']).toBeCloseTo(-1.2, 4);
    expect(up['clipfrac']).toBeCloseTo(1, 5);
    expect(up['approxkl']).toBeCloseTo(0.5, 4);
    expect(up['ratio']).toBeCloseTo(Math.E, 3);
    expect((await at(-1))['loss']).toBeCloseTo(-0.3679, 4);
    model.dispose();
  });

  test('value loss: the formula, clipped and not', async () => {
    await openEngine({ force });
    const model = ScalarModel.load(MINIATURE, miniature(2), 1);
    const v = await values(model, K_WISE);
    const oldValues = v.map((x, i) => x + (i % 2 === 0 ? 0.5 : 0.05));
    const returns = v.map((x, i) => x + Math.sin(i));
    const places = [...v.keys()].filter((i) => K_WISE.mask[i] === 1);
    const terms = places.map((i) => {
      const change = Math.min(0.2, Math.max(-0.2, v[i]! - oldValues[i]!));
      const error = (v[i]! - returns[i]!) ** 2;
      const clipped = (oldValues[i]! + change - returns[i]!) ** 2;
      return { error, clipped, largest: Math.max(error, clipped) };
    });
    const settings = { cliprange_value: 0.2, vf_coef: 0.1 };
    const actual = await numbersOf(() =>
      ppoValueLoss(model, K_WISE, { oldValues, returns }, settings),
    );
    const vf_loss = 0.5 * mean(terms.map(({ largest }) => largest));
    expect(actual['vf_loss']).toBeCloseTo(vf_loss, 4);
    expect(actual['loss']).toBeCloseTo(0.1 * vf_loss, 5);
    expect(actual['error']).toBeCloseTo(mean(terms.map(({ error }) => error)), 4);
    const moved = terms.map(({ clipped, error }) => (clipped > error + 1e-6 ? 1 : 0) as number);
    expect(actual['vf_clipfrac']).toBeCloseTo(mean(moved), 5);
    expect(mean(moved)).toBeGreaterThan(0);
    expect(actual['vpred']).toBeCloseTo(mean(places.map((i) => v[i]!)), 4);
    model.dispose();
  });

  test('each loss goes down when its optimizer steps', async () => {
    await openEngine({ force });
    const options = {
      adam_beta1: 0.9,
      adam_beta2: 0.95,
      adam_epsilon: 1e-5,
      weight_decay: 0,
      max_grad_norm: 1,
    };
    const reward = ScalarModel.load(MINIATURE, miniature(1), 1);
    const value = ScalarModel.load(MINIATURE, miniature(1), 1);
    const policy = Llama.load(MINIATURE, initialWeights(MINIATURE, 4));
    const { logprobs: oldLogprobs } = await tokenLogprobs(policy, K_WISE, 1);
    const oldValues = await values(value, K_WISE);
    const returns = oldValues.map((x) => x + 0.15);
    const advantages = oldLogprobs.map((_, i) => Math.sin(i));
    const runs: [ReadonlyMap<string, tf.Variable>, () => LossOutput][] = [
      [reward.parameters, () => kwiseRewardLoss(reward, K_WISE, PAIRS, { margin: 0, center: 0 })],
      [
        value.parameters,
        () =>
          ppoValueLoss(value, K_WISE, { oldValues, returns }, { cliprange_value: 9, vf_coef: 1 }),
      ],
      [
        policy.parameters,
        () =>
          ppoPolicyLoss(
            policy,
            K_WISE,
            { oldLogprobs, advantages },
            { cliprange: 0.2, temperature: 1 },
          ),
      ],
    ];
    for (const [parameters, loss] of runs) {
      const optimizer = new AdamW(parameters, options);
      const first = await optimizer.step(loss, 3e-3);
      let last = first;
      for (let i = 0; i < 4; i++) last = await optimizer.step(loss, 3e-3);
      expect(last.loss).toBeLessThan(first.loss);
      optimizer.dispose();
    }
    for (const model of [reward, value, policy]) model.dispose();
  });
});
