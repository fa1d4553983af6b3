/**
 * Supervised fine-tuning (Ouyang et al. 2022, section 3.5): the base model reads demonstrations in the
 * chat template and learns to write the completion, its end token included. The prompt is masked out.
 */
import { PlaygroundError } from '../core/errors';
import type { SftConfig } from '../core/config';
import type { Demonstration, ModelConfig, WeightMap } from '../core/domain';
import { Llama } from '../engine/model';
import { readWeights } from '../engine/weights';
import { encodeDialogue } from '../tokenizer/chat-template';
import { writeSamples } from './sampling';
import { trainSupervised, type TokenRow } from './supervised';
import { underPrefix, type StageContext, type StageEvent } from './stage';

export interface SftInput {
  modelConfig: ModelConfig;
  weights: WeightMap;
  demonstrations: Demonstration[];
  /** Fixed prompts answered every `eval_steps` steps. */
  samplePrompts: string[];
  seed: number;
}

/**
 * Trains for `num_train_epochs` over the demonstrations that are not held out.
 * @throws PlaygroundError `missing` when no demonstration is left to train on
 */
export async function* trainSft(
  input: SftInput,
  config: SftConfig,
  ctx: StageContext,
): AsyncGenerator<StageEvent, { weights: WeightMap }> {
  // 1. demonstrations → tokens; rows longer than the context cannot be learnt from
  const limit = Math.min(config.max_length, input.modelConfig.max_position_embeddings);
  const encode = (heldOut: boolean): TokenRow[] =>
    input.demonstrations
      .filter((demonstration) => demonstration.heldOut === heldOut)
      .map(({ prompt, completion }) => encodeDialogue(ctx.tokenizer, prompt, completion))
      .filter((row) => row.input_ids.length <= limit);
  const train = encode(false);
  if (train.length === 0) {
    throw new PlaygroundError({
      code: 'missing',
      field: 'demonstrations',
      message: `There is no demonstration of at most ${limit} tokens to train on.`,
      remedy: 'Paste some demonstrations, shorten them, or hold out fewer.',
    });
  }

  // 2. train
  const stepsPerEpoch = Math.ceil(train.length / config.per_device_train_batch_size);
  const weights = ctx.resume ? underPrefix('policy', ctx.resume.tensors) : input.weights;
  const model = Llama.load(input.modelConfig, weights);
  try {
    yield* trainSupervised(
      {
        model,
        train,
        heldOut: encode(true),
        totalSteps: config.num_train_epochs * stepsPerEpoch,
        seed: input.seed,
        sample: (step) =>
          writeSamples(model, ctx.tokenizer, input.samplePrompts, { seed: input.seed, step }),
        resume: ctx.resume,
        extraState: {},
      },
      config,
    );
    return { weights: await readWeights(model.parameters) };
  } finally {
    model.dispose();
  }
}
