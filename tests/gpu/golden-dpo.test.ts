/** DPO's loss, logged numbers and gradients, plain and with label smoothing, against TRL's DPOTrainer. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { closeEngine } from '../../src/engine/backend';
import { collate } from '../../src/engine/batch';
import { dpoLoss, type RankedPair } from '../../src/engine/losses';
import { Llama } from '../../src/engine/model';
import { completionLogps } from '../../src/rlhf/measures';
import { batchPairs } from '../../src/rlhf/rankings';
import {
  DPO_SETTINGS,
  fingerprint,
  MODEL,
  ONE_SHOT,
  PPO_MODELS,
  RANKED,
} from '../../tools/golden/rlhf/inputs';
import { parity } from '../../tools/golden/rlhf/parity';
import dpo from '../golden/rlhf/dpo.json';
import { compareGradients, differentiated, measured, openSetup, SETUPS } from './golden-fixture';

const TRL = 'TRL `DPOTrainer._compute_loss`';
const METRICS = [
  'rewards/chosen',
  'rewards/rejected',
  'rewards/accuracies',
  'rewards/margins',
  'logps/chosen',
  'logps/rejected',
] as const;

/** All pairs of every prompt, weighed as the stage does. */
const rows = RANKED.flatMap((group) => group.rows);
const batch = collate(rows);
const kwise = batchPairs(RANKED.map((group) => ({ ...group, weight: 1 })));
/** One pair of each prompt, in the order of TRL's collator: chosen rows, then rejected ones. */
const pairRows = [0, 1].flatMap((side) => dpo.pairs.map((pair) => rows[pair[side]!]!));
const pairBatch = collate(pairRows);
const pairwise: RankedPair[] = dpo.pairs.map((_, i) => ({
  winner: i,
  loser: dpo.pairs.length + i,
  weight: 1 / dpo.pairs.length,
}));
const { beta } = DPO_SETTINGS;
const OPTIONS = {
  plain: { options: { beta, label_smoothing: 0 }, title: '', type: 'sigmoid' },
  smoothed: { options: DPO_SETTINGS, title: ', label smoothing', type: 'robust' },
};

test('the fixture belongs to these inputs, and the smoothed numbers differ from the plain ones', () => {
  expect(dpo.inputs).toBe(fingerprint([ONE_SHOT, DPO_SETTINGS]));
  const [plain, smoothed] = [dpo['kwise-plain'].loss, dpo['kwise-smoothed'].loss];
  expect(Math.abs(plain - smoothed)).toBeGreaterThan(0.01);
});

describe.each(SETUPS)('on %s', (on) => {
  // Once for all tests: most of their time is compiling kernels.
  beforeAll(() => openSetup(on));
  afterAll(() => closeEngine());

  test('losses, statistics and gradients', async ({ task }) => {
    const policy = Llama.load(MODEL, PPO_MODELS.policy);
    const reference = Llama.loadFrozen(MODEL, PPO_MODELS.reference);
    const refLogps = await completionLogps(reference, rows);
    const pairRefLogps = await completionLogps(reference, pairRows);
    reference.dispose();
    for (const name of ['plain', 'smoothed'] as const) {
      const { options, title, type } = OPTIONS[name];
      const source = `${TRL}, loss_type "${type}"`;
      const pairs = await differentiated(policy.parameters, () =>
        dpoLoss(policy, pairBatch, pairwise, pairRefLogps, options),
      );
      const golden = dpo[`pairwise-${name}`];
      parity(task, {
        quantity: `DPO loss${title}`,
        on,
        source,
        actual: pairs.numbers['loss']!,
        expected: golden.loss,
        float32: dpo.spread[`pairwise-${name}`],
      });
      if (name === 'plain') {
        for (const metric of METRICS) {
          parity(task, {
            quantity: `DPO’s ${metric}`,
            on,
            source,
            actual: pairs.numbers[metric]!,
            expected: golden.metrics[metric],
            // A reward is a difference of log-probabilities times β: it is as exact as they are.
            ...(metric.startsWith('rewards/') && {
              over: beta * Math.abs(golden.metrics['logps/rejected']),
            }),
          });
        }
      }
      compareGradients(
        task,
        {
          quantity: `gradients of the DPO loss by every weight${title}`,
          on,
          source,
          float32: dpo.spread[`pairwiseGradients-${name}`],
        },
        pairs.gradients,
        dpo[`pairwiseGradients-${name}`],
      );
      const groups = await differentiated(policy.parameters, () =>
        dpoLoss(policy, batch, kwise, refLogps, options),
      );
      parity(task, {
        quantity: `K-wise DPO loss with ties${title}`,
        on,
        source: `${source}, on all pairs of a prompt, mean over prompts`,
        actual: groups.numbers['loss']!,
        expected: dpo[`kwise-${name}`].loss,
        float32: dpo.spread[`kwise-${name}`],
      });
      compareGradients(
        task,
        {
          quantity: `gradients of the K-wise DPO loss by every weight${title}`,
          on,
          source: `${source}, on all pairs of a prompt, mean over prompts`,
          float32: dpo.spread[`kwiseGradients-${name}`],
        },
        groups.gradients,
        dpo[`kwiseGradients-${name}`],
      );
    }
    policy.dispose();
  });

  test('ln 2 where policy and reference are the same', async ({ task }) => {
    const policy = Llama.load(MODEL, PPO_MODELS.reference);
    const refLogps = await completionLogps(policy, rows);
    const numbers = await measured(() =>
      dpoLoss(policy, batch, kwise, refLogps, OPTIONS.plain.options),
    );
    parity(task, {
      quantity: 'K-wise DPO loss of the reference itself: ln 2',
      on,
      source: 'worked out by hand, and TRL',
      actual: [numbers['loss']!, numbers['loss']!],
      expected: [Math.LN2, dpo.start],
    });
    policy.dispose();
  });

  test('refuses reference numbers of another batch, and a batch of ties', () => {
    const policy = Llama.load(MODEL, PPO_MODELS.reference);
    const loss = (pairs: RankedPair[], count: number) =>
      dpoLoss(
        policy,
        batch,
        pairs,
        Array.from({ length: count }, () => 0),
        OPTIONS.plain.options,
      );
    expect(() => loss(kwise, 2)).toThrow(/refLogps has 2 numbers/);
    expect(() => loss([], batch.B)).toThrow(/no pair to learn from/);
    policy.dispose();
  });
});
