/**
 * Proximal policy optimisation on completions (Schulman et al. 2017; Ziegler et al. 2019; Ouyang et al.
 * 2022, section 3.5). The environment is a single-step bandit: a prompt, a completion, one score.
 *
 *   r_t = −β·(log π(a_t) − log π_ref(a_t)) + 1[last token]·score
 *
 * Four models: the policy and the value model learn; the reference policy and the reward model do not.
 */
import { adaptKlCoef } from '../core/kl';
import { PlaygroundError } from '../core/errors';
import { permutation, STREAM } from '../core/rng';
import { ppoFactor } from '../core/schedule';
import type { PpoConfig } from '../core/config';
import type { MetricRow, ModelConfig, WeightMap } from '../core/domain';
import { collate } from '../engine/batch';
import { ScalarModel } from '../engine/heads';
import { ppoPolicyLoss, ppoValueLoss } from '../engine/losses';
import { Llama } from '../engine/model';
import { AdamW } from '../engine/optimizer';
import { readWeights } from '../engine/weights';
import { normalizedRewardWeights } from './reward';
import {
  collectRollout,
  rolloutMetrics,
  rolloutSamples,
  type Models,
  type Rollout,
} from './rollout';
import { batchOf, underPrefix, withPrefix, type StageContext, type StageEvent } from './stage';

export interface PpoInput {
  modelConfig: ModelConfig;
  /** The SFT model: where the policy starts, and the reference. */
  policyWeights: WeightMap;
  rewardWeights: WeightMap;
  rewardShift: number;
  rewardScale: number;
  prompts: string[];
  seed: number;
}

/**
 * One event for each iteration: rollout, then `num_ppo_epochs` × `num_mini_batches` updates.
 * @throws PlaygroundError `missing` without prompts
 */
export async function* trainPpo(
  input: PpoInput,
  config: PpoConfig,
  ctx: StageContext,
): AsyncGenerator<StageEvent, { weights: WeightMap }> {
  if (input.prompts.length === 0) {
    throw new PlaygroundError({
      code: 'missing',
      field: 'prompts',
      message: 'PPO has no prompts to write for.',
      remedy: 'Add prompts in the Rankings stage.',
    });
  }
  // 1. four models; the value model starts as the reward model
  const resumed = ctx.resume?.tensors;
  const rewardWeights = normalizedRewardWeights(
    input.rewardWeights,
    input.rewardShift,
    input.rewardScale,
  );
  const models: Models = {
    policy: Llama.load(
      input.modelConfig,
      resumed ? underPrefix('policy', resumed) : input.policyWeights,
    ),
    reference: Llama.load(input.modelConfig, input.policyWeights),
    reward: ScalarModel.load(input.modelConfig, rewardWeights, input.seed),
    value: ScalarModel.load(
      input.modelConfig,
      resumed ? underPrefix('value', resumed) : rewardWeights,
      input.seed,
    ),
  };
  // eps 1e-5 for both, as in lm-human-preferences
  const policyOptimizer = new AdamW(models.policy.parameters, { ...config, adam_epsilon: 1e-5 });
  const valueOptimizer = new AdamW(models.value.parameters, { ...config, adam_epsilon: 1e-5 });
  try {
    let kl_coef = Number(ctx.resume?.state.kl_coef ?? config.kl_coef);
    const start = ctx.resume?.step ?? 0;
    if (resumed) {
      const step = Number(ctx.resume?.state.optimizerStep);
      policyOptimizer.restore({ step, tensors: underPrefix('policy-optimizer', resumed) });
      valueOptimizer.restore({ step, tensors: underPrefix('value-optimizer', resumed) });
    }

    for (let iteration = start; iteration < config.num_iterations; iteration++) {
      // 2. fresh completions from the policy as it is now
      const episodes = Array.from(
        { length: config.rollout_batch_size },
        (_, i) => iteration * config.rollout_batch_size + i,
      );
      const rollout = await collectRollout(
        models,
        ctx.tokenizer,
        episodes.map((episode) => promptFor(input, episode)),
        episodes,
        { config, kl_coef, seed: input.seed },
      );

      // 3. learn from them
      const lr =
        config.learning_rate *
        ppoFactor(iteration, config.num_iterations, config.warmup_iterations, config.lr_schedule);
      const updates = await update(
        { rollout, models, policyOptimizer, valueOptimizer },
        { config, lr, seed: input.seed, iteration },
      );

      // 4. TRL's names
      const row: MetricRow = {
        step: iteration + 1,
        ...rolloutMetrics(rollout, kl_coef),
        ...updates,
        lr,
        episode: (iteration + 1) * config.rollout_batch_size,
      };

      // 5. the controller moves β for the next iteration
      if (config.kl_controller === 'adaptive') {
        kl_coef = adaptKlCoef(kl_coef, row['objective/kl']!, {
          target_kl: config.target_kl,
          kl_horizon: config.kl_horizon,
          episodes: config.rollout_batch_size,
        });
      }
      yield {
        step: iteration + 1,
        totalSteps: config.num_iterations,
        row,
        tokens: rollout.batch.lengths.reduce((a, b) => a + b, 0),
        samples: rolloutSamples(rollout, ctx.tokenizer, 4),
        snapshot: async () => {
          const policyState = await policyOptimizer.state();
          const valueState = await valueOptimizer.state();
          return {
            step: iteration + 1,
            tensors: new Map([
              ...withPrefix('policy', await readWeights(models.policy.parameters)),
              ...withPrefix('value', await readWeights(models.value.parameters)),
              ...withPrefix('policy-optimizer', policyState.tensors),
              ...withPrefix('value-optimizer', valueState.tensors),
            ]),
            state: { kl_coef, optimizerStep: policyState.step },
          };
        },
      };
    }
    return { weights: await readWeights(models.policy.parameters) };
  } finally {
    policyOptimizer.dispose();
    valueOptimizer.dispose();
    for (const model of Object.values(models) as { dispose(): void }[]) model.dispose();
  }
}

