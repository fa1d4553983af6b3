import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { stageConfig } from '../../src/core/config';
import type { PlaygroundError } from '../../src/core/errors';
import { closeEngine, openEngine } from '../../src/engine/backend';
import { numTensors } from '../../src/engine/memory';
import { trainPpo } from '../../src/rlhf/ppo';
import { pretrain } from '../../src/rlhf/pretrain';
import { trainReward } from '../../src/rlhf/reward';
import { trainSft } from '../../src/rlhf/sft';
import {
  asDemonstrations,
  drain,
  loadNano,
  loadTask,
  politeRankings,
  sameWeights,
  type Nano,
  type Task,
} from './rlhf-fixture';

let nano: Nano;
let task: Task;

beforeAll(async () => {
  const engine = await openEngine({ force: 'webgpu' });
  expect(engine.backend).toBe('webgpu');
  nano = await loadNano();
  task = await loadTask('polite');
});
afterAll(closeEngine);

const sftInput = (heldOut = 4) => ({
  ...nano,
  demonstrations: asDemonstrations(task, 20, heldOut),
  samplePrompts: [],
  seed: 1,
});
const sftConfig = (changes = {}) => stageConfig('sft', { num_train_epochs: 2, ...changes });

describe('SFT', () => {
  test('lowers the training and the held-out loss and leaves no tensor behind', async () => {
    const before = numTensors();
    const { rows } = await drain(trainSft(sftInput(), sftConfig({ num_train_epochs: 6 }), nano));
    expect(rows).toHaveLength(12);
    expect(rows.at(-1)!.loss).toBeLessThan(rows[0]!.loss! * 0.8);
    expect(rows.at(-1)!.eval_loss).toBeLessThan(rows[0]!.eval_loss!);
    expect(numTensors()).toBe(before);
  });

  test('a run cut off after 2 of 4 steps and resumed equals one never cut off', async () => {
    const whole = await drain(trainSft(sftInput(), sftConfig(), nano));
    const stage = trainSft(sftInput(), sftConfig(), nano);
    const cut = await drain(stage, 2);
    const resume = await cut.events[1]!.snapshot();
    await stage.return({ weights: new Map() });
    const rest = await drain(trainSft(sftInput(), sftConfig(), { ...nano, resume }));
    expect(rest.rows).toEqual(whole.rows.slice(2));
    expect(sameWeights(rest.output!.weights, whole.output!.weights)).toBe(true);
  });

  test('refuses to train on nothing, by name', async () => {
    const input = { ...sftInput(), demonstrations: [] };
    await expect(drain(trainSft(input, sftConfig(), nano))).rejects.toMatchObject({
      code: 'missing',
      field: 'demonstrations',
    } satisfies Partial<PlaygroundError>);
  });
});

describe('reward model', () => {
  const input = (count = 24) => ({
    ...nano,
    rankings: politeRankings(task, count),
    demonstrations: asDemonstrations(task, 20, 0),
    seed: 1,
  });

  test('learns which completions are polite, on rankings it never saw', async () => {
    const before = numTensors();
    const config = stageConfig('reward', { num_train_epochs: 4 });
    const { rows, output } = await drain(trainReward(input(), config, nano));
    // a random head of unit size: no pair is won or lost by much before the first step
    expect(Math.abs(rows[0]!.loss! - Math.LN2)).toBeLessThan(0.6);
    // 5 held-out prompts: chance is 0.5, and two wrong pairs more or less are 0.07
    expect(rows.at(-1)!.eval_accuracy).toBeGreaterThan(0.62);
    expect(rows.at(-1)!.loss).toBeLessThan(0.5);
    expect(output!.rewardScale).toBeGreaterThan(0);
    expect(numTensors()).toBe(before);
  });

  test('a run cut off and resumed equals one never cut off', async () => {
    const config = stageConfig('reward', {});
    const whole = await drain(trainReward(input(), config, nano));
    const stage = trainReward(input(), config, nano);
    const cut = await drain(stage, 2);
    const resume = await cut.events[1]!.snapshot();
    await stage.return(whole.output!);
    const rest = await drain(trainReward(input(), config, { ...nano, resume }));
    expect(rest.rows).toEqual(whole.rows.slice(2));
    expect(sameWeights(rest.output!.weights, whole.output!.weights)).toBe(true);
  });

  test('refuses rankings that decide nothing', async () => {
    const rankings = politeRankings(task, 3).map((r) => ({ ...r, ranks: [1, 1, 1, 1] }));
    const config = stageConfig('reward', {});
    await expect(drain(trainReward({ ...input(), rankings }, config, nano))).rejects.toMatchObject({
      code: 'missing',
      field: 'rankings',
    });
  });
});

