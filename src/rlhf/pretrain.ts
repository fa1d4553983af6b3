/**
 * Pretraining from scratch in the page: a byte-level BPE tokenizer is trained on the text, then a
 * model with random weights learns to continue it. Documents never share a row.
 */
import { PRESETS } from '../core/presets';
import { PlaygroundError } from '../core/errors';
import { STREAM, uniform } from '../core/rng';
import type { PretrainConfig } from '../core/config';
import type { ModelConfig, Sample, WeightMap } from '../core/domain';
import { generate } from '../engine/generate';
import { Llama } from '../engine/model';
import { initialWeights, readWeights } from '../engine/weights';
import { encodeDocument } from '../tokenizer/documents';
import type { Tokenizer } from '../tokenizer/tokenizer';
import { fromTokenizerJson, toTokenizerJson } from '../tokenizer/tokenizer-json';
import { trainBpe } from '../tokenizer/train-bpe';
import { toSample } from './sampling';
import { trainSupervised, type TokenRow } from './supervised';
import { underPrefix, type StageContext, type StageEvent } from './stage';

export interface PretrainInput {
  /** Documents. */
  texts: string[];
  seed: number;
  /** Openings that the model continues every `eval_steps` steps. */
  samplePrompts: string[];
}

export interface PretrainOutput {
  weights: WeightMap;
  modelConfig: ModelConfig;
  tokenizer: Tokenizer;
}

/**
 * Cuts a document into rows of at most `max_length` tokens. The first token of a row has nothing
 * before it, so the loss starts at the second.
 */
function rowsOf(ids: number[], max_length: number): TokenRow[] {
  const rows: TokenRow[] = [];
  for (let start = 0; start < ids.length - 1; start += max_length) {
    const input_ids = ids.slice(start, start + max_length);
    if (input_ids.length > 1) rows.push({ input_ids, promptLength: 1 });
  }
  return rows;
}

/**
 * A tokenizer whose size the matmul kernels can take: divisible by 4. A short text gives fewer merges
 * than asked for; the last few are then left out, so that no id of the model is without a token.
 */
function trainTokenizer(texts: string[], vocab_size: number): Tokenizer {
  const tokenizer = trainBpe(texts, { vocab_size });
  const spare = tokenizer.vocabSize % 4;
  return spare === 0 ? tokenizer : trainBpe(texts, { vocab_size: tokenizer.vocabSize - spare });
}

/**
 * @throws PlaygroundError `input` when there is too little text
 */
export async function* pretrain(
  input: PretrainInput,
  config: PretrainConfig,
  ctx: Omit<StageContext, 'tokenizer'>,
): AsyncGenerator<StageEvent, PretrainOutput> {
  // 1. the tokenizer, or the one that the interrupted run trained
  const preset = PRESETS[config.preset];
  const tokenizer = ctx.resume
    ? fromTokenizerJson(ctx.resume.state.tokenizer)
    : trainTokenizer(input.texts, preset.vocab_size);
  const modelConfig = { ...preset, vocab_size: tokenizer.vocabSize };

  // 2. rows; one document in twenty is held out
  const max_length = Math.min(config.max_length, preset.max_position_embeddings);
  const train: TokenRow[] = [];
  const heldOut: TokenRow[] = [];
  input.texts.forEach((text, i) => {
    const rows = rowsOf(encodeDocument(tokenizer, text), max_length);
    (uniform(input.seed, STREAM.split, i) < 0.05 ? heldOut : train).push(...rows);
  });
  if (train.length < 8) {
    throw new PlaygroundError({
      code: 'input',
      field: 'text',
      message: `The text gives only ${train.length} rows to train on.`,
      remedy: 'Paste at least a few pages, documents separated by blank lines.',
    });
  }

  // 3. random weights, then the same loop as SFT
  const weights = ctx.resume
    ? underPrefix('policy', ctx.resume.tensors)
    : initialWeights(modelConfig, input.seed);
  const model = Llama.load(modelConfig, weights);
  const sample = async (step: number): Promise<Sample[]> => {
    const prompts = input.samplePrompts.map((text) => tokenizer.encode(text));
    const written = await generate(model, prompts, {
      max_new_tokens: Math.min(
        40,
        modelConfig.max_position_embeddings - Math.max(0, ...prompts.map((p) => p.length)),
      ),
      temperature: 1,
      seed: input.seed,
      streams: prompts.map((_, i) => step * 1000 + i),
      eos_token_id: tokenizer.endId,
    });
    return written.map((completion, i) => toSample(tokenizer, input.samplePrompts[i]!, completion));
  };
  try {
    yield* trainSupervised(
      {
        model,
        train,
        heldOut: heldOut.slice(0, 64),
        totalSteps: config.max_steps,
        seed: input.seed,
        sample,
        resume: ctx.resume,
        extraState: { tokenizer: toTokenizerJson(tokenizer), modelConfig },
      },
      { ...config, min_lr_ratio: 0.1, resid_pdrop: 0, bug: 'none' },
    );
    return { weights: await readWeights(model.parameters), modelConfig, tokenizer };
  } finally {
    model.dispose();
  }
}
