/**
 * What the fixtures of tests/golden/rlhf were computed from: models, token rows, rankings and
 * settings, all drawn from core/rng.ts. `export-inputs.ts` hands them to Python; the tests build the
 * same ones again, so that no fixture has to hold weights.
 */
import type { ModelConfig, WeightMap } from '../../../src/core/domain';
import { parameterShapes } from '../../../src/core/presets';
import { hashText, randomInt, STREAM, uniform } from '../../../src/core/rng';

/** Grouped-query, untied, small enough for a software adapter. */
export const MODEL: ModelConfig = {
  vocab_size: 40,
  hidden_size: 16,
  intermediate_size: 24,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  max_position_embeddings: 32,
  rms_norm_eps: 1e-5,
  rope_theta: 10000,
  tie_word_embeddings: false,
};
/** No row has it: Hugging Face finds the end of a row by its first PAD. */
export const PAD = 0;
export const EOS = 2;

/**
 * Weights larger than fresh ones and norms off 1, so that every term of every formula matters.
 * Uniform draws have 24 bits: the numbers are the same on every machine.
 * @param size matrices are uniform in ±size
 */
export function drawnWeights(config: ModelConfig, seed: number, size: number): WeightMap {
  const weights: WeightMap = new Map();
  let tensor = 0;
  for (const [name, shape] of parameterShapes(config)) {
    const length = shape.reduce((a, b) => a * b, 1);
    const [middle, reach] = shape.length === 1 ? [1, 0.4] : [0, size];
    weights.set(name, {
      shape,
      data: Float32Array.from(
        { length },
        (_, i) => middle + reach * (2 * uniform(seed, STREAM.weights, i, tensor) - 1),
      ),
    });
    tensor++;
  }
  return weights;
}

/** A trunk with a scalar head, bias included; the output matrix is left out. */
export function withHead(config: ModelConfig, weights: WeightMap, seed: number): WeightMap {
  const C = config.hidden_size;
  const head = Float32Array.from(
    { length: C },
    (_, i) => 0.6 * (2 * uniform(seed, STREAM.head, i) - 1),
  );
  const result = new Map(weights);
  result.delete('lm_head.weight');
  return result
    .set('score.weight', { shape: [1, C], data: head })
    .set('score.bias', { shape: [1], data: Float32Array.of(0.2) });
}

/** `from` moved a share of the way towards `to`. */
export function between(from: WeightMap, to: WeightMap, share: number): WeightMap {
  return new Map(
    [...from].map(([name, { shape, data }]) => [
      name,
      { shape, data: data.map((x, i) => x + share * (to.get(name)!.data[i]! - x)) },
    ]),
  );
}

/** `count` token ids, never PAD and never EOS. */
function drawnTokens(count: number, row: number): number[] {
  return Array.from({ length: count }, (_, i) => 3 + randomInt(37, 11, STREAM.corpus, i, row));
}

/** PPO: four models that differ, six episodes of which two never end. */
const old = drawnWeights(MODEL, 1, 0.45);
const other = drawnWeights(MODEL, 2, 0.45);
export const PPO_MODELS = {
  /** Wrote the completions. */
  old,
  /** The policy after some updates: ratios on both sides of the clip range. */
  policy: between(old, other, 0.06),
  reference: between(old, other, 0.2),
  reward: withHead(MODEL, drawnWeights(MODEL, 3, 0.4), 5),
  /** Wrote the old values. */
  oldValue: withHead(MODEL, drawnWeights(MODEL, 4, 0.4), 6),
  value: between(
    withHead(MODEL, drawnWeights(MODEL, 4, 0.4), 6),
    withHead(MODEL, drawnWeights(MODEL, 5, 0.4), 7),
    0.1,
  ),
};
export const RESPONSE_LENGTH = 8;
export const EPISODES = [
  { prompt: 4, response: 8, ends: false },
  { prompt: 6, response: 5, ends: true },
  { prompt: 3, response: 1, ends: true },
  { prompt: 5, response: 8, ends: true },
  { prompt: 6, response: 8, ends: false },
  { prompt: 2, response: 3, ends: true },
].map(({ prompt, response, ends }, row) => ({
  prompt: drawnTokens(prompt, row),
  response: [...drawnTokens(response - (ends ? 1 : 0), 50 + row), ...(ends ? [EOS] : [])],
  ends,
}));
export const PPO_SETTINGS = {
  temperature: 0.7,
  kl_coef: 0.15,
  gamma: 0.98,
  lam: 0.95,
  cliprange: 0.2,
  cliprange_value: 0.2,
  vf_coef: 0.1,
  missing_eos_penalty: 1,
  ptx_coef: 27.8,
};

