/**
 * A language so small that every answer can be listed: seven letters, answers of one or two tokens.
 * PPO on it can be held against the exact optimum (core/exact-optimum.ts), in the tests and in a lesson.
 */
import type { ModelConfig, WeightMap } from '../core/domain';
import { collate } from '../engine/batch';
import { tokenLogprobs } from '../engine/inference';
import type { Llama } from '../engine/model';
import { initialWeights } from '../engine/weights';
import { encodePrompt } from '../tokenizer/chat-template';
import { SPECIAL_TOKENS } from '../tokenizer/special-tokens';
import { ownRules, Tokenizer } from '../tokenizer/tokenizer';

export const MICRO_LETTERS = ['a', 'b', 'c', 'd', 'e', 'f', 'g'] as const;
/** Tokens of the longest answer. */
export const MICRO_LENGTH = 2;

export const MICRO_CONFIG: ModelConfig = {
  vocab_size: SPECIAL_TOKENS.length + 1 + MICRO_LETTERS.length,
  hidden_size: 32,
  intermediate_size: 64,
  num_hidden_layers: 1,
  num_attention_heads: 2,
  num_key_value_heads: 2,
  max_position_embeddings: 16,
  rms_norm_eps: 1e-5,
  rope_theta: 10000,
  tie_word_embeddings: true,
};

/** Settings at which PPO comes close to the optimum here, in half a minute on a slow machine. */
export const MICRO_PPO = {
  response_length: MICRO_LENGTH,
  // An answer of two letters has no room for an end: it is as good as ended.
  missing_eos: 'off',
  reward_clip: 0,
  rollout_batch_size: 128,
  num_iterations: 30,
  num_ppo_epochs: 2,
  learning_rate: 2.5e-3,
  lr_schedule: 'linear',
  cliprange: 0.5,
  vf_coef: 1,
  cliprange_value: 10,
} as const;

/** A token for each letter; `?` stands for all other text. */
export function microTokenizer(): Tokenizer {
  const vocab = [...SPECIAL_TOKENS, '?', ...MICRO_LETTERS];
  return new Tokenizer(vocab, [], { ...ownRules(vocab), unkToken: '?' });
}

/**
 * A reference policy with opinions: fresh weights, larger than a model to be trained on text would
 * start with, so that some answers are several times likelier than others and few steps move far.
 */
export function microReference(seed: number): WeightMap {
  return new Map(
    [...initialWeights(MICRO_CONFIG, seed)].map(([name, { shape, data }]) => [
      name,
      { shape, data: shape.length === 1 ? data : data.map((w) => INITIAL_SCALE * w) },
    ]),
  );
}

/** On Hugging Face's 0.02: about 1/√(hidden size). */
const INITIAL_SCALE = 8;

/** One answer with the tokens that the policy chose, the end token included where it ended. */
export interface MicroAnswer {
  tokens: number[];
}

/** Every answer: the end token, a token and the end, or two tokens (cut off there). */
export function allAnswers(tokenizer: Tokenizer): MicroAnswer[] {
  const end = tokenizer.endId;
  const others = Array.from({ length: tokenizer.vocabSize }, (_, id) => id).filter(
    (id) => id !== end,
  );
  return [
    { tokens: [end] },
    ...others.flatMap((first) =>
      Array.from({ length: tokenizer.vocabSize }, (_, second) => ({ tokens: [first, second] })),
    ),
  ];
}

/** log π of every answer to a prompt, nats, in the order of `allAnswers`. */
export async function answerLogprobs(
  model: Llama,
  tokenizer: Tokenizer,
  prompt: string,
): Promise<number[]> {
  const start = encodePrompt(tokenizer, prompt);
  const answers = allAnswers(tokenizer);
  const batch = collate(
    answers.map(({ tokens }) => ({
      input_ids: [...start, ...tokens],
      promptLength: start.length,
    })),
  );
  const { logprobs } = await tokenLogprobs(model, batch, 1);
  return answers.map((_, b) =>
    logprobs.subarray(b * batch.T, (b + 1) * batch.T).reduce((total, x) => total + x, 0),
  );
}
