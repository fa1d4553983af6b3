/** Rewards, returns and advantages against TRL's own lines. */
import { describe, expect, test } from 'vitest';
import { generalizedAdvantage, tokenRewards, whiten } from '../../../src/core/advantage';
import { k3 } from '../../../src/core/kl';
import { finalScore } from '../../../src/core/scores';
import {
  EPISODES,
  fingerprint,
  ONE_SHOT,
  PPO_SETTINGS,
  RESPONSE_LENGTH,
} from '../../../tools/golden/rlhf/inputs';
import { parity } from '../../../tools/golden/rlhf/parity';
import rollout from '../../golden/rlhf/rollout.json';

const B = EPISODES.length;
const T = RESPONSE_LENGTH;
const { kl_coef, gamma, lam, missing_eos_penalty } = PPO_SETTINGS;
const TRL = 'TRL `PPOTrainer.train`';

/** A list for each episode → [B, T], 0 outside. */
function padded(rows: number[][]): Float32Array {
  const all = new Float32Array(B * T);
  rows.forEach((row, b) => all.set(row, b * T));
  return all;
}
const mask = padded(EPISODES.map(({ response }) => response.map(() => 1)));
/** TRL's `~padding_mask_p1`: one place more after an EOS. */
const maskAfterEos = padded(
  EPISODES.map(({ response }) => new Array<number>(Math.min(T, response.length + 1)).fill(1)),
);
const logprobs = padded(rollout.logprobs);
const refLogprobs = padded(rollout.refLogprobs);

test('the fixture belongs to these inputs', () => {
  expect(rollout.inputs).toBe(fingerprint(ONE_SHOT));
});

/** Scores as they enter the reward: TRL subtracts its penalty where no EOS came. */
const scores = EPISODES.map(({ ends }, b) =>
  finalScore(rollout.rawScores[b]!, ends, {
    missing_eos: 'subtract',
    missing_eos_penalty,
    reward_clip: 0,
  }),
);

describe.each([
  ['', rollout['last-token'], false],
  [', rewards whitened', rollout['last-token-whitened'], true],
] as const)('score on the last token%s', (note, golden, whitened) => {
  const due = tokenRewards({ B, T, mask, logprobs, refLogprobs, scores, kl_coef }).rewards;
  const rewards = whitened ? whiten(due, mask, false) : due;
  const values = padded(rollout.values);
  const estimate = generalizedAdvantage(rewards, values, mask, { B, T }, gamma, lam);

  test('scores, rewards, returns and whitened advantages equal TRL', ({ task }) => {
    const of = (quantity: string, actual: ArrayLike<number>, expected: number[][] | number[]) =>
      parity(task, {
        quantity: quantity + note,
        on: 'host',
        source: TRL,
        actual,
        expected: expected.flat(),
        float32: rollout.spread[whitened ? 'last-token-whitened' : 'last-token'],
      });
    of('scores, penalty for no EOS', scores, golden.scores);
    of('rewards', rewards, golden.rewards);
    of('returns (GAE)', estimate.returns, golden.returns);
    of('advantages, whitened', whiten(estimate.advantages, mask), golden.advantages);
  });
});

test.for([
  ['', rollout['after-eos']],
  [', rewards whitened', rollout['after-eos-whitened']],
] as const)(
  'GAE and whitening also equal TRL where the score lands after EOS%s',
  ([note, golden], { task }) => {
    const all = (rows: number[][]) => Float32Array.from(rows.flat());
    const estimate = generalizedAdvantage(
      all(golden.rewards),
      all(golden.values),
      maskAfterEos,
      { B, T },
      gamma,
      lam,
    );
    const of = (quantity: string, actual: ArrayLike<number>, expected: number[][]) =>
      parity(task, {
        quantity: `${quantity}, score after EOS${note}`,
        on: 'host',
        source: TRL,
        actual,
        expected: expected.flat(),
      });
    of('returns (GAE)', estimate.returns, golden.returns);
    of('advantages, whitened', whiten(estimate.advantages, mask), golden.advantages);
  },
);

test('k3 equals TRL’s estimator', ({ task }) => {
  const pairs = rollout.logprobs.flatMap((row, b) =>
    row.map((logprob, t) => [logprob, rollout.refLogprobs[b]![t]!] as const),
  );
  parity(task, {
    quantity: 'k3 estimate of the KL, per token',
    on: 'host',
    source: TRL,
    actual: pairs.map(([logprob, ref]) => k3(logprob, ref)),
    expected: rollout.k3.flat(),
  });
});
