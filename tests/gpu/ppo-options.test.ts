/** What PPO offers beyond its defaults: a rule for a reward, a shared trunk, PPO-ptx, averaged weights. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { stageConfig } from '../../src/core/config';
import type { WeightMap } from '../../src/core/domain';
import { closeEngine, openEngine } from '../../src/engine/backend';
import { ScalarModel } from '../../src/engine/heads';
import { numTensors } from '../../src/engine/memory';
import { readWeights } from '../../src/engine/weights';
import { trainPpo, type PpoInput } from '../../src/rlhf/ppo';
import type { RewardSource } from '../../src/rlhf/ppo-models';
import { drain, loadNano, loadTask, sameWeights, type Nano } from './rlhf-fixture';

let nano: Nano;
let prompts: string[];
let reward: RewardSource;

beforeAll(async () => {
  await openEngine({ force: 'webgpu' });
  nano = await loadNano();
  prompts = (await loadTask('polite')).prompts.slice(0, 4);
  const fresh = ScalarModel.load(nano.modelConfig, nano.weights, 3);
  reward = { kind: 'model', weights: await readWeights(fresh.parameters), shift: 0, scale: 1 };
  fresh.dispose();
});
afterAll(closeEngine);

const input = (changes: Partial<PpoInput> = {}): PpoInput => ({
  modelConfig: nano.modelConfig,
  policyWeights: nano.weights,
  reward,
  prompts,
  seed: 1,
  ...changes,
});
const small = (changes = {}) =>
  stageConfig('ppo', {
    num_iterations: 2,
    rollout_batch_size: 4,
    response_length: 8,
    num_ppo_epochs: 1,
    learning_rate: 1e-3,
    warmup_iterations: 0,
    ...changes,
  });
const TEXTS = ['Tom had a hat.', 'Anna was glad. She had a cat.', 'It was a cold day in Saltby.'];

const OPTIONS = {
  'a shared trunk': { value_model: 'shared-trunk' },
  'PPO-ptx': { ptx_coef: 2, ptx_batch_ratio: 0.5 },
  'averaged weights': { ema_decay: 0.9 },
} as const;

describe.each(Object.entries(OPTIONS))('%s', (_, changes) => {
  test('is resumed bit for bit, and leaves no tensor behind', async () => {
    const before = numTensors();
    const from = input({ pretrainingTexts: TEXTS });
    const whole = await drain(trainPpo(from, small(changes), nano));
    const stage = trainPpo(from, small(changes), nano);
    const cut = await drain(stage, 1);
    const resume = await cut.events[0]!.snapshot();
    await stage.return({ weights: new Map() });
    const rest = await drain(trainPpo(from, small(changes), { ...nano, resume }));
    expect(rest.rows).toEqual(whole.rows.slice(1));
    expect(sameWeights(rest.output!.weights, whole.output!.weights)).toBe(true);
    expect(numTensors()).toBe(before);
  });
});

const difference = (a: WeightMap, b: WeightMap, name: string): number[] =>
  [...a.get(name)!.data].map((x, i) => x - b.get(name)!.data[i]!);
const EMBEDDING = 'model.embed_tokens.weight';

test('a shared trunk is moved by the value loss too, and has no second optimizer', async () => {
  const shared = { value_model: 'shared-trunk', num_iterations: 1 };
  const run = async (vf_coef: number) => {
    const stage = trainPpo(input(), small({ ...shared, vf_coef }), nano);
    const { events } = await drain(stage, 1);
    const { tensors } = await events[0]!.snapshot();
    await stage.return({ weights: new Map() });
    return tensors;
  };
  const [without, with_] = [await run(0), await run(1)];
  expect([...with_.keys()].filter((name) => name.startsWith('value-optimizer/'))).toEqual([]);
  expect([...with_.keys()].filter((name) => name.startsWith('value/')).sort()).toEqual([
    'value/score.bias',
    'value/score.weight',
  ]);
  expect(difference(without, with_, `policy/${EMBEDDING}`).some((x) => x !== 0)).toBe(true);
});

test('PPO-ptx logs the pretraining loss and keeps it lower than PPO alone does', async () => {
  const settings = { num_iterations: 5, ptx_batch_ratio: 2 };
  const from = input({ pretrainingTexts: TEXTS });
  const { rows } = await drain(trainPpo(from, small({ ...settings, ptx_coef: 1 }), nano));
  const [none] = (await drain(trainPpo(from, small(), nano), 1)).rows;
  expect(none).not.toHaveProperty('loss/ptx_avg');
  expect(rows.at(-1)!['loss/ptx_avg']).toBeLessThan(rows[0]!['loss/ptx_avg']! - 0.2);
});

test('PPO-ptx without pretraining text is refused, by name', async () => {
  await expect(drain(trainPpo(input(), small({ ptx_coef: 1 }), nano))).rejects.toMatchObject({
    code: 'missing',
    field: 'ptx_coef',
  });
});

test('averaged weights go a tenth of the way in one iteration', async () => {
  const one = { num_iterations: 1 };
  const last = (await drain(trainPpo(input(), small(one), nano))).output!.weights;
  const average = (await drain(trainPpo(input(), small({ ...one, ema_decay: 0.9 }), nano))).output!
    .weights;
  const way = difference(last, nano.weights, EMBEDDING);
  const gone = difference(average, nano.weights, EMBEDDING);
  expect(Math.max(...way.map(Math.abs))).toBeGreaterThan(1e-4);
  gone.forEach((x, i) => expect(Math.abs(x - 0.1 * way[i]!)).toBeLessThan(1e-6));
});

describe('the reward', () => {
  test('can be a rule, which sees the prompt and the completion', async () => {
    const seen: [string, string][] = [];
    const score = (prompt: string, { text }: { text: string }) => {
      seen.push([prompt, text]);
      return text.length;
    };
    const { rows, events } = await drain(
      trainPpo(
        input({ reward: { kind: 'rule', score } }),
        small({ num_iterations: 1, missing_eos: 'off', reward_clip: 0 }),
        nano,
      ),
      1,
    );
    expect(new Set(seen.map(([prompt]) => prompt))).toEqual(new Set(prompts));
    const lengths = seen.map(([, text]) => text.length);
    expect(rows[0]!['objective/scores']).toBeCloseTo(lengths.reduce((a, b) => a + b, 0) / 4, 4);
    expect(events[0]!.samples!.map(({ text }) => text.trim())).toEqual(
      seen.map(([, text]) => text),
    );
  });

  test('that is no number is refused, naming the completion', async () => {
    const rule: RewardSource = { kind: 'rule', score: () => NaN };
    await expect(drain(trainPpo(input({ reward: rule }), small(), nano))).rejects.toMatchObject({
      code: 'non-finite',
      field: 'objective/scores',
    });
    const head = new Map(reward.kind === 'model' ? reward.weights : []);
    head.set('score.bias', { shape: [1], data: Float32Array.of(NaN) });
    const model: RewardSource = { kind: 'model', weights: head, shift: 0, scale: 1 };
    await expect(drain(trainPpo(input({ reward: model }), small(), nano))).rejects.toMatchObject({
      code: 'non-finite',
      field: 'objective/scores',
    });
  });
});

describe('token receipts', () => {
  const settings = { num_iterations: 2, kl_coef: 0.3, learning_rate: 5e-3, cliprange: 0.05 };

  test('add up to what is logged, and tell what the update did to each token', async () => {
    const { events, rows } = await drain(trainPpo(input(), small(settings), nano));
    const row = rows[1]!;
    const samples = events[1]!.samples!;
    expect(samples).toHaveLength(4); // all of them, so that means can be compared
    const all = samples.map(({ receipt }) => receipt!);
    const sum = (xs: readonly number[]) => xs.reduce((a, b) => a + b, 0);
    const mean = (xs: readonly number[]) => sum(xs) / xs.length;
    expect(row['objective/kl']).not.toBe(0);
    expect(mean(all.map(({ rewards }) => sum(rewards)))).toBeCloseTo(
      row['objective/rlhf_reward']!,
      4,
    );
    expect(mean(all.map(({ charges }) => sum(charges)))).toBeCloseTo(
      row['objective/non_score_reward']!,
      5,
    );
    samples.forEach(({ receipt, kl, score, finish }) => {
      const { tokens, logprobs, refLogprobs, rewards, charges } = receipt!;
      expect(sum(logprobs) - sum(refLogprobs)).toBeCloseTo(kl!, 4);
      expect(sum(rewards)).toBeCloseTo(score! - 0.3 * kl!, 4);
      expect(rewards.at(-1)! - charges.at(-1)!).toBeCloseTo(score!, 4);
      expect(tokens.at(-1) === '<|end|>').toBe(finish === 'eos');
    });
    expect(mean(all.flatMap(({ returns }) => returns))).toBeCloseTo(row['ppo/returns/mean']!, 4);
    expect(mean(all.flatMap(({ values }) => values))).toBeCloseTo(row['ppo/val/vpred']!, 4);
    expect(mean(all.flatMap(({ advantages }) => advantages))).toBeCloseTo(0, 4);
    const tokens = all.flatMap(({ ratios, advantages, clipped }) =>
      ratios.map((ratio, t) => ({ ratio, advantage: advantages[t]!, clipped: clipped[t]! })),
    );
    expect(tokens.some(({ clipped }) => clipped)).toBe(true);
    for (const { ratio, advantage, clipped } of tokens) {
      expect(clipped).toBe(advantage > 0 ? ratio > 1.05 : ratio < 0.95);
    }
  });

  test('show ratio 1 when nothing was learnt', async () => {
    const config = { ...small({ num_iterations: 1 }), learning_rate: 0 };
    const { events } = await drain(trainPpo(input(), config, nano));
    const ratios = events[0]!.samples!.flatMap(({ receipt }) => receipt!.ratios);
    expect(new Set(ratios)).toEqual(new Set([1]));
  });
});
