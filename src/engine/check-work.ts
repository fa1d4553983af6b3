/** Pieces of work on which the start-up check tries the variants of each kernel family. */
import * as tf from '@tensorflow/tfjs-core';
import type { KernelFamily } from '../core/device-report';
import { gaussian, STREAM, uniform } from '../core/rng';
import { uploadFrozen } from './frozen';
import { causalAttention } from './ops/attention';
import { cachedAttention } from './ops/decode-attention';
import { KeyValueCache } from './ops/kv-cache';
import { linear } from './ops/linear';
import { rmsNorm } from './ops/rms-norm';
import { Sampler } from './ops/sample';
import { tokenLogprob } from './ops/token-logprob';

/** One pass through an op. Records on the backend in use: on `cpu` that is the reference. */
export interface Work {
  /** Sizes, as people write them. */
  name: string;
  /** Runs it and reads everything back: value, then gradients. */
  run(): Promise<Float32Array[]>;
  /** Records it without waiting and frees its results. Inputs are kept from call to call. */
  record(): void;
  /** Frees the inputs that `record` made. */
  dispose(): void;
  /**
   * Largest difference between two outcomes, relative to the largest number compared; Infinity
   * when one is not a number.
   */
  difference(actual: Float32Array[], expected: Float32Array[]): number;
}

export interface FamilyWork {
  family: KernelFamily;
  /** Sizes that no tile divides. */
  edges: Work[];
  /** Near real use; the second for devices that are done with the first in no time. */
  timed: [Work, Work];
}

type Op = (...inputs: tf.Tensor[]) => tf.Tensor;

interface HostArray {
  shape: number[];
  data: Float32Array;
}

const SEED = 20260;

/** Drawing is slower than the kernels that are tried; a prime period keeps rows different. */
const PERIOD = 4093;

/** Normal numbers. @param which tells inputs of the same shape apart */
function normal(shape: number[], which: number, std = 1): HostArray {
  const size = tf.util.sizeFromShape(shape);
  const period = Math.min(size, PERIOD);
  const drawn = Float32Array.from(
    { length: period },
    (_, i) => std * gaussian(SEED, STREAM.display, i, which),
  );
  return { shape, data: Float32Array.from({ length: size }, (_, i) => drawn[i % period]!) };
}

function farthest(actual: Float32Array[], expected: Float32Array[]): number {
  if (actual.length !== expected.length) return Infinity;
  let largest = 0;
  actual.forEach((numbers, which) => {
    const trusted = expected[which]!;
    const scale = trusted.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-6);
    for (let i = 0; i < trusted.length; i++) {
      const distance = Math.abs(numbers[i]! - trusted[i]!) / scale;
      // NaN loses every comparison, so it is asked for by name.
      if (!(distance <= largest)) largest = Number.isNaN(distance) ? Infinity : distance;
    }
  });
  return largest;
}

const upload = ({ data, shape }: HostArray): tf.Tensor => tf.tensor(data.slice(), shape);

/** An op with the gradients of its inputs. */
export function gradientWork(name: string, inputs: HostArray[], op: Op): Work {
  const both = (tensors: tf.Tensor[]): tf.Tensor[] => {
    const [dy, ...values] = tensors as [tf.Tensor, ...tf.Tensor[]];
    const { value, grads } = tf.valueAndGrads(op)(values, dy);
    return [value, ...grads];
  };
  /** The weight of each output in the sum whose gradient is taken, then the inputs. */
  const uploaded = (): tf.Tensor[] => {
    const tensors = inputs.map(upload);
    const y = tf.tidy(() => op(...tensors));
    y.dispose(); // only its shape is wanted
    return [upload(normal(y.shape, 9, 0.5)), ...tensors];
  };
  return tensorWork(name, uploaded, both);
}

function tensorWork(
  name: string,
  uploaded: () => tf.Tensor[],
  compute: (inputs: tf.Tensor[]) => tf.Tensor[],
): Work {
  let kept: tf.Tensor[] | null = null;
  return {
    name,
    async run() {
      const results = tf.tidy(() => compute(uploaded()));
      try {
        return await Promise.all(
          results.map(async (result) => (await result.data<'float32'>()).slice()),
        );
      } finally {
        tf.dispose(results);
      }
    },
    record() {
      kept ??= uploaded();
      const tensors = kept;
      tf.tidy(() => void compute(tensors));
    },
    dispose() {
      tf.dispose(kept ?? []);
      kept = null;
    },
    difference: farthest,
  };
}

