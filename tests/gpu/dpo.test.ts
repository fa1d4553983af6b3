import { afterAll, beforeAll, expect, test } from 'vitest';
import { stageConfig } from '../../src/core/config';
import { rolloutSettings } from '../../src/core/run-data';
import { closeEngine, openEngine } from '../../src/engine/backend';
import { numTensors } from '../../src/engine/memory';
import { trainDpo, type DpoInput } from '../../src/rlhf/dpo';
import { trainReward } from '../../src/rlhf/reward';
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
let reward: NonNullable<DpoInput['reward']>;

beforeAll(async () => {
  const engine = await openEngine({ force: 'webgpu' });
  expect(engine.backend).toBe('webgpu');
  nano = await loadNano();
  task = await loadTask('polite');
  const { output } = await drain(
    trainReward(
      {
        ...nano,
        rankings: politeRankings(task, 24),
        demonstrations: asDemonstrations(task, 20, 0),
        seed: 1,
      },
      stageConfig('reward', { num_train_epochs: 2 }),
      nano,
    ),
  );
  const { weights, rewardShift: shift, rewardScale: scale } = output!;
  reward = { weights, shift, scale };
});
afterAll(closeEngine);

const input = (changes: Partial<DpoInput> = {}): DpoInput => ({
  modelConfig: nano.modelConfig,
  weights: nano.weights,
  rankings: politeRankings(task, 24),
  reward,
  prompts: task.prompts.slice(0, 6),
  rollouts: rolloutSettings({ rollout_batch_size: 8, response_length: 12 }),
  seed: 1,
  ...changes,
});
const config = (changes = {}) => stageConfig('dpo', { num_train_epochs: 1, ...changes });

test('orders polite answers first, on rankings it never saw too, and leaves the SFT model as it was', async () => {
  const before = numTensors();
  const given = input();
  const sft = new Map([...nano.weights].map(([name, t]) => [name, { ...t, data: t.data.slice() }]));
  const { rows, output } = await drain(
    trainDpo(given, config({ num_train_epochs: 4, learning_rate: 1e-3 }), nano),
  );
  // nothing has moved yet: policy and reference agree, every pair costs ln 2 and no pair is won
  expect(Math.abs(rows[0]!.loss! - Math.LN2)).toBeLessThan(1e-4);
  expect(Math.abs(rows[0]!['rewards/margins']!)).toBeLessThan(1e-3);
  expect(rows.at(-1)!.loss).toBeLessThan(0.5);
  expect(rows.at(-1)!['rewards/margins']).toBeGreaterThan(0.5);
  expect(rows.at(-1)!['rewards/accuracies']).toBeGreaterThan(0.7);
  // 5 held-out prompts: two wrong pairs more or less are 0.07
  const held = rows.filter((row) => 'eval_loss' in row);
  expect(held.at(-1)!['eval_rewards/accuracies']).toBeGreaterThan(0.62);
  expect(held.at(-1)!.eval_loss).toBeLessThan(held[0]!.eval_loss!);
  expect(held[0]!.eval_pairs).toBeGreaterThan(10);
  // the reference is the SFT model to the end: only the policy has moved
  expect(sameWeights(given.weights, sft)).toBe(true);
  expect(sameWeights(output!.weights, sft)).toBe(false);
  expect(numTensors()).toBe(before);
});

test('measures reward and KL of fresh completions on the first step, every few steps, and the last', async () => {
  const { rows } = await drain(trainDpo(input(), config({ eval_steps: 2 }), nano));
  // 19 prompts in batches of 4
  expect(rows).toHaveLength(5);
  const measuring = rows.filter((row) => 'objective/kl' in row).map(({ step }) => step);
  expect(measuring).toEqual([1, 2, 4, 5]);
  for (const row of rows.filter((one) => 'objective/kl' in one)) {
    expect(Number.isFinite(row['objective/scores'])).toBe(true);
    expect('eval_loss' in row).toBe(true);
  }
  const kls = rows.flatMap((row) => row['objective/kl'] ?? []);
  expect(kls.at(-1)).toBeGreaterThan(0.01);
});

test('a policy that has not moved is measured as the SFT model: KL 0', async () => {
  const still = { ...config({ num_train_epochs: 1 }), learning_rate: 0 };
  const { rows } = await drain(trainDpo(input(), still, nano));
  expect(rows[0]!['objective/kl']).toBe(0);
  expect(rows.at(-1)!['objective/kl']).toBe(0);
  expect(rows.map(({ loss }) => Math.abs(loss! - Math.LN2) < 1e-4)).toEqual(rows.map(() => true));
});

test('needs no reward model: KL is measured, scores are not', async () => {
  const { rows } = await drain(trainDpo(input({ reward: null }), config(), nano), 1);
  expect(rows[0]).toHaveProperty(['objective/kl']);
  expect(rows[0]).not.toHaveProperty(['objective/scores']);
});

test('a run cut off and resumed equals one never cut off', async () => {
  const settings = config({ eval_steps: 2 });
  const whole = await drain(trainDpo(input(), settings, nano));
  const stage = trainDpo(input(), settings, nano);
  const cut = await drain(stage, 3);
  const resume = await cut.events[2]!.snapshot();
  await stage.return({ weights: new Map() });
  const rest = await drain(trainDpo(input(), settings, { ...nano, resume }));
  expect(rest.rows).toEqual(whole.rows.slice(3));
  expect(sameWeights(rest.output!.weights, whole.output!.weights)).toBe(true);
});

test('refuses rankings that decide nothing, and a prompt that leaves no room to answer', async () => {
  const before = numTensors();
  const ties = politeRankings(task, 3).map((r) => ({ ...r, ranks: [1, 1, 1, 1] }));
  await expect(drain(trainDpo(input({ rankings: ties }), config(), nano))).rejects.toMatchObject({
    code: 'missing',
    field: 'rankings',
  });
  // one of many: the first measurement does not draw it
  const long = [...task.prompts.slice(0, 20), 'word '.repeat(400)];
  const rollouts = { ...input().rollouts, rollout_batch_size: 2 };
  const stage = trainDpo(input({ prompts: long, rollouts }), config(), nano);
  await expect(drain(stage, 1)).rejects.toMatchObject({ code: 'input', field: 'prompt' });
  expect(numTensors()).toBe(before);
});
