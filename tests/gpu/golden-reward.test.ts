/** Pairwise and K-wise reward losses with ties, margin and centring, against TRL's RewardTrainer. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { comparisonsOf } from '../../src/core/comparisons';
import { closeEngine } from '../../src/engine/backend';
import { collate } from '../../src/engine/batch';
import { ScalarModel } from '../../src/engine/heads';
import { scores } from '../../src/engine/inference';
import { kwiseRewardLoss, type RankedPair } from '../../src/engine/losses';
import {
  fingerprint,
  MODEL,
  ONE_SHOT,
  RANKED,
  REWARD_SETTINGS,
  REWARD_WEIGHTS,
} from '../../tools/golden/rlhf/inputs';
import reward from '../golden/rlhf/reward.json';
import { parity } from '../../tools/golden/rlhf/parity';
import { compareGradients, differentiated, measured, openSetup, SETUPS } from './golden-fixture';

const TRL = 'TRL `RewardTrainer.compute_loss`';

/** All pairs of every prompt, weighed as the reward stage does. */
const kwise: RankedPair[] = [];
RANKED.reduce((at, { ranks }) => {
  const decided = comparisonsOf(ranks);
  const weight = 1 / (decided.length * RANKED.length);
  kwise.push(
    ...decided.map(({ winner, loser }) => ({ winner: winner + at, loser: loser + at, weight })),
  );
  return at + ranks.length;
}, 0);
/** One pair of each prompt, in the order of TRL's collator: chosen rows, then rejected ones. */
const rows = RANKED.flatMap((group) => group.rows);
const batch = collate(rows);
const pairRows = [0, 1].flatMap((side) => reward.pairs.map((pair) => rows[pair[side]!]!));
const pairBatch = collate(pairRows);
const pairwise: RankedPair[] = reward.pairs.map((_, i) => ({
  winner: i,
  loser: reward.pairs.length + i,
  weight: 1 / reward.pairs.length,
}));
const OPTIONS = {
  plain: { margin: 0, center: 0 },
  margin: { margin: REWARD_SETTINGS.margin, center: 0 },
  center: { margin: 0, center: REWARD_SETTINGS.center },
  both: REWARD_SETTINGS,
};
const METRICS = ['accuracy', 'margin', 'min_reward', 'mean_reward', 'max_reward'] as const;
const NAMES = Object.keys(OPTIONS) as (keyof typeof OPTIONS)[];
const TITLES = {
  plain: '',
  margin: ', margin',
  center: ', centring',
  both: ', margin and centring',
};

test('the fixture belongs to these inputs, and holds a tie', () => {
  expect(reward.inputs).toBe(fingerprint(ONE_SHOT));
  expect(comparisonsOf(RANKED[0]!.ranks)).toHaveLength(5);
});

describe.each(SETUPS)('on %s', (on) => {
  // Once for all tests: most of their time is compiling kernels.
  beforeAll(() => openSetup(on));
  afterAll(() => closeEngine());

  test('rewards, losses, statistics and gradients', async ({ task }) => {
    const model = ScalarModel.load(MODEL, REWARD_WEIGHTS, 1);
    parity(task, {
      quantity: `rewards at the last token`,
      on,
      source: 'transformers `LlamaForSequenceClassification`',
      actual: await scores(model, batch),
      expected: reward.rewards,
      float32: reward.spread.rewards,
    });
    for (const name of NAMES) {
      const pairs = await differentiated(model.parameters, () =>
        kwiseRewardLoss(model, pairBatch, pairwise, OPTIONS[name]),
      );
      const golden = reward[`pairwise-${name}`];
      parity(task, {
        quantity: `pairwise loss${TITLES[name]}`,
        on,
        source: TRL,
        actual: pairs.numbers['loss']!,
        expected: golden.loss,
        float32: reward.spread[`pairwise-${name}`],
      });
      if (name === 'plain') {
        for (const metric of METRICS) {
          parity(task, {
            quantity: `reward model’s ${metric}`,
            on,
            source: TRL,
            actual: pairs.numbers[metric]!,
            expected: golden.metrics[metric],
            // A margin is a difference of rewards: it is as exact as they are.
            over: Math.max(...reward.rewards.map(Math.abs)),
          });
        }
        compareGradients(
          task,
          {
            quantity: `gradients of the pairwise loss by every weight`,
            on,
            source: TRL,
            float32: reward.spread.pairwiseGradients,
          },
          pairs.gradients,
          reward.pairwiseGradients,
        );
      }
      const groups = await differentiated(model.parameters, () =>
        kwiseRewardLoss(model, batch, kwise, OPTIONS[name]),
      );
      parity(task, {
        quantity: `K-wise loss with ties${TITLES[name]}`,
        on,
        source: `${TRL} on all pairs of a prompt, mean over prompts`,
        actual: groups.numbers['loss']!,
        expected: reward[`kwise-${name}`].loss,
        float32: reward.spread[`kwise-${name}`],
      });
      if (name !== 'both') continue;
      compareGradients(
        task,
        {
          quantity: `gradients of the K-wise loss by every weight${TITLES[name]}`,
          on,
          source: TRL,
          float32: reward.spread.kwiseGradients,
        },
        groups.gradients,
        reward.kwiseGradients,
      );
    }
    model.dispose();
  });

  test('ln 2 with a zero head', async ({ task }) => {
    const zero = (name: string, shape: number[]) =>
      [name, { shape, data: new Float32Array(shape.reduce((a, b) => a * b, 1)) }] as const;
    const weights = new Map([
      ...REWARD_WEIGHTS,
      zero('score.weight', [1, MODEL.hidden_size]),
      zero('score.bias', [1]),
    ]);
    const model = ScalarModel.load(MODEL, weights, 1);
    const numbers = await measured(() => kwiseRewardLoss(model, batch, kwise, OPTIONS.plain));
    parity(task, {
      quantity: `K-wise loss with a zero head: ln 2`,
      on,
      source: 'worked out by hand, and TRL',
      actual: [numbers['loss']!, numbers['loss']!],
      expected: [Math.LN2, reward.zeroHead],
    });
    model.dispose();
  });
});
