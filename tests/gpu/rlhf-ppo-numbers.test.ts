/** PPO's numbers against their formulas, written out plainly and apart from the code under test. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { stageConfig } from '../../src/core/config';
import type { WeightMap } from '../../src/core/domain';
import { permutation, STREAM } from '../../src/core/rng';
import { closeEngine, openEngine } from '../../src/engine/backend';
import { ScalarModel } from '../../src/engine/heads';
import { scores, tokenLogprobs, values } from '../../src/engine/inference';
import { Llama } from '../../src/engine/model';
import { readWeights } from '../../src/engine/weights';
import { trainPpo } from '../../src/rlhf/ppo';
import { normalizedRewardWeights } from '../../src/rlhf/reward';
import { collectRollout, rolloutMetrics } from '../../src/rlhf/rollout';
import { largestDifference } from './model-fixture';
import { drain, loadNano, loadTask, type Nano } from './rlhf-fixture';

let nano: Nano;
let prompts: string[];
let rewardWeights: WeightMap;
const SHIFT = 0.7;
const SCALE = 2;
const SEED = 1;

beforeAll(async () => {
  await openEngine({ force: 'webgpu' });
  nano = await loadNano();
  prompts = (await loadTask('polite')).prompts.slice(0, 8);
  const fresh = ScalarModel.load(nano.modelConfig, nano.weights, 3);
  rewardWeights = await readWeights(fresh.parameters);
  fresh.dispose();
});
afterAll(closeEngine);

const small = (changes = {}) =>
  stageConfig('ppo', {
    num_iterations: 2,
    rollout_batch_size: 8,
    response_length: 16,
    kl_coef: 0.05,
    num_ppo_epochs: 1,
    num_mini_batches: 1,
    ...changes,
  });

const mean = (xs: readonly number[]) => xs.reduce((a, b) => a + b, 0) / xs.length;
const variance = (xs: readonly number[]) => mean(xs.map((x) => (x - mean(xs)) ** 2));

function dispose(models: Record<string, { dispose(): void }>): void {
  for (const model of new Set(Object.values(models))) model.dispose();
}

describe('a rollout', () => {
  test.each([false, true])('has every number by its formula; rewards whitened: %s', async (on) => {
    const config = small({
      temperature: 0.7,
      gamma: 0.9,
      lam: 0.8,
      whiten_rewards: on,
      missing_eos: 'replace',
      missing_eos_penalty: 1.5,
      reward_clip: 0.5,
    });
    const shrunk = new Map(
      [...nano.weights].map(([name, { shape, data }]) => [
        name,
        { shape, data: data.map((x) => x * 0.97) },
      ]),
    );
    const models = {
      policy: Llama.load(nano.modelConfig, nano.weights),
      reference: Llama.load(nano.modelConfig, shrunk),
      reward: ScalarModel.load(nano.modelConfig, nano.weights, 11),
      value: ScalarModel.load(nano.modelConfig, nano.weights, 12),
    };
    const kl_coef = 0.3;
    const streams = prompts.map((_, i) => 50 + i);
    const rollout = await collectRollout(models, nano.tokenizer, prompts, streams, {
      config,
      kl_coef,
      seed: SEED,
      iteration: 0,
    });
    const { batch, written, rows } = rollout;
    const { T } = batch;
    const { logprobs: refs } = await tokenLogprobs(models.reference, batch, 0.7);
    const v = await values(models.value, batch);
    const raw = await scores(models.reward, batch);
    const places = rows.map(({ promptLength }, b) =>
      written[b]!.tokens.map((_, t) => b * T + promptLength - 1 + t),
    );
    const all = places.flat();
    const at = (x: Float32Array) => all.map((i) => x[i]!);

    // what the sampler drew is what is measured again, at the same temperature
    const sampled = written.flatMap(({ logprobs }) => logprobs);
    expect(largestDifference(at(rollout.logprobs), sampled)).toBeLessThan(1e-3);
    expect(largestDifference(at(rollout.refLogprobs), at(refs))).toBeLessThan(1e-6);
    expect(largestDifference(at(rollout.values), at(v))).toBeLessThan(1e-6);

    const ends = new Set(written.map(({ finish }) => finish));
    expect([...ends].sort()).toEqual(['eos', 'length']);
    const final = written.map(({ finish }, b) =>
      finish === 'eos' ? Math.min(0.5, Math.max(-0.5, raw[b]!)) : -1.5,
    );
    expect(largestDifference(rollout.scores, final)).toBeLessThan(1e-5);
    const kl = places.map((row) =>
      row.reduce((sum, i) => sum + rollout.logprobs[i]! - refs[i]!, 0),
    );
    expect(largestDifference(rollout.kl, kl)).toBeLessThan(1e-4);
    expect(Math.abs(mean(kl))).toBeGreaterThan(0.01);

    // rewards, then Σ (γλ)^l δ, each row on its own
    let rewards = places.map((row, b) =>
      row.map(
        (i, t) =>
          -kl_coef * (rollout.logprobs[i]! - refs[i]!) + (t === row.length - 1 ? final[b]! : 0),
      ),
    );
    if (on) {
      const flat = rewards.flat();
      const std = Math.sqrt((variance(flat) * flat.length) / (flat.length - 1));
      rewards = rewards.map((row) => row.map((r) => (r - mean(flat)) / std + mean(flat)));
    }
    const advantages = places.flatMap((row, b) => {
      const delta = row.map((i, t) => rewards[b]![t]! + 0.9 * (v[row[t + 1] ?? -1] ?? 0) - v[i]!);
      return row.map((_, t) => delta.slice(t).reduce((sum, d, l) => sum + (0.9 * 0.8) ** l * d, 0));
    });
    const returns = advantages.map((a, n) => a + v[all[n]!]!);
    expect(largestDifference(at(rollout.returns), returns)).toBeLessThan(1e-3);
    const std = Math.sqrt((variance(advantages) * all.length) / (all.length - 1));
    const whitened = advantages.map((a) => (a - mean(advantages)) / std);
    expect(largestDifference(at(rollout.advantages), whitened)).toBeLessThan(1e-3);

    const metrics = rolloutMetrics(rollout, kl_coef, config);
    const errors = returns.map((r, n) => r - v[all[n]!]!);
    const expected: Record<string, number> = {
      'objective/scores': mean(final),
      'objective/scores_lo': Math.min(...final),
      'objective/scores_hi': Math.max(...final),
      'objective/kl': mean(kl),
      'objective/entropy': -sampled.reduce((a, b) => a + b, 0) / batch.B,
      'objective/non_score_reward': -kl_coef * mean(kl),
      'objective/rlhf_reward': mean(final) - kl_coef * mean(kl),
      'objective/kl_coef': kl_coef,
      'ppo/returns/mean': mean(returns),
      'ppo/returns/var': variance(returns),
      'ppo/val/vpred': mean(at(v)),
      'ppo/val/error': mean(errors.map((e) => e * e)),
      'ppo/val/var_explained': 1 - variance(errors) / variance(returns),
      'val/num_eos_tokens': written.filter(({ finish }) => finish === 'eos').length,
      response_length: mean(written.map(({ tokens }) => tokens.length)),
      'objective/kl_k3':
        places.flat().reduce((sum, i) => sum + Math.exp(refs[i]! - rollout.logprobs[i]!) - 1, 0) /
          batch.B +
        mean(kl),
      'check/reward_sum_error': 0,
      'check/advantage_mean': 0,
      'check/advantage_std': Math.sqrt((all.length - 1) / all.length),
      'check/old_logprob_gap': mean(sampled.map((x, n) => Math.abs(x - at(rollout.logprobs)[n]!))),
      ...(!on && { 'check/return_last_error': 0 }),
    };
    expect(Object.keys(metrics).sort()).toEqual(Object.keys(expected).sort());
    for (const [name, x] of Object.entries(expected)) {
      expect(metrics[name], name).toBeCloseTo(x, 3);
    }
    dispose(models);
  });
});

describe('a run', () => {
  const input = () => ({
    modelConfig: nano.modelConfig,
    policyWeights: nano.weights,
    reward: { kind: 'model' as const, weights: rewardWeights, shift: SHIFT, scale: SCALE },
    prompts,
    seed: SEED,
  });

  test('reads all prompts in a new order each round, with the value model begun as the reward model', async () => {
    const config = { ...small(), learning_rate: 0 };
    const { rows } = await drain(trainPpo(input(), config, nano));
    const normalized = normalizedRewardWeights(rewardWeights, SHIFT, SCALE);
    const policy = Llama.load(nano.modelConfig, nano.weights);
    const reward = ScalarModel.load(nano.modelConfig, normalized, SEED);
    const models = { policy, reference: policy, reward, value: reward };
    const orders = [0, 1].map((round) => permutation(8, SEED, STREAM.prompts, round));
    expect(orders[0]).not.toEqual(orders[1]);
    for (const [round, row] of rows.entries()) {
      const rollout = await collectRollout(
        models,
        nano.tokenizer,
        orders[round]!.map((i) => prompts[i]!),
        orders[round]!.map((_, i) => round * 8 + i),
        { config, kl_coef: config.kl_coef, seed: SEED, iteration: round },
      );
      expect(row).toMatchObject(rolloutMetrics(rollout, config.kl_coef, config));
      // Before anything has moved: ½ (v − R)², and a mean of whitened advantages.
      expect(row['loss/value_avg']).toBeCloseTo(row['ppo/val/error']! / 2, 4);
      expect(row['loss/policy_avg']).toBeCloseTo(0, 4);
    }
    dispose(models);
  });

  test('charges the KL at the coefficient that the controller has set, and moves the learning rate', async () => {
    const common = { num_iterations: 3, learning_rate: 1e-3, warmup_iterations: 2 };
    const adaptive = await drain(
      trainPpo(input(), small({ ...common, kl_controller: 'adaptive', kl_horizon: 4 }), nano),
    );
    const fixed = await drain(
      trainPpo(
        input(),
        small({ ...common, kl_horizon: 4, lr_schedule: 'linear', num_iterations: 4 }),
        nano,
      ),
    );
    const column = (run: typeof fixed, name: string) => run.rows.map((row) => row[name]!);
    // KL stays below 0.8 of the target, so the error is clipped: × (1 − 0.2 · 8 / 4) each time.
    expect(Math.max(...column(adaptive, 'objective/kl').slice(0, 2))).toBeLessThan(4.8);
    const near = (actual: number[], expected: number[]) =>
      expect(largestDifference(actual, expected)).toBeLessThan(1e-9);
    near(column(adaptive, 'objective/kl_coef'), [0.05, 0.03, 0.018]);
    near(column(fixed, 'objective/kl_coef'), [0.05, 0.05, 0.05, 0.05]);
    near(column(adaptive, 'lr'), [0.0005, 0.001, 0.001]);
    near(column(fixed, 'lr'), [0.0005, 0.001, 0.001, 0.0005]);
    // The second rollout is the same in both, but its KL is charged differently.
    expect(adaptive.rows[1]!['objective/kl']).toBe(fixed.rows[1]!['objective/kl']);
    expect(adaptive.rows[1]!['objective/kl']).not.toBe(0);
    const difference = adaptive.rows[1]!['ppo/returns/mean']! - fixed.rows[1]!['ppo/returns/mean']!;
    expect(Math.abs(difference)).toBeGreaterThan(1e-5);
  });

  test('uses every minibatch of every epoch, and clips the value by where it was', async () => {
    const config = small({ num_ppo_epochs: 3, num_mini_batches: 2, cliprange_value: 0.01 });
    const stage = trainPpo(input(), config, nano);
    const { rows, events } = await drain(stage, 1);
    const snapshot = await events[0]!.snapshot();
    await stage.return({ weights: new Map() });
    expect(snapshot.state['optimizerStep']).toBe(6);
    expect(rows[0]!['val/clipfrac_avg']).toBeGreaterThan(0);
  });
});