function linearWork(N: number, K: number, M: number): Work {
  const inputs = [normal([N, K], 0), normal([M, K], 1, 0.1)];
  return gradientWork(`[${N}, ${K}] by [${M}, ${K}]`, inputs, (x, w) =>
    linear(x as tf.Tensor2D, w as tf.Tensor2D),
  );
}

/**
 * A product with a weight that is only read; no gradient. @param steps the weight's numbers are
 * multiples of 1 / steps: of 8 such bf16 holds all, of 256 only f16
 */
function frozenWork(N: number, K: number, M: number, steps: 8 | 256): Work {
  const x = normal([N, K], 0);
  const { shape, data } = normal([M, K], 1);
  const weight = { shape, data: data.map((value) => Math.round(value * steps) / steps) };
  return tensorWork(
    `[${N}, ${K}] by [${M}, ${K}] in 16 bits`,
    () => [upload(x), uploadFrozen(weight)],
    ([input, stored]) => [linear(input as tf.Tensor2D, stored as tf.Tensor2D)],
  );
}

function normWork(N: number, C: number): Work {
  return gradientWork(`[${N}, ${C}]`, [normal([N, C], 0), normal([C], 1)], (x, w) =>
    rmsNorm(x as tf.Tensor2D, w as tf.Tensor1D, 1e-5),
  );
}

function attentionWork(B: number, T: number, H: number, KV: number, headDim: number): Work {
  const shape = { B, T, num_attention_heads: H, num_key_value_heads: KV };
  const inputs = [H, KV, KV].map((heads, i) => normal([B * T, heads * headDim], i));
  return gradientWork(
    `${B} × ${T} tokens, ${H} heads of ${headDim}, ${KV} for keys and values`,
    inputs,
    (q, k, v) => causalAttention(q as tf.Tensor2D, k as tf.Tensor2D, v as tf.Tensor2D, shape),
  );
}

/** One new token for each of B sequences, the last of which has read P tokens. */
function decodeWork(B: number, P: number, H: number, KV: number, headDim: number): Work {
  const positions = Int32Array.from({ length: B }, (_, b) => Math.floor(((b + 1) * (P - 1)) / B));
  const shapes = [
    [B, H * headDim],
    [B * P, KV * headDim],
    [B * P, KV * headDim],
  ];
  return tensorWork(
    `${B} × 1 token after ${P}, ${H} heads of ${headDim}, ${KV} for keys and values`,
    () => shapes.map((shape, i) => upload(normal(shape, i))),
    ([q, k, v]) => {
      const cache = new KeyValueCache(
        {
          hidden_size: H * headDim,
          num_attention_heads: H,
          num_key_value_heads: KV,
          num_hidden_layers: 1,
        },
        B,
        P,
      );
      cache.fill(0, k as tf.Tensor2D, v as tf.Tensor2D, P);
      const attended = cachedAttention(
        q as tf.Tensor2D,
        cache,
        0,
        tf.tensor1d(positions.slice(), 'int32'),
      );
      cache.dispose();
      return [attended];
    },
  );
}

function logprobWork(N: number, V: number): Work {
  const targets = Int32Array.from({ length: N }, (_, n) => (n * 7919) % V);
  return gradientWork(`[${N}, ${V}]`, [normal([N, V], 0, 2)], (logits) =>
    tokenLogprob(logits as tf.Tensor2D, tf.tensor1d(targets.slice(), 'int32'), 0.7),
  );
}

/** Tokens that a sampler has room for. */
const MOST_DRAWS = 256;

/**
 * The sampler draws whole numbers, and a draw that falls next to the border of two tokens may give
 * either: how far it is from the token's share of [0, 1) is the error, together with that of the
 * log-probability.
 */
