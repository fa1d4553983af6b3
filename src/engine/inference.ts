/** Forward passes without gradients, read back to the host. Large batches run in parts. */
import * as tf from '@tensorflow/tfjs-core';
import type { TokenBatch } from './batch';
import type { Dropout } from './dropout';
import { throwFailure } from './failure';
import type { ScalarModel } from './heads';
import type { Llama } from './model';
import { tokenLogprob } from './ops/token-logprob';

/** Logits of one part stay below this many numbers (64 MiB). */
const MAX_LOGITS = 2 ** 24;

/**
 * Log-probability of each completion token and entropy of its distribution, in nats, [B, T];
 * 0 where the mask is 0. Place t belongs to token t + 1.
 * @param temperature divides the logits: the one used for sampling
 * @param dropout left out wherever nothing learns; the bug lab leaves it on
 */
export async function tokenLogprobs(
  model: Llama,
  batch: TokenBatch,
  temperature: number,
  dropout?: Dropout,
): Promise<{ logprobs: Float32Array; entropy: Float32Array }> {
  const { B, T, mask } = batch;
  const logprobs = new Float32Array(B * T);
  const entropy = new Float32Array(B * T);
  const rows = rowsPerPart(T * model.config.vocab_size);
  for (const { part, first } of parts(batch, rows)) {
    const N = part.B * T;
    const result = await read(() => {
      const targets = tf.tensor1d(part.targets, 'int32');
      return tokenLogprob(model.logits(model.hiddenStates(part, dropout)), targets, temperature);
    });
    for (let n = 0; n < N; n++) {
      if (mask[first * T + n] === 0) continue;
      logprobs[first * T + n] = result[n]!;
      entropy[first * T + n] = result[N + n]!;
    }
  }
  return { logprobs, entropy };
}

/** The scalar head at every position [B, T]; what stands at padding means nothing. */
export async function values(model: ScalarModel, batch: TokenBatch): Promise<Float32Array> {
  const { T } = batch;
  const result = new Float32Array(batch.B * T);
  const rows = rowsPerPart(T * 4 * model.config.intermediate_size);
  for (const { part, first } of parts(batch, rows)) {
    result.set(await read(() => model.scoresAt(part)), first * T);
  }
  return result;
}

/** The scalar head at the last token of each row [B]. */
export async function scores(model: ScalarModel, batch: TokenBatch): Promise<Float32Array> {
  const all = await values(model, batch);
  return Float32Array.from(batch.lengths, (length, b) => all[b * batch.T + length - 1]!);
}

async function read(compute: () => tf.Tensor): Promise<ArrayLike<number>> {
  const tensor = tf.tidy(compute);
  try {
    const numbers = await tensor.data();
    throwFailure(); // what a refused kernel should have written reads as zeros
    return numbers;
  } finally {
    tensor.dispose();
  }
}

function rowsPerPart(numbersPerRow: number): number {
  return Math.max(1, Math.floor(MAX_LOGITS / numbersPerRow));
}

function* parts(
  batch: TokenBatch,
  rows: number,
): Generator<{ part: TokenBatch; first: number }, void> {
  const { B, T } = batch;
  for (let first = 0; first < B; first += rows) {
    const end = Math.min(B, first + rows);
    const part: TokenBatch = {
      B: end - first,
      T,
      input_ids: batch.input_ids.subarray(first * T, end * T),
      lengths: batch.lengths.subarray(first, end),
      targets: batch.targets.slice(first * T, end * T),
      mask: batch.mask.subarray(first * T, end * T),
    };
    yield { part, first };
  }
}
