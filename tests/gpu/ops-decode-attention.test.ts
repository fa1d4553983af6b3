import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Variant } from '../../src/core/device-report';
import { openEngine } from '../../src/engine/backend';
import { cachedAttention } from '../../src/engine/ops/decode-attention';
import { KeyValueCache } from '../../src/engine/ops/kv-cache';
import { chooseVariant, forgetVariants } from '../../src/engine/variants';
import { normal, type HostArray } from './ops-parity';

interface Case {
  /** Tokens that each sequence has read before this one. */
  positions: number[];
  capacity: number;
  H: number;
  KV: number;
  hd: number;
  /** Standard deviation of queries and keys. */
  std?: number;
}

const CASES: Record<string, Case> = {
  'one token': { positions: [0], capacity: 1, H: 1, KV: 1, hd: 4 },
  'ragged, grouped heads': { positions: [0, 4, 11], capacity: 13, H: 6, KV: 2, hd: 12 },
  'more positions than a workgroup': {
    positions: [31, 32, 130],
    capacity: 131,
    H: 3,
    KV: 1,
    hd: 20,
  },
  'scores of hundreds': { positions: [6, 36], capacity: 37, H: 4, KV: 2, hd: 8, std: 12 },
  'heads too wide for workgroup memory': { positions: [3, 40], capacity: 41, H: 2, KV: 1, hd: 128 },
  'heads that are no multiple of 4': { positions: [5, 2], capacity: 7, H: 2, KV: 2, hd: 6 },
};

function inputs({ positions, capacity, H, KV, hd, std = 1 }: Case): HostArray[] {
  const B = positions.length;
  return [
    normal([B, H * hd], 20, std),
    normal([B * capacity, KV * hd], 21, std),
    normal([B * capacity, KV * hd], 22),
  ];
}

async function attend(given: Case): Promise<Float32Array> {
  const { positions, capacity, H, KV, hd } = given;
  const cache = new KeyValueCache(
    {
      hidden_size: H * hd,
      num_attention_heads: H,
      num_key_value_heads: KV,
      num_hidden_layers: 1,
    },
    positions.length,
    capacity,
  );
  const attended = tf.tidy(() => {
    const [q, k, v] = inputs(given).map(({ data, shape }): tf.Tensor => tf.tensor(data, shape)) as [
      tf.Tensor2D,
      tf.Tensor2D,
      tf.Tensor2D,
    ];
    cache.fill(0, k, v, capacity);
    return cachedAttention(q, cache, 0, tf.tensor1d(positions, 'int32'));
  });
  const values = (await attended.data<'float32'>()).slice();
  attended.dispose();
  cache.dispose();
  return values;
}

/** The definition, in f64. */
function expected(given: Case): number[] {
  const { positions, capacity, H, KV, hd } = given;
  const [q, k, v] = inputs(given).map(({ data }) => data) as [
    Float32Array,
    Float32Array,
    Float32Array,
  ];
  const dims = [...Array(hd).keys()];
  return positions.flatMap((last, b) =>
    [...Array(H).keys()].flatMap((h) => {
      const row = (j: number): number => ((b * capacity + j) * KV + Math.floor((h * KV) / H)) * hd;
      const seen = [...Array(last + 1).keys()];
      const scores = seen.map(
        (j) =>
          dims.reduce((s, i) => s + q[(b * H + h) * hd + i]! * k[row(j) + i]!, 0) / Math.sqrt(hd),
      );
      const most = Math.max(...scores);
      const weights = scores.map((score) => Math.exp(score - most));
      const total = weights.reduce((a, w) => a + w, 0);
      return dims.map((i) => seen.reduce((s, j) => s + weights[j]! * v[row(j) + i]!, 0) / total);
    }),
  );
}

const VARIANTS: Variant[] = ['registers', 'shared', 'subgroups', 'reference'];

describe.each([...VARIANTS, 'wasm' as const])('in the %s variant', (variant) => {
  beforeAll(async () => {
    await openEngine({ force: variant === 'wasm' ? 'wasm' : 'webgpu' });
    if (variant !== 'wasm') chooseVariant('decode-attention', variant);
  });
  afterAll(forgetVariants);

  test.each(Object.entries(CASES))('%s', async (_name, given) => {
    const right = expected(given);
    const values = await attend(given);
    expect(values).toHaveLength(right.length);
    values.forEach((value, i) => expect(Math.abs(value - right[i]!)).toBeLessThan(2e-4));
    // the same sums in the same order
    expect(await attend(given)).toEqual(values);
  });
});