function sampleWork(B: number, V: number): Work {
  const logits = normal([B, V], 0, 2);
  const temperature = 0.7;
  const streams = Array.from({ length: B }, (_, b) => b);
  const sampler = (max_new_tokens: number): Sampler =>
    new Sampler({
      promptLengths: new Int32Array(B).fill(1),
      streams,
      max_new_tokens,
      temperature,
      seed: SEED,
      eos_token_id: -1,
    });
  let kept: { sampler: Sampler; logits: tf.Tensor2D } | null = null;
  let draws = 0;
  const dispose = (): void => {
    kept?.sampler.dispose();
    kept?.logits.dispose();
    kept = null;
    draws = 0;
  };
  return {
    name: `${B} rows of ${V}`,
    async run() {
      const drawing = sampler(1);
      try {
        tf.tidy(() => drawing.sample(upload(logits) as tf.Tensor2D));
        const { tokens, logprobs } = await drawing.read();
        return [Float32Array.from(tokens), logprobs.slice()];
      } finally {
        drawing.dispose();
      }
    },
    record() {
      if (draws === MOST_DRAWS) dispose();
      kept ??= { sampler: sampler(MOST_DRAWS), logits: upload(logits) as tf.Tensor2D };
      const { sampler: drawing, logits: given } = kept;
      tf.tidy(() => drawing.sample(given));
      draws++;
    },
    dispose,
    difference([tokens, logprobs]) {
      let largest = 0;
      for (let b = 0; b < B; b++) {
        const row = logits.data.subarray(b * V, (b + 1) * V);
        const draw = uniform(SEED, STREAM.sampling, streams[b]!, 0);
        const error = drawError(row, temperature, draw, tokens![b]!, logprobs![b]!);
        if (!(error <= largest)) largest = Number.isNaN(error) ? Infinity : error;
      }
      return largest;
    },
  };
}

/** In f64: how far `draw` is from the token's share of [0, 1), or the error of its logprob (nats). */
function drawError(
  logits: Float32Array,
  temperature: number,
  draw: number,
  token: number,
  logprob: number,
): number {
  const highest = logits.reduce((most, logit) => Math.max(most, logit), -Infinity);
  const weights = Array.from(logits, (logit) => Math.exp((logit - highest) / temperature));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const weight = weights[token];
  if (weight === undefined) return Infinity;
  const below = weights.slice(0, token).reduce((sum, other) => sum + other, 0) / total;
  const outside = Math.max(0, below - draw, draw - (below + weight / total));
  return Math.max(outside, Math.abs(logprob - Math.log(weight / total)));
}

/**
 * Everything that is tried at the start, in small and in large batches.
 * @param options.fewPrograms leaves out what not every model would compile anyway: attention is
 *   compiled anew for every number and size of heads, for a second each by a software adapter, and
 *   products for weights in 16 bits
 */
export function standardWork({ fewPrograms }: { fewPrograms: boolean }): FamilyWork[] {
  const grouped = fewPrograms ? [] : [attentionWork(2, 37, 4, 2, 12)];
  const groupedDecode = fewPrograms ? [] : [decodeWork(3, 37, 4, 2, 12)];
  const frozen = fewPrograms ? [] : [frozenWork(37, 20, 12, 8), frozenWork(37, 20, 12, 256)];
  return [
    {
      family: 'linear',
      edges: [linearWork(37, 20, 12), ...frozen],
      timed: [linearWork(64, 128, 344), linearWork(1024, 128, 344)],
    },
    {
      family: 'rms-norm',
      edges: [normWork(37, 20)],
      timed: [normWork(64, 128), normWork(1024, 128)],
    },
    {
      family: 'attention',
      edges: [attentionWork(2, 37, 4, 4, 16), ...grouped],
      timed: [attentionWork(1, 64, 4, 4, 16), attentionWork(16, 64, 4, 4, 16)],
    },
    {
      family: 'decode-attention',
      edges: [decodeWork(3, 37, 4, 4, 16), ...groupedDecode],
      timed: [decodeWork(16, 64, 4, 4, 16), decodeWork(64, 128, 4, 4, 16)],
    },
    {
      family: 'token-logprob',
      edges: [logprobWork(37, 52)],
      timed: [logprobWork(32, 2048), logprobWork(1024, 2048)],
    },
    {
      family: 'sample',
      edges: [sampleWork(5, 52)],
      timed: [sampleWork(8, 2048), sampleWork(64, 2048)],
    },
  ];
}
