/** Batches of token rows, on the host and on the GPU. */
import * as tf from '@tensorflow/tfjs-core';
import { PlaygroundError } from '../core/errors';

/** Right-padded rows: with causal attention, padding needs no mask. Position t predicts token t+1. */
export interface TokenBatch {
  B: number;
  T: number;
  /** [B, T], padded with 0. */
  input_ids: Int32Array;
  /** [B], tokens in each row without padding. */
  lengths: Int32Array;
  /** [B, T], `input_ids` shifted left by one; 0 at the end. */
  targets: Int32Array;
  /** [B, T], 1 where `targets[b, t]` is a completion token (end token included), else 0. */
  mask: Float32Array;
}

export interface TokenRow {
  input_ids: number[];
  /** Tokens of the prompt at the start of `input_ids`; they are read but not learned. */
  promptLength: number;
}

/** tfjs pools GPU buffers by exact size, so T takes few different values. */
const T_MULTIPLE = 8;

/**
 * Pads rows to [B, T], T rounded up to a multiple of 8. The mask covers the targets at
 * t = max(promptLength, 1) − 1 … length − 2.
 * @param options.padTo smallest T in tokens, so that several batches share one shape
 * @throws PlaygroundError 'input' for no rows, an empty row, or a prompt longer than its row
 */
export function collate(rows: TokenRow[], options: { padTo?: number } = {}): TokenBatch {
  const B = rows.length;
  if (B === 0)
    throw new PlaygroundError({ code: 'input', message: 'A batch needs at least one row.' });
  const longest = rows.reduce((most, row) => Math.max(most, row.input_ids.length), 0);
  const T = Math.ceil(Math.max(longest, options.padTo ?? 0) / T_MULTIPLE) * T_MULTIPLE;
  const input_ids = new Int32Array(B * T);
  const lengths = new Int32Array(B);
  const targets = new Int32Array(B * T);
  const mask = new Float32Array(B * T);
  rows.forEach(({ input_ids: ids, promptLength }, b) => {
    if (ids.length === 0 || promptLength < 0 || promptLength > ids.length) {
      throw new PlaygroundError({
        code: 'input',
        message: `Row ${b} of the batch has ${ids.length} tokens and a prompt of ${promptLength}.`,
        field: 'promptLength',
        remedy: 'Every row needs at least one token, and its prompt must lie inside it.',
      });
    }
    input_ids.set(ids, b * T);
    targets.set(ids.slice(1), b * T);
    lengths[b] = ids.length;
    mask.fill(1, b * T + Math.max(promptLength, 1) - 1, b * T + ids.length - 1);
  });
  return { B, T, input_ids, lengths, targets, mask };
}

/**
 * Token ids on the GPU with an index from each token to its positions (compressed sparse rows), so
 * that the gradient of the embedding is a sum in a fixed order instead of float atomics.
 */
export interface TokenIndex {
  /** int32 [N]. */
  ids: tf.Tensor1D;
  /** int32 [N], positions sorted by token id, then by position. */
  order: tf.Tensor1D;
  /** int32 [V + 1], token v stands at `order[offsets[v]] … order[offsets[v + 1] − 1]`. */
  offsets: tf.Tensor1D;
}

/**
 * Uploads ids [N] and their index for a vocabulary of V tokens. Free with `disposeTokens`
 * (or call inside `tf.tidy`).
 * @throws PlaygroundError 'input' naming the position of an id outside the vocabulary: a gather
 *   outside its table reads 0 silently on WebGPU
 */
export function uploadTokens(ids: Int32Array, vocab: number): TokenIndex {
  const offsets = new Int32Array(vocab + 1);
  ids.forEach((id, position) => {
    if (id < 0 || id >= vocab) {
      throw new PlaygroundError({
        code: 'input',
        message: `Token id ${id} at position ${position} is outside the vocabulary of ${vocab}.`,
        field: 'input_ids',
        remedy: 'Use the tokenizer that belongs to this model.',
      });
    }
    offsets[id + 1]! += 1;
  });
  for (let v = 0; v < vocab; v++) offsets[v + 1]! += offsets[v]!;
  const next = offsets.slice(0, vocab);
  const order = new Int32Array(ids.length);
  ids.forEach((id, position) => {
    order[next[id]!++] = position;
  });
  return {
    ids: tf.tensor1d(ids.slice(), 'int32'),
    order: tf.tensor1d(order, 'int32'),
    offsets: tf.tensor1d(offsets, 'int32'),
  };
}

export function disposeTokens(tokens: TokenIndex): void {
  tf.dispose([tokens.ids, tokens.order, tokens.offsets]);
}
