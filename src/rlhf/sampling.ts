/** Text from a policy: completions of prompts, and samples for the panel beside a chart. */
import { PlaygroundError } from '../core/errors';
import { hashText } from '../core/rng';
import type { Completion, Sample } from '../core/domain';
import { generate, type Generation } from '../engine/generate';
import type { Llama } from '../engine/model';
import { encodePrompt } from '../tokenizer/chat-template';
import type { Tokenizer } from '../tokenizer/tokenizer';

export interface SamplingOptions {
  temperature: number;
  max_new_tokens: number;
  seed: number;
  /** How the prompt is put to the model; 'chat' when left out. */
  form?: PromptForm;
}

/**
 * 'chat': in the chat template, which SFT teaches. 'plain': as text to go on from, the only form that
 * a base model knows.
 */
export type PromptForm = 'chat' | 'plain';

/**
 * `n` completions of each prompt, `[prompt][sample]`. A completion depends on (seed, prompt text,
 * sample number) alone, never on what else is in the batch.
 * @throws PlaygroundError `input` when a prompt leaves no room in the context
 */
export async function sampleCompletions(
  model: Llama,
  tokenizer: Tokenizer,
  prompts: readonly string[],
  n: number,
  options: SamplingOptions,
): Promise<Completion[][]> {
  const encoded = prompts.map((prompt) =>
    promptTokens(tokenizer, prompt, model.config.max_position_embeddings, options.form),
  );
  const room = model.config.max_position_embeddings - Math.max(0, ...encoded.map((p) => p.length));
  const rows = encoded.flatMap((tokens, p) =>
    Array.from({ length: n }, (_, i) => ({ tokens, stream: (hashText(prompts[p]!) + i) >>> 0 })),
  );
  if (rows.length === 0) return [];
  const written = await generate(
    model,
    rows.map((row) => row.tokens),
    {
      max_new_tokens: Math.min(options.max_new_tokens, room),
      temperature: options.temperature,
      seed: options.seed,
      streams: rows.map((row) => row.stream),
      eos_token_id: tokenizer.endId,
    },
  );
  return prompts.map((_, p) =>
    written.slice(p * n, (p + 1) * n).map((row) => toCompletion(tokenizer, row)),
  );
}

/**
 * The tokens of a prompt.
 * @throws PlaygroundError `input` when it is empty or leaves no room in the context for an answer
 */
export function promptTokens(
  tokenizer: Tokenizer,
  prompt: string,
  context: number,
  form: PromptForm = 'chat',
): number[] {
  const tokens =
    form === 'chat'
      ? encodePrompt(tokenizer, prompt)
      : [...tokenizer.prefixIds, ...tokenizer.encode(prompt)];
  if (tokens.length === 0) {
    throw new PlaygroundError({
      code: 'input',
      field: 'prompt',
      message: 'The prompt is empty, and the base model needs some text to go on from.',
      remedy: 'Write a few words.',
    });
  }
  if (tokens.length > context - 4) {
    throw new PlaygroundError({
      code: 'input',
      field: 'prompt',
      message: `The prompt "${prompt.slice(0, 40)}…" has ${tokens.length} tokens; the model reads ${context} and needs room to answer.`,
      remedy: 'Shorten the prompt.',
    });
  }
  return tokens;
}

/** Tokens → text, the end token left out of the text but kept in the tokens. */
export function toCompletion(tokenizer: Tokenizer, row: Generation): Completion {
  return { ...row, text: tokenizer.decode(row.tokens, { skipSpecial: true }).trim() };
}

/** Places of the tokens that are shown: special ones are not, wherever they stand. */
export function visiblePlaces(tokenizer: Tokenizer, tokens: readonly number[]): number[] {
  return tokens.flatMap((id, i) => (tokenizer.isSpecial(id) ? [] : [i]));
}

/** A sample for the panel beside the chart, without scores. */
export function toSample(tokenizer: Tokenizer, prompt: string, row: Generation): Sample {
  const places = visiblePlaces(tokenizer, row.tokens);
  const visible = places.map((i) => row.tokens[i]!);
  return {
    prompt,
    text: tokenizer.decode(visible),
    tokens: tokenizer.decodeTokens(visible),
    logprobs: places.map((i) => row.logprobs[i]!),
    refLogprobs: [],
    score: null,
    kl: null,
    finish: row.finish,
  };
}

/** What the model answers to fixed prompts at this step of its training. */
export async function writeSamples(
  model: Llama,
  tokenizer: Tokenizer,
  prompts: readonly string[],
  at: { seed: number; step: number },
): Promise<Sample[]> {
  if (prompts.length === 0) return [];
  const written = await sampleCompletions(model, tokenizer, prompts, 1, {
    temperature: 1,
    max_new_tokens: 40,
    seed: at.seed + at.step,
  });
  return prompts.map((prompt, i) => toSample(tokenizer, prompt, written[i]![0]!));
}
