import type * as tf from '@tensorflow/tfjs-core';
import { afterAll, describe } from 'vitest';
import { KERNEL_FAMILIES, type Variant } from '../../src/core/device-report';
import { attentionBlock, mlpBlock } from '../../src/engine/block';
import { ropeTable } from '../../src/engine/ops/rope';
import { chooseVariant, forgetVariants } from '../../src/engine/variants';
import { describeOp, normal, type HostArray, type Op } from './ops-parity';

const EPS = 0.1;
const THETA = 100;

/** The op with all families in one variant; in `reference` it is put together from single ops. */
const inVariant =
  (variant: Variant, op: Op): Op =>
  (...inputs) => {
    for (const family of KERNEL_FAMILIES) chooseVariant(family, variant);
    return op(...inputs);
  };

const attention =
  (B: number, T: number, H: number, KV: number): Op =>
  (x, norm, q, k, v, o) =>
    attentionBlock(
      x as tf.Tensor2D,
      {
        input_layernorm: norm as tf.Tensor1D,
        q_proj: q as tf.Tensor2D,
        k_proj: k as tf.Tensor2D,
        v_proj: v as tf.Tensor2D,
        o_proj: o as tf.Tensor2D,
      },
      {
        B,
        T,
        num_attention_heads: H,
        num_key_value_heads: KV,
        table: ropeTable(T, q.shape[0] / H, THETA),
        rms_norm_eps: EPS,
      },
    );

const mlp: Op = (x, norm, gate, up, down) =>
  mlpBlock(
    x as tf.Tensor2D,
    {
      post_attention_layernorm: norm as tf.Tensor1D,
      gate_proj: gate as tf.Tensor2D,
      up_proj: up as tf.Tensor2D,
      down_proj: down as tf.Tensor2D,
    },
    EPS,
  );

const matrix = (rows: number, columns: number, seed: number): HostArray =>
  normal([rows, columns], seed, 0.3);

// B, T, H, KV, head_dim; a head of 6 is not for the kernels.
const ATTENTION = [
  [1, 5, 1, 1, 4],
  [2, 3, 2, 1, 6],
  [2, 13, 4, 2, 8],
] as const;
// N, C, F; 10 is not for the kernels.
const MLP = [
  [1, 4, 8],
  [5, 8, 10],
  [37, 20, 44],
] as const;

describe.each(['registers', 'shared'] as const)('in the %s variants', (variant) => {
  afterAll(forgetVariants);

  describeOp(
    'attention block',
    ATTENTION.map(([B, T, H, KV, hd]) => {
      const C = H * hd;
      const op = attention(B, T, H, KV);
      return {
        name: `B ${B} T ${T} H ${H} KV ${KV} hd ${hd}`,
        inputs: [
          normal([B * T, C], 31),
          normal([C], 32),
          matrix(H * hd, C, 33),
          matrix(KV * hd, C, 34),
          matrix(KV * hd, C, 35),
          matrix(C, H * hd, 36),
        ],
        op: inVariant(variant, op),
        reference: inVariant('reference', op),
      };
    }),
  );

  describeOp(
    'MLP block',
    MLP.map(([N, C, F]) => ({
      name: `[${N},${C}] by ${F}`,
      inputs: [
        normal([N, C], 41),
        normal([C], 42),
        matrix(F, C, 43),
        matrix(F, C, 44),
        matrix(C, F, 45),
      ],
      op: inVariant(variant, mlp),
      reference: inVariant('reference', mlp),
    })),
  );
});
