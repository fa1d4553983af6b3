import * as tf from '@tensorflow/tfjs-core';
import { afterAll, describe, expect, test } from 'vitest';
import { openEngine } from '../../src/engine/backend';
import { causalAttention, causalAttentionReference } from '../../src/engine/ops/attention';
import { chooseVariant, forgetVariants } from '../../src/engine/variants';
import { describeOp, normal, type Op } from './ops-parity';

const sizes = (B: number, T: number, H: number, KV: number, hd: number) => ({ B, T, H, KV, hd });
const SIZES = [
  sizes(1, 1, 1, 1, 4),
  sizes(2, 5, 2, 2, 8),
  sizes(3, 7, 4, 2, 4),
  sizes(1, 13, 6, 2, 12),
  sizes(2, 5, 2, 1, 6),
  sizes(1, 131, 3, 1, 20), // two workgroups and a part of one
  sizes(2, 24, 4, 1, 16),
];

const on =
  (fn: typeof causalAttention, { B, T, H, KV }: (typeof SIZES)[number]): Op =>
  (q, k, v) =>
    fn(q as tf.Tensor2D, k as tf.Tensor2D, v as tf.Tensor2D, {
      B,
      T,
      num_attention_heads: H,
      num_key_value_heads: KV,
    });

const cases = SIZES.map((size) => ({
  name: Object.entries(size).flat().join(' '),
  inputs: [
    normal([size.B * size.T, size.H * size.hd], 10),
    normal([size.B * size.T, size.KV * size.hd], 11),
    normal([size.B * size.T, size.KV * size.hd], 12),
  ],
  op: on(causalAttention, size),
  reference: on(causalAttentionReference, size),
}));

describe.each(['registers', 'shared'] as const)('in the %s variant', (variant) => {
  afterAll(forgetVariants);
  describeOp('attention', cases, () => chooseVariant('attention', variant));
});

test.each([
  ['registers', causalAttention],
  ['shared', causalAttention],
  ['reference', causalAttentionReference],
] as const)(
  '%s: against a plain loop in f64, and scores of 100 do not overflow',
  async (name, fn) => {
    await openEngine({ force: 'webgpu' });
    chooseVariant('attention', name);
    const [B, T, H, KV, hd] = [2, 6, 4, 2, 4];
    const q = normal([B * T, H * hd], 13, 12).data;
    const k = normal([B * T, KV * hd], 14, 12).data;
    const v = normal([B * T, KV * hd], 15).data;
    const y = await fn(
      tf.tensor2d(q, [B * T, H * hd]),
      tf.tensor2d(k, [B * T, KV * hd]),
      tf.tensor2d(v, [B * T, KV * hd]),
      { B, T, num_attention_heads: H, num_key_value_heads: KV },
    ).data();
    for (let row = 0; row < B * T; row++) {
      for (let h = 0; h < H; h++) {
        const kv = Math.floor((h * KV) / H);
        const seen = Array.from({ length: (row % T) + 1 }, (__, j) => row - (row % T) + j);
        const at = (n: number, i: number): number => (n * KV + kv) * hd + i;
        const dims = [...Array(hd).keys()];
        const scores = seen.map(
          (n) => dims.reduce((s, i) => s + q[(row * H + h) * hd + i]! * k[at(n, i)]!, 0) / 2,
        );
        const most = Math.max(...scores);
        const total = scores.reduce((s, x) => s + Math.exp(x - most), 0);
        for (const i of dims) {
          const expected =
            seen.reduce((s, n, j) => s + Math.exp(scores[j]! - most) * v[at(n, i)]!, 0) / total;
          expect(y[(row * H + h) * hd + i]).toBeCloseTo(expected, 3);
        }
      }
    }
  },
);
