/**
 * A model as a Hugging Face folder, which `transformers` loads unchanged: `LlamaForCausalLM` for a
 * policy, `LlamaForSequenceClassification` for a reward model. Checked against `transformers` by
 * tools/golden/check_export.py.
 */
import type { ModelConfig, WeightMap } from '../../core/domain';
import { PlaygroundError } from '../../core/errors';
import type { PreferenceCard } from '../../core/preference-card';
import { preferenceFiles } from '../../core/preference-markdown';
import { parameterShapes } from '../../core/presets';
import type { Tokenizer } from '../../tokenizer/tokenizer';
import { toTokenizerJson } from '../../tokenizer/tokenizer-json';
import { modelCard, type ModelCardFacts } from './export-card';
import {
  generationConfigJson,
  modelConfigJson,
  tokenizerConfigJson,
  type ExportKind,
} from './export-config';
import { checkTensors, f32Safetensors } from './export-safetensors';
import { zipStream, type ExportedFile } from './export-zip';

export interface ExportedModel {
  kind: ExportKind;
  config: ModelConfig;
  /**
   * By Hugging Face name. A reward model's head is the one that the page scores with, its
   * normalisation folded in: `score.weight` [1, C] and `score.bias` [1]. Taken over: writing the files
   * empties the map, tensor by tensor.
   */
  weights: WeightMap;
  tokenizer: Tokenizer;
  /** The temperature that the policy was trained to be sampled at. */
  temperature: number;
  card: ModelCardFacts;
  /** Whose preferences went into it: files of their own beside the card. */
  preferences?: PreferenceCard;
}

const LM_HEAD = 'lm_head.weight';
const SCORE_WEIGHT = 'score.weight';
const SCORE_BIAS = 'score.bias';

/**
 * The files of a model: config.json, generation_config.json (policies only: a reward model writes
 * nothing), model.safetensors (f32), README.md, PREFERENCES.md, preferences.json,
 * tokenizer.json, tokenizer_config.json. Everything is
 * checked here, and a refused model keeps its weights; making the contents afterwards cannot fail.
 * @throws PlaygroundError `format` naming the tensor that is missing, unknown, of another shape or not
 *   finite; `config` when the tokenizer has ids that the model has no embedding for
 */
export function huggingFaceFiles(model: ExportedModel): ExportedFile[] {
  const { kind, config, tokenizer } = model;
  if (tokenizer.vocabSize > config.vocab_size) {
    throw new PlaygroundError({
      code: 'config',
      field: 'vocab_size',
      message: `The tokenizer has ${tokenizer.vocabSize} tokens, the model only ${config.vocab_size}.`,
      remedy: 'Export the model together with the tokenizer that it was trained with.',
    });
  }
  const names = checkedNames(model);
  const scoreBias = kind === 'reward' ? model.weights.get(SCORE_BIAS)!.data[0]! : 0;
  const tensors = f32Safetensors(names, model.weights);
  const preferences = model.preferences === undefined ? [] : preferenceFiles(model.preferences);
  return [
    jsonFile('config.json', modelConfigJson(kind, config, tokenizer, scoreBias)),
    ...(kind === 'policy'
      ? [jsonFile('generation_config.json', generationConfigJson(tokenizer, model.temperature))]
      : []),
    textFile('README.md', modelCard(kind, config, model.card, preferences.length > 0)),
    ...preferences.map(([path, text]) => textFile(path, text)),
    jsonFile('tokenizer.json', toTokenizerJson(tokenizer)),
    jsonFile('tokenizer_config.json', tokenizerConfigJson(kind, config, tokenizer)),
    { path: 'model.safetensors', ...tensors },
  ];
}

/**
 * The folder as a zip archive that is made while it is read: beyond the weights not yet written,
 * memory holds one piece of at most 1 MiB. Equal models give equal bytes.
 * @throws PlaygroundError as `huggingFaceFiles`, before the stream exists; also when the files exceed
 *   4 GiB, the limit of zip
 */
export function huggingFaceZip(model: ExportedModel): ReadableStream<Uint8Array<ArrayBuffer>> {
  return zipStream(huggingFaceFiles(model));
}

/** Names of the tensors that the class in `transformers` has, all of them checked. */
function checkedNames({ kind, config, weights }: ExportedModel): string[] {
  const found: WeightMap = new Map(weights);
  const shapes = parameterShapes(config);
  // Tied: the output matrix is the embedding, some checkpoints hold it twice. A reward model has none.
  if (kind === 'reward' || config.tie_word_embeddings) found.delete(LM_HEAD);
  if (kind === 'reward') {
    shapes.delete(LM_HEAD);
    shapes.set(SCORE_WEIGHT, [1, config.hidden_size]);
    shapes.set(SCORE_BIAS, [1]);
  }
  checkTensors(shapes, found);
  shapes.delete(SCORE_BIAS); // recorded in config.json
  return [...shapes.keys()];
}

function jsonFile(path: string, value: unknown): ExportedFile {
  return textFile(path, `${JSON.stringify(value, null, 2)}\n`);
}

function textFile(path: string, text: string): ExportedFile {
  const bytes = new TextEncoder().encode(text);
  return { path, bytes: bytes.length, pieces: () => [bytes.slice()] };
}
