/**
 * The reward model (Ouyang et al. 2022, section 3.5): the SFT model without its unembedding layer and
 * with a scalar head on the last token. All C(K,2) pairs of a prompt stand in one batch element, with
 * one forward pass for each completion:
 *
 *   loss = −1/C(K,2) · Σ log σ(r_w − r_l)
 *
 * A ranking counts by the weight of its labeler, see `splitRankings`.
 */
import { cosineFactor } from '../core/schedule';
import type { RewardConfig } from '../core/config';
import type { Electorate } from '../core/electorate';
import type { Demonstration, MetricRow, ModelConfig, Ranking, WeightMap } from '../core/domain';
import { collate } from '../engine/batch';
import { ScalarModel } from '../engine/heads';
import { kwiseRewardLoss } from '../engine/losses';
import { AdamW } from '../engine/optimizer';
import { readWeights } from '../engine/weights';
import { encodeDialogue } from '../tokenizer/chat-template';
import type { Tokenizer } from '../tokenizer/tokenizer';
import { rewardExamples } from './bug-lab';
import { allRows, minusLogSigmoid, pairAgreement, scoreRows, type RankedRows } from './measures';
import {
  batchPairs,
  harmPairs,
  learntRankings,
  splitRankings,
  type RankedPrompt,
} from './rankings';
import { epochBatches, underPrefix, withPrefix, type StageContext, type StageEvent } from './stage';

export interface RewardInput {
  modelConfig: ModelConfig;
  /** Weights of the SFT model. */
  weights: WeightMap;
  rankings: Ranking[];
  /** Whose rankings count; everyone's alike when left out. */
  electorate?: Electorate;
  demonstrations: Demonstration[];
  seed: number;
}

export interface RewardOutput {
  /** Trunk and `score.weight` [1, C]: scores before normalisation. */
  weights: WeightMap;
  /** The mean raw score of the demonstrations. */
  rewardShift: number;
  /** 1 / standard deviation of the raw scores of the ranked completions. */
  rewardScale: number;
}

/**
 * Folds the normalisation r ↦ (r − shift)·scale into the head, so that the model's own output is the
 * normalised reward.
 */
export function normalizedRewardWeights(
  weights: WeightMap,
  rewardShift: number,
  rewardScale: number,
): WeightMap {
  const head = weights.get('score.weight')!;
  const bias = weights.get('score.bias')?.data[0] ?? 0;
  return new Map([
    ...weights,
    ['score.weight', { shape: head.shape, data: head.data.map((w) => w * rewardScale) }],
    ['score.bias', { shape: [1], data: Float32Array.of((bias - rewardShift) * rewardScale) }],
  ]);
}

/**
 * Trains on the rankings that are not held out.
 * @throws PlaygroundError `missing` when no ranking that counts prefers one completion to another
 */
export async function* trainReward(
  input: RewardInput,
  config: RewardConfig,
  ctx: StageContext,
): AsyncGenerator<StageEvent, RewardOutput> {
  // 1. rankings → groups of rows; some are held out
  const context = input.modelConfig.max_position_embeddings;
  const groups = learntRankings(ctx.tokenizer, input.rankings, context, input.electorate);
  const { train: kept, heldOut } = splitRankings(groups, config.held_out_ratio, input.seed);
  const { groups: train, epochs } = rewardExamples(config, kept);

  // 2. SFT trunk, new scalar head
  const model = ScalarModel.load(
    input.modelConfig,
    ctx.resume ? underPrefix('model', ctx.resume.tensors) : input.weights,
    input.seed,
  );
  const optimizer = new AdamW(model.parameters, { ...config, adam_epsilon: 1e-8 });
  try {
    const batches = epochBatches(train.length, config.per_device_train_batch_size, input.seed);
    const totalSteps = epochs * batches.stepsPerEpoch;
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
      // 3. a batch of prompts; every completion is read once, every pair counts
      const chosen = batches.rowsAt(step).map((i) => train[i]!);
      const batch = collate(chosen.flatMap((group) => group.rows));

      // 4. one AdamW step on the K-wise loss
      const learning_rate =
        config.learning_rate * cosineFactor(step, totalSteps, warmup, config.min_lr_ratio);
      const result = await optimizer.step(
        () =>
          kwiseRewardLoss(model, batch, batchPairs(chosen), {
            margin: config.margin,
            center: config.center_rewards_coefficient,
          }),
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
      const last = step + 1 === totalSteps;
      if (heldOut.length > 0 && (step === 0 || last || (step + 1) % config.eval_steps === 0)) {
        Object.assign(row, await heldOutNumbers(model, heldOut));
      }
      yield {
        step: step + 1,
        totalSteps,
        row,
        tokens,
        snapshot: async () => {
          // 5. demonstrations score 0 on average [IG]; one unit is one standard deviation of the
          //    ranked completions [LMHP fits gain and bias on reference samples]
          const normalization = await fitNormalization(
            model,
            train,
            input.demonstrations,
            ctx.tokenizer,
          );
          const saved = await optimizer.state();
          return {
            step: step + 1,
            tensors: new Map([
              ...withPrefix('model', await readWeights(model.parameters)),
              ...withPrefix('optimizer', saved.tensors),
            ]),
            state: { num_tokens, ...normalization },
          };
        },
      };
    }
    const normalization = await fitNormalization(model, train, input.demonstrations, ctx.tokenizer);
    return { weights: await readWeights(model.parameters), ...normalization };
  } finally {
    optimizer.dispose();
    model.dispose();
  }
}

/** Accuracy on all held-out pairs, and on those of a harmful and a harmless completion. */
async function heldOutNumbers(
  model: ScalarModel,
  heldOut: readonly RankedPrompt[],
): Promise<Partial<MetricRow>> {
  const rewards = await scoreRows(model, allRows(heldOut));
  const all = pairAgreement(heldOut, rewards, minusLogSigmoid);
  const harm = pairAgreement(heldOut, rewards, minusLogSigmoid, harmPairs);
  return {
    eval_accuracy: all.accuracy,
    eval_loss: all.loss,
    eval_pairs: all.pairs,
    // no accuracy of no pairs
    ...(harm.pairs > 0 && { eval_harm_accuracy: harm.accuracy }),
    eval_harm_pairs: harm.pairs,
  };
}

/** Shift and scale of the raw scores; without demonstrations the ranked completions give the mean. */
async function fitNormalization(
  model: ScalarModel,
  groups: readonly RankedRows[],
  demonstrations: readonly Demonstration[],
  tokenizer: Tokenizer,
): Promise<{ rewardShift: number; rewardScale: number }> {
  const ranked = await scoreRows(
    model,
    groups.flatMap((group) => group.rows),
  );
  const context = model.config.max_position_embeddings;
  const demonstrated = await scoreRows(
    model,
    demonstrations
      .map(({ prompt, completion }) => encodeDialogue(tokenizer, prompt, completion))
      .filter((row) => row.input_ids.length <= context),
  );
  const mean = (xs: number[]) => xs.reduce((a, b) => a + b, 0) / xs.length;
  const center = mean(ranked);
  const deviation = Math.sqrt(mean(ranked.map((r) => (r - center) ** 2)));
  return {
    rewardShift: demonstrated.length > 0 ? mean(demonstrated) : center,
    rewardScale: 1 / Math.max(deviation, 1e-3),
  };
}
