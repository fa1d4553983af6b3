/** The golden model of tools/golden/llama_fixture.py, and a small fresh one. */
import type { ModelConfig, WeightMap } from '../../src/core/domain';
import { collate, type TokenBatch, type TokenRow } from '../../src/engine/batch';
import model from '../golden/llama/model.json';

interface GoldenRow extends TokenRow {
  /** [length, V] */
  logits: number[];
  /** [length − 1] each, at `temperature`. */
  logprobs: number[];
  entropy: number[];
}

export interface JsonTensors {
  [name: string]: { shape: number[]; data: number[] };
}

export const golden = model as {
  config: ModelConfig;
  weights: JsonTensors;
  rows: GoldenRow[];
  temperature: number;
  loss: number;
  gradients: JsonTensors;
};

export function toWeights(tensors: JsonTensors): WeightMap {
  return new Map(
    Object.entries(tensors).map(([name, { shape, data }]) => [
      name,
      { shape, data: Float32Array.from(data) },
    ]),
  );
}

export function goldenBatch(): TokenBatch {
  return collate(golden.rows);
}

/** Grouped-query, untied, small enough for hundreds of steps on a software adapter. */
export const MINIATURE: ModelConfig = {
  vocab_size: 16,
  hidden_size: 8,
  intermediate_size: 12,
  num_hidden_layers: 1,
  num_attention_heads: 2,
  num_key_value_heads: 1,
  max_position_embeddings: 16,
  rms_norm_eps: 1e-5,
  rope_theta: 10000,
  tie_word_embeddings: false,
};

/** Largest |actual − expected|; infinite when the lengths differ or a number is NaN. */
export function largestDifference(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length || actual.length === 0) return Infinity;
  let largest = 0;
  for (let i = 0; i < actual.length; i++) {
    const difference = Math.abs(actual[i]! - expected[i]!);
    if (!(difference <= largest)) largest = Number.isNaN(difference) ? Infinity : difference;
  }
  return largest;
}
