/**
 * Direct preference optimisation (Rafailov et al. 2023): the SFT model learns from the ranked pairs
 * themselves, without a reward model and without sampling. The policy is its own reward model,
 * r = β·(log π − log π_ref):
 *
 *   loss = −1/C(K,2) · Σ log σ(r_w − r_l)
 *
 * It has the optimum of E[r] − β·KL that PPO looks for, for the reward under which the rankings are
 * likeliest. So that both can be drawn together, fresh completions are measured on PPO's axes.
 */
import { STREAM } from '../core/rng';
import type { RolloutSettings } from '../core/run-data';
import { cosineFactor } from '../core/schedule';
import type { DpoConfig } from '../core/config';
import type { Electorate } from '../core/electorate';
import type { MetricRow, ModelConfig, Ranking, WeightMap } from '../core/domain';
import { collate } from '../engine/batch';
import { ScalarModel } from '../engine/heads';
import { dpoLoss } from '../engine/losses';
import { Llama } from '../engine/model';
import { AdamW } from '../engine/optimizer';
import { readWeights } from '../engine/weights';
import { allRows, completionLogps, minusLogSigmoid, pairAgreement } from './measures';
import { measureOnPpoAxes } from './ppo-axes';
import { batchPairs, learntRankings, splitRankings, type RankedPrompt } from './rankings';
import { normalizedRewardWeights } from './reward';
import { promptTokens } from './sampling';
import {
  endlessOrder,
  epochBatches,
  underPrefix,
  withPrefix,
  type StageContext,
  type StageEvent,
} from './stage';

export interface DpoInput {
  modelConfig: ModelConfig;
  /** Weights of the SFT model: where the policy starts, and the reference. */
  weights: WeightMap;
  rankings: Ranking[];
  /** Whose rankings count; everyone's alike when left out. */
  electorate?: Electorate;
  /** Scores fresh completions and nothing else; null without a reward model. */
  reward: { weights: WeightMap; shift: number; scale: number } | null;
  /** Fresh completions are written for these, PPO's own. */
  prompts: string[];
  /** How PPO writes and scores. */
  rollouts: RolloutSettings;
  seed: number;
}

/** A ranked prompt with Σ log π_ref of each completion, nats. */
type ReferredRows = RankedPrompt & { refLogps: number[] };

/**
 * Trains on the rankings that are not held out. On measuring steps (the first, every `eval_steps`, the
 * last) the rows have held-out numbers, and reward and KL of as many completions as a PPO iteration has.
 * @throws PlaygroundError `missing` when no ranking that counts prefers one completion to another; `input` when a
 *   prompt is too long for the context
 */
