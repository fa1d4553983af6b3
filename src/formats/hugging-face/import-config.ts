/** Checks a `config.json` of transformers: only what the engine computes exactly is let in. */
import type { ModelConfig } from '../../core/domain';
import { PlaygroundError } from '../../core/errors';
import { showJson } from '../show-json';
import { malformedModel } from './import-files';

const SUPPORTED =
  'Llama-family models (LlamaForCausalLM) without biases and with plain rotary positions can be loaded, e.g. SmolLM2-135M.';

/** Larger than every published Llama; a hostile number must not become a long loop. */
const MOST = {
  vocab_size: 2 ** 20,
  hidden_size: 32_768,
  intermediate_size: 262_144,
  num_hidden_layers: 512,
  num_attention_heads: 512,
  num_key_value_heads: 512,
  max_position_embeddings: 2 ** 22,
} as const;

type Fields = Record<string, unknown>;

function refuse(field: string, message: string): PlaygroundError {
  return new PlaygroundError({
    code: 'format',
    field,
    message: `config.json: ${message}.`,
    remedy: SUPPORTED,
  });
}

/**
 * The engine's configuration from a parsed `config.json`. Fields that are left out have the values
 * of transformers' `LlamaConfig`; the sizes must be there.
 * @throws PlaygroundError `format` naming the field: what was found and what is supported
 */
export function readLlamaConfig(json: unknown): ModelConfig {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw malformedModel('config.json', 'it is not a JSON object', SUPPORTED);
  }
  const file = json as Fields;
  checkArchitecture(file);

  const heads = size(file, 'num_attention_heads');
  const config: ModelConfig = {
    vocab_size: size(file, 'vocab_size'),
    hidden_size: size(file, 'hidden_size'),
    intermediate_size: size(file, 'intermediate_size'),
    num_hidden_layers: size(file, 'num_hidden_layers'),
    num_attention_heads: heads,
    num_key_value_heads: size(file, 'num_key_value_heads', heads),
    max_position_embeddings: size(file, 'max_position_embeddings', 2048),
    rms_norm_eps: real(file, 'rms_norm_eps', 1e-6, 0.1),
    rope_theta: ropeTheta(file),
    tie_word_embeddings: truth(file, 'tie_word_embeddings', false),
  };
  checkHeads(file, config);
  return config;
}

function checkArchitecture(file: Fields): void {
  const { architectures, model_type } = file;
  if (!Array.isArray(architectures) || architectures.length !== 1) {
    const found = `architectures is ${showJson(architectures)} and model_type ${showJson(model_type)}`;
    throw refuse('architectures', `${found}; LlamaForCausalLM is supported`);
  }
  if (architectures[0] !== 'LlamaForCausalLM') {
    const found = `the architecture is ${showJson(architectures[0])}`;
    throw refuse('architectures', `${found}; LlamaForCausalLM is supported`);
  }
  if (model_type !== undefined && model_type !== 'llama') {
    throw refuse('model_type', `model_type is ${showJson(model_type)}; llama is supported`);
  }
  if (file['quantization_config'] != null) {
    throw refuse(
      'quantization_config',
      'the weights are quantized; F32, F16 and BF16 are supported',
    );
  }
  const act = file['hidden_act'] ?? 'silu';
  if (act !== 'silu')
    throw refuse('hidden_act', `hidden_act is ${showJson(act)}; silu is supported`);
  for (const field of ['attention_bias', 'mlp_bias', 'rope_interleaved']) {
    if (truth(file, field, false)) throw refuse(field, `${field} is true; only false is supported`);
  }
}

function size(file: Fields, field: keyof typeof MOST, whenMissing?: number): number {
  const value = file[field] ?? whenMissing;
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 1 || value > MOST[field]) {
    throw refuse(
      field,
      `${field} is ${showJson(value)}; it must be a whole number from 1 to ${MOST[field]}`,
    );
  }
  return value;
}

function real(file: Fields, field: string, whenMissing: number, most: number): number {
  const value = file[field] ?? whenMissing;
  if (typeof value !== 'number' || !(value > 0 && value <= most)) {
    throw refuse(
      field,
      `${field} is ${showJson(value)}; it must be a number above 0, at most ${most}`,
    );
  }
  return value;
}

function truth(file: Fields, field: string, whenMissing: boolean): boolean {
  const value = file[field] ?? whenMissing;
  if (typeof value !== 'boolean')
    throw refuse(field, `${field} is ${showJson(value)}, not true or false`);
  return value;
}

const MOST_THETA = 1e12;

/** transformers 5 writes `rope_parameters`, earlier versions `rope_theta` and `rope_scaling`. */
function ropeTheta(file: Fields): number {
  const thetas = [file['rope_theta'] ?? undefined];
  for (const field of ['rope_scaling', 'rope_parameters']) {
    const value = file[field] ?? null;
    if (value === null) continue;
    const fields = typeof value === 'object' ? (value as Fields) : {};
    const type = fields['rope_type'] ?? fields['type'];
    if (type !== 'default') {
      throw refuse(field, `${field} has the type ${showJson(type)}; only default is supported`);
    }
    thetas.push(fields['rope_theta'] ?? undefined);
  }
  const given = [...new Set(thetas.filter((theta) => theta !== undefined))];
  if (given.length > 1) {
    throw refuse(
      'rope_theta',
      `rope_theta is given twice, as ${given.map(showJson).join(' and ')}`,
    );
  }
  return real({ rope_theta: given[0] }, 'rope_theta', 10_000, MOST_THETA);
}

function checkHeads(file: Fields, config: ModelConfig): void {
  const { hidden_size: C, num_attention_heads: H, num_key_value_heads: KV } = config;
  if (C % H !== 0 || (C / H) % 2 !== 0) {
    throw refuse('num_attention_heads', `hidden_size ${C} is not an even multiple of ${H} heads`);
  }
  if (H % KV !== 0) {
    throw refuse('num_key_value_heads', `${H} heads cannot share ${KV} key-value heads evenly`);
  }
  const headDim = file['head_dim'] ?? C / H;
  if (headDim !== C / H) {
    const found = `head_dim is ${showJson(headDim)}`;
    throw refuse(
      'head_dim',
      `${found}; only hidden_size / num_attention_heads = ${C / H} is supported`,
    );
  }
}
