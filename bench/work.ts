/** What is measured: model sizes, data, and what each side of the comparison offers. */
import type { ModelConfig } from '../src/core/domain';
import { countParameters, PRESETS, type PresetName } from '../src/core/presets';

/**
 * `main` is the model of the comparison with others: a Llama of 0.870 M parameters, as many as the
 * GPT with vocabulary 512, context 64, d 128, 4 layers and 4 heads has (0.867 M).
 */
export type SizeName = 'main' | PresetName;

export const SIZES: Record<SizeName, ModelConfig> = {
  main: {
    vocab_size: 512,
    hidden_size: 128,
    intermediate_size: 352,
    num_hidden_layers: 4,
    num_attention_heads: 4,
    num_key_value_heads: 4,
    max_position_embeddings: 256,
    rms_norm_eps: 1e-5,
    rope_theta: 10000,
    tie_word_embeddings: true,
  },
  ...PRESETS,
};

/** Adam as in the comparison: no weight decay; ours clips the global gradient norm as well. */
export const ADAM = {
  learning_rate: 1e-3,
  adam_beta1: 0.9,
  adam_beta2: 0.999,
  adam_epsilon: 1e-8,
  weight_decay: 0,
  max_grad_norm: 1,
};

/** Seed of the weights that every side starts with. */
export const WEIGHT_SEED = 1;

/** A batch [B, T] of a model. */
export interface Work {
  size: SizeName;
  B: number;
  T: number;
}

/** B prompts of `prompt` tokens, each continued by `tokens` sampled ones. */
export interface DecodeWork {
  size: SizeName;
  B: number;
  prompt: number;
  tokens: number;
}

/** [N, K] × [K, M], f32. */
export interface MatmulWork {
  N: number;
  K: number;
  M: number;
}

/** Work set up and ready; each run ends when its result has been read back. */
export interface Timed {
  /** Resolves to the loss of a training step, nats per token, where there is one. */
  run(): Promise<number | undefined>;
  /** It has run already: the first run that counts need not be preceded by others. */
  warm?: boolean;
  dispose(): void;
}

/** Work so short that one reading back would be most of it. */
export interface Repeatable {
  /** Does it so many times and waits once. */
  repeat(times: number): Promise<void>;
  dispose(): void;
}

/** One side of the comparison; a method it lacks is work that it cannot do. */
export interface Contender {
  impl: string;
  adapter: string;
  /** The model differs from ours: said in the row, and its loss is its own. */
  model?: string;
  trainingStep?(work: Work): Promise<Timed>;
  /** Decoding with a cache. */
  decoding?(work: DecodeWork): Promise<Timed>;
  /** A forward pass and the logits of the last position. */
  forward?(work: Work): Promise<Repeatable>;
  matmul?(work: MatmulWork): Promise<Repeatable>;
}

export interface Row {
  name: string;
  impl: string;
  config: Partial<ReturnType<typeof describe>> & Record<string, string | number>;
  /** Median over the rounds. */
  ms: number;
  tokens_per_s: number | null;
  /** Time by the time of ours: above 1 is slower than ours. */
  ratio: number;
  fastest?: number;
  slowest?: number;
  rounds?: number;
  gflops_per_s?: number;
  /** Of the limit that the row names, 0 … 1. */
  share?: number;
  note?: string;
  /** Loss of the first step, nats per token. */
  loss?: number;
  /** Of a phase: ms in which a compute pass ran, passes, and buffers mapped for reading. */
  kernel_ms?: number;
  passes?: number;
  readbacks?: number;
}

/** The numbers of a size that a row carries. */
export function describe(size: SizeName) {
  const config = SIZES[size];
  return {
    size,
    params: countParameters(config),
    V: config.vocab_size,
    C: config.hidden_size,
    L: config.num_hidden_layers,
    H: config.num_attention_heads,
    F: config.intermediate_size,
  };
}

/** [B][length] token ids that are the same for every side. */
export function tokenRows(B: number, length: number, V: number): number[][] {
  return Array.from({ length: B }, (_, b) =>
    Array.from({ length }, (_, t) => (b * 31 + t * 7 + ((t * t) % 11)) % V),
  );
}

/** ids and targets, int32 [B·T]: the target of a place is the token after it. */
export function trainingBatch({ size, B, T }: Work): { ids: Int32Array; targets: Int32Array } {
  const rows = tokenRows(B, T + 1, SIZES[size].vocab_size);
  return {
    ids: Int32Array.from(rows.flatMap((row) => row.slice(0, T))),
    targets: Int32Array.from(rows.flatMap((row) => row.slice(1))),
  };
}