describe('PPO', () => {
  let reward: { weights: Nano['weights']; rewardShift: number; rewardScale: number };
  beforeAll(async () => {
    const config = stageConfig('reward', { num_train_epochs: 2 });
    const run = trainReward(
      {
        ...nano,
        rankings: politeRankings(task, 16),
        demonstrations: asDemonstrations(task, 20, 0),
        seed: 1,
      },
      config,
      nano,
    );
    reward = (await drain(run)).output!;
  });
  const input = () => ({
    modelConfig: nano.modelConfig,
    policyWeights: nano.weights,
    reward: {
      kind: 'model' as const,
      weights: reward.weights,
      shift: reward.rewardShift,
      scale: reward.rewardScale,
    },
    prompts: task.prompts.slice(0, 8),
    seed: 1,
  });
  const small = (changes = {}) =>
    stageConfig('ppo', {
      num_iterations: 3,
      rollout_batch_size: 8,
      response_length: 16,
      num_mini_batches: 2,
      ...changes,
    });

  test('starts with ratio 1 and KL 0, and leaves no tensor behind', async () => {
    const before = numTensors();
    const { rows } = await drain(trainPpo(input(), small(), nano));
    expect(rows).toHaveLength(3);
    expect(rows[0]!['objective/kl']).toBeCloseTo(0, 6);
    for (const row of rows) expect(Math.abs(row['val/ratio_first']! - 1)).toBeLessThan(1e-4);
    expect(numTensors()).toBe(before);
  });

  test('with a learning rate that moves nothing, ratio stays exactly 1 and KL exactly 0', async () => {
    const { rows } = await drain(trainPpo(input(), { ...small(), learning_rate: 0 }, nano));
    for (const row of rows) {
      expect(row['val/ratio']).toBe(1);
      expect(row['objective/kl']).toBe(0);
      expect(row['policy/clipfrac_avg']).toBe(0);
    }
  });

  test('raises the reward', async () => {
    const config = small({
      num_iterations: 14,
      rollout_batch_size: 16,
      num_mini_batches: 1,
      // long steps and a low price, to see it in few iterations
      learning_rate: 1e-3,
      lr_schedule: 'constant',
      kl_coef: 0.05,
    });
    const { rows } = await drain(trainPpo(input(), config, nano));
    const mean = (part: typeof rows) =>
      part.reduce((sum, row) => sum + row['objective/rlhf_reward']!, 0) / part.length;
    expect(mean(rows.slice(-4))).toBeGreaterThan(mean(rows.slice(0, 4)) + 0.1);
    expect(rows.at(-1)!['objective/kl']).toBeGreaterThan(0);
  });

  test('a run cut off and resumed equals one never cut off', async () => {
    const config = small({ kl_controller: 'adaptive', kl_horizon: 20 });
    const whole = await drain(trainPpo(input(), config, nano));
    const stage = trainPpo(input(), config, nano);
    const cut = await drain(stage, 2);
    const resume = await cut.events[1]!.snapshot();
    await stage.return({ weights: new Map() });
    const rest = await drain(trainPpo(input(), config, { ...nano, resume }));
    expect(rest.rows).toEqual(whole.rows.slice(2));
    expect(sameWeights(rest.output!.weights, whole.output!.weights)).toBe(true);
  });
});

test('pretraining from scratch learns a small text with its own tokenizer', async () => {
  const texts = task.demonstrations.map(({ prompt, completion }) => `${prompt}\n${completion}`);
  const config = stageConfig('pretrain', { max_steps: 12, eval_steps: 6, max_length: 32 });
  const { rows, events, output } = await drain(
    pretrain({ texts, seed: 1, samplePrompts: ['Can you'] }, config, {}),
  );
  expect(rows.at(-1)!.loss).toBeLessThan(rows[0]!.loss! - 0.5);
  expect(events.at(-1)!.samples).toHaveLength(1);
  expect(output!.tokenizer.decode(output!.tokenizer.encode('Saltby'))).toBe('Saltby');
});