/** The reward model: three prompts with K = 4 (a tie), 3 and 2. */
export const REWARD_WEIGHTS = withHead(MODEL, drawnWeights(MODEL, 8, 0.45), 9);
export const RANKED = [
  [2, 1, 3, 2],
  [1, 3, 2],
  [2, 1],
].map((ranks, group) => {
  const prompt = drawnTokens(3 + group, 100 + group);
  return {
    ranks,
    rows: ranks.map((_, i) => ({
      input_ids: [...prompt, ...drawnTokens(2 + ((3 * i + group) % 5), 110 + 10 * group + i), EOS],
      promptLength: prompt.length,
    })),
  };
});
export const REWARD_SETTINGS = { margin: 0.4, center: 0.1 };

/** DPO on the same rankings, by PPO's models. */
export const DPO_SETTINGS = { beta: 0.3, label_smoothing: 0.15 };

/** AdamW: gradients over nine orders of magnitude, so that the place and size of eps show. */
export const ADAMW_SHAPES = { matrix: [6, 4], vector: [8] } as const;
export const ADAMW_RATES = [1e-2, 3e-2, 2e-2, 5e-2, 1e-2, 2e-2, 1e-2, 1e-2];
export const ADAMW_CASES = [
  { adam_beta1: 0.9, adam_beta2: 0.95, adam_epsilon: 1e-8, weight_decay: 0, max_grad_norm: 0 },
  { adam_beta1: 0.9, adam_beta2: 0.95, adam_epsilon: 1e-5, weight_decay: 0, max_grad_norm: 1 },
  { adam_beta1: 0.9, adam_beta2: 0.999, adam_epsilon: 1e-8, weight_decay: 0.1, max_grad_norm: 1 },
  { adam_beta1: 0.9, adam_beta2: 0.95, adam_epsilon: 1e-5, weight_decay: 0.1, max_grad_norm: 0.05 },
];

/** Memory of the weight average that goes along. */
export const EMA_DECAY = 0.7;

/** The first weights of a parameter of the optimizer test. */
export function adamwStart(size: number, tensor: number): Float32Array {
  return Float32Array.from(
    { length: size },
    (_, i) => 2 * uniform(21, STREAM.weights, i, tensor) - 1,
  );
}

/** Its gradient in one step: ±10^−8 … ±10, alike in size from step to step. */
export function adamwGradient(size: number, tensor: number, step: number): Float32Array {
  return Float32Array.from({ length: size }, (_, i) => {
    const power = 1 - (9 * i) / (size - 1);
    return (2 * uniform(22 + step, STREAM.weights, i, tensor) - 1) * 10 ** power;
  });
}

/** A KL controller's run: KL of each iteration, nats. */
export const CONTROLLER = {
  kl_coef: 0.15,
  target_kl: 6,
  kl_horizon: 10000,
  episodes: 512,
  kls: [12, 0, 6, 5.5, 6.9, 100, 3, 7.1],
};

/** Schedules: totals and warm-ups in steps. */
export const SCHEDULES = [
  { total: 50, warmup: 5 },
  { total: 20, warmup: 0 },
  { total: 7, warmup: 3 },
];
export const MIN_LR_RATIO = 0.1;

/** A number that changes when anything that Python was given changes. */
export function fingerprint(inputs: unknown): number {
  return hashText(
    JSON.stringify(inputs, (_, value: unknown) => {
      if (value instanceof Map) return [...(value as WeightMap)];
      return value instanceof Float32Array ? [...value] : value;
    }),
  );
}

/** Everything of this file that the fixtures depend on. */
export const ONE_SHOT = {
  model: MODEL,
  pad: PAD,
  eos: EOS,
  ppoModels: PPO_MODELS,
  responseLength: RESPONSE_LENGTH,
  episodes: EPISODES,
  ppoSettings: PPO_SETTINGS,
  rewardWeights: REWARD_WEIGHTS,
  ranked: RANKED,
  rewardSettings: REWARD_SETTINGS,
  adamw: {
    cases: ADAMW_CASES,
    rates: ADAMW_RATES,
    emaDecay: EMA_DECAY,
    parameters: Object.values(ADAMW_SHAPES).map((shape, tensor) => {
      const size = shape.reduce((a: number, b: number) => a * b, 1);
      return {
        shape: [...shape],
        start: adamwStart(size, tensor),
        gradients: ADAMW_RATES.map((_, step) => adamwGradient(size, tensor, step)),
      };
    }),
  },
  controller: CONTROLLER,
  schedules: SCHEDULES,
  minLrRatio: MIN_LR_RATIO,
};
