/** 50 steps of SFT and 20 of the reward model beside transformers and PyTorch, on the same batches. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { MetricRow } from '../../src/core/domain';
import { closeEngine, openEngine } from '../../src/engine/backend';
import { trainReward } from '../../src/rlhf/reward';
import { trainSft } from '../../src/rlhf/sft';
import { fingerprint } from '../../tools/golden/rlhf/inputs';
import { trainingInputs, trajectories } from '../../tools/golden/rlhf/trajectory-inputs';
import { parity } from '../../tools/golden/rlhf/parity';
import golden from '../golden/rlhf/trajectories.json';
import { drain } from './rlhf-fixture';

/** Issue 5: max |Δloss| ≤ 1e-3, in nats. Errors of single steps feed the next ones. */
const LOSS_LIMIT = 1e-3;
const SOURCE = 'transformers + torch `AdamW`, float32';
const from = trajectories();

beforeAll(() => openEngine({ force: 'webgpu' }));
afterAll(closeEngine);

const column = (rows: MetricRow[], name: string) => rows.map((row) => row[name]!);

test('the fixture belongs to these inputs', () => {
  expect(golden.inputs).toBe(fingerprint(trainingInputs(from)));
});

test('50 steps of SFT', async ({ task }) => {
  const { tokenizer, modelConfig, weights, demonstrations, seed } = from;
  const input = { modelConfig, weights, demonstrations, samplePrompts: [], seed };
  const { rows } = await drain(trainSft(input, from.sft, { tokenizer }));
  expect(rows).toHaveLength(50);
  parity(task, {
    quantity: 'learning rate, 50 steps of SFT',
    on: 'webgpu',
    source: 'transformers, the two schedules above',
    actual: column(rows, 'learning_rate'),
    expected: golden.sft.learning_rate,
  });
  parity(task, {
    quantity: 'loss, 50 steps of SFT',
    on: 'webgpu',
    source: SOURCE,
    actual: column(rows, 'loss'),
    expected: golden.sft.loss,
    limit: LOSS_LIMIT,
    over: 'nothing',
  });
  parity(task, {
    quantity: 'gradient norm, 50 steps of SFT',
    on: 'webgpu',
    source: SOURCE,
    actual: column(rows, 'grad_norm'),
    expected: golden.sft.grad_norm,
    limit: LOSS_LIMIT,
  });
  parity(task, {
    quantity: 'held-out loss after 50 steps of SFT',
    on: 'webgpu',
    source: SOURCE,
    actual: rows.at(-1)!['eval_loss']!,
    expected: golden.sft.eval_loss,
    limit: LOSS_LIMIT,
    over: 'nothing',
  });
});

test('20 steps of the reward model', async ({ task }) => {
  const { tokenizer, modelConfig, rewardWeights, rankings, demonstrations, seed } = from;
  const input = { modelConfig, weights: rewardWeights, rankings, demonstrations, seed };
  const { rows, output } = await drain(trainReward(input, from.reward, { tokenizer }));
  expect(rows).toHaveLength(20);
  parity(task, {
    quantity: 'loss, 20 steps of the reward model',
    on: 'webgpu',
    source: SOURCE,
    actual: column(rows, 'loss'),
    expected: golden.reward.loss,
    limit: LOSS_LIMIT,
    over: 'nothing',
  });
  parity(task, {
    quantity: 'gradient norm, 20 steps of the reward model',
    on: 'webgpu',
    source: SOURCE,
    actual: column(rows, 'grad_norm'),
    expected: golden.reward.grad_norm,
    limit: LOSS_LIMIT,
  });
  for (const name of ['rewardShift', 'rewardScale'] as const) {
    parity(task, {
      quantity: `${name} after 20 steps of the reward model`,
      on: 'webgpu',
      source: SOURCE,
      actual: output![name],
      expected: golden.reward[name],
      limit: LOSS_LIMIT,
    });
  }
});
