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
import { STREAM } from '../core/rng';
import { ppoFactor } from '../core/schedule';
import type { PpoConfig } from '../core/config';
import type { MetricRow, WeightMap } from '../core/domain';
import { encodeDocument } from '../tokenizer/documents';
import type { Tokenizer } from '../tokenizer/tokenizer';
import {
  disposeLearner,
  loadLearner,
  saveLearner,
  shippedWeights,
  type PpoStart,
} from './ppo-models';
import { update, type PretrainingText } from './ppo-update';
import { rolloutSamples } from './receipt';
import { collectRollout, firstIterationChecks, rolloutMetrics } from './rollout';
import { promptTokens } from './sampling';
import { endlessOrder, type StageContext, type StageEvent } from './stage';

export interface PpoInput extends PpoStart {
  prompts: string[];
  /** Pretraining text for PPO-ptx; read when `ptx_coef` is above 0. */
  pretrainingTexts?: readonly string[];
}

/** Completions of an iteration that are shown. */
const SAMPLES = 4;

/**
 * One event for each iteration: rollout, then `num_ppo_epochs` × `num_mini_batches` updates.
 * @throws PlaygroundError `missing` without prompts, or with PPO-ptx and no pretraining text; `input`
 *   when a prompt is too long for the context; `non-finite` when the reward model gives no number
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
  const { seed, prompts, modelConfig } = input;
  // a prompt that is too long is refused now, not in the iteration that draws it
  for (const prompt of prompts) {
    promptTokens(ctx.tokenizer, prompt, modelConfig.max_position_embeddings);
  }
  const pretraining = pretrainingText(input, config, ctx.tokenizer);
  const promptOf = endlessOrder(prompts.length, seed, STREAM.prompts);
  // 1. four models; the value model starts as the reward model
  const learner = loadLearner(input, config, ctx.resume);
  try {
    let kl_coef = Number(ctx.resume?.state.kl_coef ?? config.kl_coef);
    for (let iteration = ctx.resume?.step ?? 0; iteration < config.num_iterations; iteration++) {
      // 2. fresh completions from the policy as it is now
      const episodes = Array.from(
        { length: config.rollout_batch_size },
        (_, i) => iteration * config.rollout_batch_size + i,
      );
      const rollout = await collectRollout(
        learner,
        ctx.tokenizer,
        episodes.map((episode) => prompts[promptOf(episode)]!),
        episodes,
        { config, kl_coef, seed, iteration },
      );

      // 3. learn from them
      const lr =
        config.learning_rate *
        ppoFactor(iteration, config.num_iterations, config.warmup_iterations, config.lr_schedule);
      const updates = await update(learner, rollout, { config, lr, seed, iteration, pretraining });

      // 4. TRL's names
      const row: MetricRow = {
        step: iteration + 1,
        ...rolloutMetrics(rollout, kl_coef, config),
        ...(iteration === 0 && firstIterationChecks(rollout, learner, config)),
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
        samples: await rolloutSamples(rollout, learner.policy, ctx.tokenizer, config, SAMPLES),
        snapshot: async () => {
          const { tensors, optimizerStep } = await saveLearner(learner);
          return { step: iteration + 1, tensors, state: { kl_coef, optimizerStep } };
        },
      };
    }
    return { weights: await shippedWeights(learner) };
  } finally {
    disposeLearner(learner);
  }
}

/** Rows for PPO-ptx, each a document cut at the context; the first token has nothing before it. */
function pretrainingText(
  { pretrainingTexts = [], modelConfig, seed }: PpoInput,
  config: PpoConfig,
  tokenizer: Tokenizer,
): PretrainingText {
  if (config.ptx_coef === 0) return { rows: [], order: () => 0 };
  const rows = pretrainingTexts
    .map((text) => encodeDocument(tokenizer, text).slice(0, modelConfig.max_position_embeddings))
    .filter((ids) => ids.length > 1)
    .map((input_ids) => ({ input_ids, promptLength: 1 }));
  if (rows.length === 0) {
    throw new PlaygroundError({
      code: 'missing',
      field: 'ptx_coef',
      message: 'The pretraining mix is on, but this base model came without pretraining text.',
      remedy:
        'Set the pretraining mix to 0, or start from one of the bases that come with the page.',
    });
  }
  return { rows, order: endlessOrder(rows.length, seed, STREAM.pretraining) };
}