export async function* trainDpo(
  input: DpoInput,
  config: DpoConfig,
  ctx: StageContext,
): AsyncGenerator<StageEvent, { weights: WeightMap }> {
  const { seed, modelConfig, prompts, rollouts } = input;
  const { tokenizer } = ctx;
  // 1. rankings → groups of rows; some are held out, the same as by the reward model
  const context = modelConfig.max_position_embeddings;
  const groups = learntRankings(tokenizer, input.rankings, context, input.electorate);
  // a prompt that is too long is refused now, not in the measurement that draws it
  for (const prompt of prompts) promptTokens(tokenizer, prompt, context);
  const split = splitRankings(groups, config.held_out_ratio, seed);

  // 2. the SFT model twice: one copy learns, the other is only read
  const policy = Llama.load(
    modelConfig,
    ctx.resume ? underPrefix('policy', ctx.resume.tensors) : input.weights,
  );
  const reference = Llama.loadFrozen(modelConfig, input.weights);
  const reward = loadReward(input);
  const optimizer = new AdamW(policy.parameters, { ...config, adam_epsilon: 1e-8 });
  try {
    // 3. what the reference thinks of every ranked completion: it never changes
    const train = await withReference(reference, split.train);
    const heldOut = await withReference(reference, split.heldOut);
    const promptOf = endlessOrder(prompts.length, seed, STREAM.prompts);
    /** Reward and KL now; completions are fresh in each step, as PPO's are in each iteration. */
    const measured = async (step: number): Promise<Partial<MetricRow>> => {
      if (prompts.length === 0) return {};
      const first = step * rollouts.rollout_batch_size;
      const episodes = Array.from({ length: rollouts.rollout_batch_size }, (_, i) => first + i);
      return measureOnPpoAxes(
        { policy, reference, reward },
        tokenizer,
        episodes.map((episode) => prompts[promptOf(episode)]!),
        episodes,
        { ...rollouts, seed },
      );
    };

    const batches = epochBatches(train.length, config.per_device_train_batch_size, seed);
    const totalSteps = config.num_train_epochs * batches.stepsPerEpoch;
    const warmup = Math.round(config.warmup_ratio * totalSteps);
    const start = ctx.resume?.step ?? 0;
    let num_tokens = Number(ctx.resume?.state.num_tokens ?? 0);
    if (ctx.resume) {
      optimizer.restore({
        step: start,
        tensors: underPrefix('optimizer', ctx.resume.tensors),
      });
    }

    for (let step = start; step < totalSteps; step++) {
      // 4. a batch of prompts; every completion is read once, every pair counts
      const chosen = batches.rowsAt(step).map((i) => train[i]!);
      const batch = collate(allRows(chosen));
      const pairs = batchPairs(chosen);
      const refLogps = chosen.flatMap((group) => group.refLogps);

      // 5. one AdamW step
      const learning_rate =
        config.learning_rate * cosineFactor(step, totalSteps, warmup, config.min_lr_ratio);
      const result = await optimizer.step(
        () => dpoLoss(policy, batch, pairs, refLogps, config),
        learning_rate,
      );
      const tokens = batch.lengths.reduce((a, b) => a + b, 0);
      num_tokens += tokens;
      const row: MetricRow = {
        step: step + 1,
        loss: result.loss,
        ...result.stats,
        num_tokens,
        learning_rate,
        grad_norm: result.grad_norm,
        epoch: (step + 1) / batches.stepsPerEpoch,
      };

      // 6. now and then: held-out pairs, and where the policy stands between reward and KL
      const last = step + 1 === totalSteps;
      if (step === 0 || last || (step + 1) % config.eval_steps === 0) {
        Object.assign(row, await heldOutNumbers(policy, heldOut, config), await measured(step));
      }
      yield {
        step: step + 1,
        totalSteps,
        row,
        tokens,
        snapshot: async () => {
          const saved = await optimizer.state();
          return {
            step: step + 1,
            tensors: new Map([
              ...withPrefix('policy', await readWeights(policy.parameters)),
              ...withPrefix('optimizer', saved.tensors),
            ]),
            state: { num_tokens },
          };
        },
      };
    }
    return { weights: await readWeights(policy.parameters) };
  } finally {
    optimizer.dispose();
    reward?.dispose();
    reference.dispose();
    policy.dispose();
  }
}

function loadReward({ modelConfig, reward, seed }: DpoInput): ScalarModel | null {
  if (reward === null) return null;
  const normalized = normalizedRewardWeights(reward.weights, reward.shift, reward.scale);
  return ScalarModel.load(modelConfig, normalized, seed);
}

async function withReference(
  reference: Llama,
  groups: readonly RankedPrompt[],
): Promise<ReferredRows[]> {
  const logps = await completionLogps(reference, allRows(groups));
  let offset = 0;
  return groups.map((group) => {
    const first = offset;
    offset += group.rows.length;
    return { ...group, refLogps: logps.slice(first, offset) };
  });
}

/** The loss and the share of pairs ordered as ranked, where nothing is trained. */
async function heldOutNumbers(
  policy: Llama,
  groups: readonly ReferredRows[],
  { beta, label_smoothing: e }: DpoConfig,
): Promise<Partial<MetricRow>> {
  if (groups.length === 0) return {};
  const logps = await completionLogps(policy, allRows(groups));
  const refLogps = groups.flatMap((group) => group.refLogps);
  const rewards = logps.map((logp, i) => beta * (logp - refLogps[i]!));
  const { accuracy, loss, pairs } = pairAgreement(
    groups,
    rewards,
    (x) => ((1 - e) * minusLogSigmoid(x) - e * minusLogSigmoid(-x)) / (1 - 2 * e),
  );
  return { eval_loss: loss, 'eval_rewards/accuracies': accuracy, eval_pairs: pairs };
}
