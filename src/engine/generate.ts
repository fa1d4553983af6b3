/** Writing text: batched decoding with a ragged key-value cache and sampling on the GPU. */
import * as tf from '@tensorflow/tfjs-core';
import { PlaygroundError } from '../core/errors';
import { collate, type TokenBatch } from './batch';
import { compileAhead } from './dispatch';
import { throwFailure } from './failure';
import type { Llama } from './model';
import { KeyValueCache } from './ops/kv-cache';
import { Sampler } from './ops/sample';

export interface GenerateOptions {
  max_new_tokens: number;
  /** Divides the logits; > 0. */
  temperature: number;
  seed: number;
  /** One id per row, e.g. the number of its episode: a row's text does not depend on its neighbours. */
  streams: number[];
  eos_token_id: number;
}

export interface Generation {
  /** Tokens after the prompt, the end token included when it was written. */
  tokens: number[];
  /** log π(token) in nats under the temperature, one for each token. */
  logprobs: number[];
  finish: 'eos' | 'length';
}

/** Tokens between two looks at whether every row has ended. */
const TOKENS_PER_LOOK = 8;
/** Cache sizes take few different values: tfjs pools GPU buffers by exact size. */
const CAPACITY_MULTIPLE = 16;

/**
 * Writes one completion for each prompt. Token i of a row is drawn with
 * `uniform(seed, STREAM.sampling, streams[row], i)` by inverse CDF, without top-k or top-p.
 * @throws PlaygroundError 'argument' naming an option out of range, 'input' for an empty prompt or
 *   one that leaves no room for `max_new_tokens` within `max_position_embeddings`
 */
export async function generate(
  model: Llama,
  prompts: number[][],
  options: GenerateOptions,
): Promise<Generation[]> {
  checkOptions(model, prompts, options);
  if (prompts.length === 0) return [];
  const { max_new_tokens, eos_token_id } = options;
  const batch = collate(prompts.map((ids) => ({ input_ids: ids, promptLength: ids.length })));
  const longest = Math.max(...prompts.map((ids) => ids.length)) + max_new_tokens;
  const capacity = Math.ceil(longest / CAPACITY_MULTIPLE) * CAPACITY_MULTIPLE;
  const cache = new KeyValueCache(model.config, batch.B, capacity);
  const newSampler = (): Sampler => new Sampler({ ...options, promptLengths: batch.lengths });
  const sampler = newSampler();
  let look: Promise<boolean> | null = null;
  try {
    if (!compiled.has(model)) await compileAhead(() => recordOnce(model, batch, cache, newSampler));
    compiled.add(model);
    tf.tidy(() => sampler.sample(model.prefill(batch, cache)));
    // The answer to a look is awaited one round later, so that the GPU never waits for this side.
    for (let drawn = 1; drawn < max_new_tokens; drawn++) {
      if (drawn % TOKENS_PER_LOOK === 0) {
        if ((await look) === true) break;
        look = sampler.allEnded();
      }
      tf.tidy(() => sampler.sample(model.decode(sampler.tokens, sampler.positions, cache)));
    }
    await look;
    const { tokens, logprobs } = await sampler.read();
    throwFailure(); // what a refused kernel should have written reads as zeros
    return prompts.map((_, b) => {
      const row = Array.from(tokens.subarray(b * max_new_tokens, (b + 1) * max_new_tokens));
      const end = row.indexOf(eos_token_id);
      // Rows that ended early went on drawing with the others; that tail is cut off here.
      const length = end < 0 ? max_new_tokens : end + 1;
      const from = b * max_new_tokens;
      return {
        tokens: row.slice(0, length),
        logprobs: Array.from(logprobs.subarray(from, from + length)),
        finish: end < 0 ? 'length' : 'eos',
      };
    });
  } finally {
    // After a failure a look may be under way still: what it looks at goes now, and nobody waits for it.
    look?.catch(() => {});
    sampler.dispose();
    cache.dispose();
  }
}

/** Models whose kernels for writing are compiled. */
const compiled = new WeakSet<Llama>();

/** What writing two tokens dispatches. */
function recordOnce(
  model: Llama,
  batch: TokenBatch,
  cache: KeyValueCache,
  newSampler: () => Sampler,
): void {
  const scratch = newSampler();
  try {
    scratch.sample(model.prefill(batch, cache));
    scratch.sample(model.decode(scratch.tokens, scratch.positions, cache));
  } finally {
    scratch.dispose();
  }
}

function checkOptions(model: Llama, prompts: number[][], options: GenerateOptions): void {
  const { max_new_tokens, temperature, streams } = options;
  const argument = (field: string, message: string) =>
    new PlaygroundError({ code: 'argument', field, message });
  if (!Number.isInteger(max_new_tokens) || max_new_tokens < 1) {
    throw argument('max_new_tokens', `max_new_tokens is ${max_new_tokens}; it must be 1 or more.`);
  }
  if (!(temperature > 0 && Number.isFinite(temperature))) {
    throw argument('temperature', `temperature is ${temperature}; it must be above 0.`);
  }
  if (streams.length !== prompts.length) {
    throw argument('streams', `${streams.length} streams for ${prompts.length} prompts.`);
  }
  const limit = model.config.max_position_embeddings;
  prompts.forEach((ids, row) => {
    if (ids.length > 0 && ids.length + max_new_tokens <= limit) return;
    throw new PlaygroundError({
      code: 'input',
      field: 'max_new_tokens',
      message: `Prompt ${row} has ${ids.length} tokens; with ${max_new_tokens} more it must be between 1 and ${limit} (max_position_embeddings).`,
      remedy: 'Shorten the prompt or allow fewer new tokens.',
    });
  });
}
