/** What experiments have in common: stages pulled step by step, and texts written and scored by the way. */
import { PlaygroundError } from '../core/errors';
import type { ExperimentProgress } from '../core/experiments';
import type { Completion, Demonstration, ModelConfig, WeightMap } from '../core/domain';
import { ScalarModel } from '../engine/heads';
import { Llama } from '../engine/model';
import { encodeDialogue } from '../tokenizer/chat-template';
import type { Tokenizer } from '../tokenizer/tokenizer';
import { scoreRows } from './measures';
import { normalizedRewardWeights, type RewardOutput } from './reward';
import { sampleCompletions } from './sampling';
import type { StageEvent } from './stage';

/** What every experiment starts on. */
export interface ExperimentStart {
  modelConfig: ModelConfig;
  /** Weights of the SFT model. */
  weights: WeightMap;
  tokenizer: Tokenizer;
  demonstrations: Demonstration[];
  seed: number;
}

/** An experiment gives one of these for each step, so that it can be watched and ended early. */
export type ExperimentSteps<T> = AsyncGenerator<ExperimentProgress, T>;

/** An iteration of PPO costs about as much as this many steps of a reward model. */
export const PPO_UNITS = 8;
/** As much as writing one batch of completions. */
export const WRITING_UNITS = 6;

/** Counts what is done. */
export class Meter {
  private done = 0;
  private readonly total: number;

  /** @param total of all units, as far as it can be foreseen */
  constructor(total: number) {
    this.total = total;
  }

  took(units: number, doing: string): ExperimentProgress {
    this.done += units;
    return { done: Math.min(this.done, this.total), total: this.total, doing };
  }
}

/** Steps of a reward model on `rankings` rankings. */
export const rewardUnits = (
  rankings: number,
  config: { num_train_epochs: number; per_device_train_batch_size: number },
): number => config.num_train_epochs * Math.ceil(rankings / config.per_device_train_batch_size);

/** Numbers that no healthy step leaves infinite. */
const WATCHED = ['loss', 'loss/policy_avg', 'objective/kl'];

/**
 * Pulls a stage to its end; when the experiment is ended early, the stage frees its tensors.
 * @throws PlaygroundError `non-finite` naming the metric; as the stage
 */
export async function* pulled<T>(
  stage: AsyncGenerator<StageEvent, T>,
  tick: () => ExperimentProgress,
): ExperimentSteps<T> {
  try {
    for (;;) {
      const next = await stage.next();
      if (next.done === true) return next.value;
      const { row, step } = next.value;
      const bad = WATCHED.find((name) => row[name] !== undefined && !Number.isFinite(row[name]));
      const progress = tick();
      if (bad !== undefined) {
        throw new PlaygroundError({
          code: 'non-finite',
          field: bad,
          message: `${progress.doing}, step ${step}: ${bad} became ${row[bad]}.`,
          remedy: 'Lower the learning rate of that stage, then run the experiment again.',
        });
      }
      yield progress;
    }
  } finally {
    await stage.return(undefined as T);
  }
}

/** An answer with what it answers. */
export interface Answer {
  prompt: string;
  completion: Completion;
}

/** Completions written together. */
const TOGETHER = 64;

/** How many batches `writeAnswers` takes. */
export const writingBatches = (prompts: number, n: number): number =>
  Math.ceil(prompts / Math.max(1, Math.floor(TOGETHER / n)));

/** `n` answers to each prompt, in the order of the prompts. */
export async function* writeAnswers(
  policy: { modelConfig: ModelConfig; weights: WeightMap; tokenizer: Tokenizer },
  prompts: readonly string[],
  n: number,
  options: { temperature: number; max_new_tokens: number; seed: number },
  tick: () => ExperimentProgress,
): ExperimentSteps<Answer[]> {
  const model = Llama.loadFrozen(policy.modelConfig, policy.weights);
  try {
    const perCall = Math.max(1, Math.floor(TOGETHER / n));
    const answers: Answer[] = [];
    for (let from = 0; from < prompts.length; from += perCall) {
      const some = prompts.slice(from, from + perCall);
      const written = await sampleCompletions(model, policy.tokenizer, some, n, options);
      for (const [i, prompt] of some.entries()) {
        for (const completion of written[i]!) answers.push({ prompt, completion });
      }
      yield tick();
    }
    return answers;
  } finally {
    model.dispose();
  }
}

/** Normalised scores of texts by a reward model that is loaded for this alone. */
export async function scoreTexts(
  { modelConfig, tokenizer, seed }: Pick<ExperimentStart, 'modelConfig' | 'tokenizer' | 'seed'>,
  reward: RewardOutput,
  texts: readonly { prompt: string; text: string }[],
): Promise<number[]> {
  const { weights, rewardShift, rewardScale } = reward;
  const model = ScalarModel.load(
    modelConfig,
    normalizedRewardWeights(weights, rewardShift, rewardScale),
    seed,
  );
  try {
    const context = modelConfig.max_position_embeddings;
    const rows = texts.map(({ prompt, text }) => {
      const { input_ids, promptLength } = encodeDialogue(tokenizer, prompt, text);
      return { input_ids: input_ids.slice(0, context), promptLength };
    });
    return await scoreRows(model, rows);
  } finally {
    model.dispose();
  }
}

export const mean = (xs: readonly number[]): number =>
  xs.reduce((sum, x) => sum + x, 0) / xs.length;