/** Prompts are read in a fresh random order each time round. */
function promptFor(input: PpoInput, episode: number): string {
  const count = input.prompts.length;
  const order = permutation(count, input.seed, STREAM.prompts, Math.floor(episode / count));
  return input.prompts[order[episode % count]!]!;
}

interface UpdateInput {
  rollout: Rollout;
  models: Models;
  policyOptimizer: AdamW;
  valueOptimizer: AdamW;
}

/**
 * The clipped updates on one rollout. Statistics are means over all updates of the iteration, but
 * `val/ratio_first`, which is taken before anything moved and must be 1.
 */
async function update(
  input: UpdateInput,
  settings: { config: PpoConfig; lr: number; seed: number; iteration: number },
): Promise<Record<string, number>> {
  const { rollout, models } = input;
  const { config, lr } = settings;
  const { B } = rollout.batch;
  const size = Math.ceil(B / config.num_mini_batches);
  const sums: Record<string, number> = {};
  let updates = 0;
  let first: number | undefined;
  for (let epoch = 0; epoch < config.num_ppo_epochs; epoch++) {
    const round = settings.iteration * config.num_ppo_epochs + epoch;
    const order = permutation(B, settings.seed, STREAM.order, round);
    for (let start = 0; start * size < B; start++) {
      const part = minibatch(rollout, batchOf(order, size, start));
      const policy = await input.policyOptimizer.step(
        () => ppoPolicyLoss(models.policy, part.batch, part, config),
        lr,
      );
      const value = await input.valueOptimizer.step(
        () => ppoValueLoss(models.value, part.batch, part, config),
        lr,
      );
      first ??= policy.stats.ratio!;
      updates++;
      const row: Record<string, number> = {
        'loss/policy_avg': policy.loss,
        // TRL logs the value loss before its weight
        'loss/value_avg': value.stats.vf_loss!,
        'policy/approxkl_avg': policy.stats.approxkl!,
        'policy/clipfrac_avg': policy.stats.clipfrac!,
        'policy/entropy_avg': policy.stats.entropy!,
        'val/clipfrac_avg': value.stats.vf_clipfrac!,
        'val/ratio': policy.stats.ratio!,
        'val/ratio_var': policy.stats.ratio_var!,
      };
      for (const [name, x] of Object.entries(row)) sums[name] = (sums[name] ?? 0) + x;
    }
  }
  const means = Object.fromEntries(
    Object.entries(sums).map(([name, sum]) => [name, sum / updates]),
  );
  return { ...means, 'val/ratio_first': first! };
}

/** The chosen rows of a rollout, padded as the whole batch is. */
function minibatch(rollout: Rollout, chosen: number[]) {
  const { T } = rollout.batch;
  const pick = (x: Float32Array) => {
    const out = new Float32Array(chosen.length * T);
    chosen.forEach((b, i) => out.set(x.subarray(b * T, (b + 1) * T), i * T));
    return out;
  };
  return {
    batch: collate(
      chosen.map((b) => rollout.rows[b]!),
      { padTo: T },
    ),
    oldLogprobs: pick(rollout.logprobs),
    advantages: pick(rollout.advantages),
    oldValues: pick(rollout.values),
    returns: pick(rollout.returns),
  };
}
