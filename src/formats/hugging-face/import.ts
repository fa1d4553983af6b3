/**
 * Loads a Llama-family model from the files of a Hugging Face folder. Everything is checked before a
 * tensor is read: `config.json`, `tokenizer.json`, the headers of all weight files, the memory needed.
 */
import type { HostTensor, ModelConfig } from '../../core/domain';
import { countParameters } from '../../core/presets';
import { importTokenizer } from '../../tokenizer/import-tokenizer';
import type { Tokenizer } from '../../tokenizer/tokenizer';
import { readLlamaConfig } from './import-config';
import {
  findModelFolder,
  malformedModel,
  readJson,
  type ImportFile,
  type ModelFolder,
} from './import-files';
import { requireMemory, type ImportLimits, type MemoryNeeded } from './import-memory';
import { checkValues, openWeights, readParameters } from './import-weights';

export interface ImportedModel {
  /** `vocab_size` counts the tokens that were appended for missing roles. */
  modelConfig: ModelConfig;
  tokenizer: Tokenizer;
  parameterCount: number;
  memory: MemoryNeeded;
  /** What a person should know about what was taken over and what was not, one sentence each. */
  facts: string[];
  /** The checked parameters as f32 by Hugging Face name, read from the files one at a time. */
  tensors(): AsyncGenerator<[name: string, tensor: HostTensor]>;
}

/**
 * Checks a folder and gives its model.
 * @param files all files of the folder; others are passed over
 * @param limits what this machine has for the weights
 * @throws PlaygroundError `input` no single model among the files · `format` naming file, field or
 *   tensor · `engine` too large, with the numbers
 */
export async function importHuggingFace(
  files: readonly ImportFile[],
  limits: ImportLimits,
): Promise<ImportedModel> {
  const folder = findModelFolder(files);
  const fileConfig = await readJson(folder, 'config.json');
  const config = readLlamaConfig(fileConfig);
  requireMemory(config, limits);
  const { tokenizer, ownTokens, facts } = await readTokenizer(folder, fileConfig);
  if (ownTokens > config.vocab_size) {
    throw malformedModel(
      'tokenizer.json',
      `it has ${ownTokens} tokens, config.json says vocab_size ${config.vocab_size}`,
      'Use the tokenizer.json that belongs to this model.',
    );
  }
  const modelConfig = { ...config, vocab_size: tokenizer.vocabSize };
  const memory = requireMemory(modelConfig, limits);

  const weights = await openWeights(folder, config);
  await checkValues(weights);
  if (config.vocab_size > ownTokens) {
    facts.push(
      `${config.vocab_size - ownTokens} rows of the embedding belong to no token and are left out.`,
    );
  }
  if (weights.ignored.length > 0) {
    facts.push(`Not needed, left out: ${listed(weights.ignored)}.`);
  }
  return {
    modelConfig,
    tokenizer,
    parameterCount: countParameters(modelConfig),
    memory,
    facts,
    tensors: () => readParameters(weights, ownTokens, tokenizer.vocabSize),
  };
}

function listed(names: readonly string[]): string {
  const more = names.length > 3 ? ` and ${names.length - 3} more` : '';
  return names.slice(0, 3).join(', ') + more;
}

async function readTokenizer(
  folder: ModelFolder,
  fileConfig: unknown,
): Promise<ReturnType<typeof importTokenizer>> {
  const json = await readJson(folder, 'tokenizer.json');
  if (json === null) {
    const other = folder.has('tokenizer.model')
      ? 'tokenizer.json is missing; tokenizer.model (SentencePiece) is not supported'
      : 'it is missing';
    throw malformedModel('tokenizer.json', other, 'Choose the whole folder of the model.');
  }
  return importTokenizer(json, await endToken(folder, fileConfig));
}

/** The end-of-text token: first where a chat model's tokenizer names its end of turn. */
async function endToken(folder: ModelFolder, config: unknown): Promise<string | number | null> {
  for (const file of ['tokenizer_config.json', 'special_tokens_map.json']) {
    const token = field(await readJson(folder, file), 'eos_token');
    const content = typeof token === 'string' ? token : field(token, 'content');
    if (typeof content === 'string') return content;
  }
  const id = field(config, 'eos_token_id');
  const first: unknown = Array.isArray(id) ? id[0] : id;
  return typeof first === 'number' ? first : null;
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null
    ? (value as Record<string, unknown>)[name]
    : null;
}
