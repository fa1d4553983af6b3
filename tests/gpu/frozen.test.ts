/** Weights in 16 bits: the same numbers, bit for bit, in half the memory. */
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, describe, expect, test } from 'vitest';
import type { WeightMap } from '../../src/core/domain';
import { countParameters, PRESETS } from '../../src/core/presets';
import { closeEngine, openEngine } from '../../src/engine/backend';
import { uploadFrozen, storageOf } from '../../src/engine/frozen';
import { generate } from '../../src/engine/generate';
import { tokenLogprobs } from '../../src/engine/inference';
import { gpuBytes, numTensors, trimPool } from '../../src/engine/memory';
import { Llama } from '../../src/engine/model';
import { embeddingRows } from '../../src/engine/ops/embedding';
import { linear } from '../../src/engine/ops/linear';
import { chooseVariant } from '../../src/engine/variants';
import { initialWeights } from '../../src/engine/weights';
import { halfToNumber, numberToHalf, widenBfloats, widenHalves } from '../../src/formats/half';
import { golden, goldenBatch, toWeights } from './model-fixture';

const patterns = Uint16Array.from({ length: 65536 }, (_, pattern) => pattern);
/** Every number of the format that is kept in it. */
const ALL = {
  f16: widenHalves(patterns).filter((value) => Math.abs(value) < 128),
  bf16: widenBfloats(
    patterns.filter((pattern) => {
      const exponent = pattern & 0x7f80;
      return exponent !== 0x7f80 && exponent !== 0;
    }),
  ),
};

const bits = (values: Float32Array): Uint32Array => new Uint32Array(values.slice().buffer);

afterEach(closeEngine);

describe.each(['f16', 'bf16'] as const)('every number of %s', (storage) => {
  const data = ALL[storage];
  const [rows, columns] = [data.length / 4, 4];

  test('is read back by the embedding with its own bits', async () => {
    await openEngine({ force: 'webgpu' });
    const weight = uploadFrozen({ shape: [rows, columns], data }) as tf.Tensor2D;
    expect([storageOf(weight), weight.shape]).toEqual([storage, [rows, columns / 2]]);
    const read = await embeddingRows(weight, tf.range(0, rows, 1, 'int32')).data<'float32'>();
    expect(bits(read)).toEqual(bits(data));
  });

  test.each(['registers', 'shared'] as const)(
    'is what a matrix product multiplies by in the %s variant',
    async (variant) => {
      await openEngine({ force: 'webgpu' });
      chooseVariant('linear', variant);
      const weight = uploadFrozen({ shape: [rows, columns], data }) as tf.Tensor2D;
      // Row c of a unit matrix picks column c; more rows than a tile of few has.
      const units = tf.concat<tf.Tensor2D>([tf.eye(columns), tf.eye(columns), tf.eye(columns)]);
      const product = await linear(units, weight).data<'float32'>();
      const expected = Float32Array.from({ length: 3 * data.length }, (_, i) => {
        const row = Math.floor(i / rows);
        return data[(i % rows) * columns + (row % columns)]!;
      });
      expect(product).toEqual(expected.map((value) => value + 0)); // sums of products have no −0
    },
  );
});

/** Weights, of the golden model unless told, cut to numbers that a format holds. */
function rounded(storage: 'f16' | 'bf16', weights = toWeights(golden.weights)): WeightMap {
  const toBf16 = (data: Float32Array): Float32Array =>
    new Float32Array(bits(data).map((pattern) => (pattern & 0xffff0000) >>> 0).buffer);
  return new Map(
    [...weights].map(([name, { shape, data }]) => {
      const values =
        storage === 'bf16' ? toBf16(data) : data.map((x) => halfToNumber(numberToHalf(x)));
      return [name, { shape, data: values }];
    }),
  );
}

async function behaviour(model: Llama) {
  const written = await generate(model, [[3, 17, 5], [12, 1, 30, 2, 25, 9], [6]], {
    max_new_tokens: 12,
    temperature: 0.8,
    seed: 21,
    streams: [1, 2, 3],
    eos_token_id: -1,
  });
  return { written, ...(await tokenLogprobs(model, goldenBatch(), 0.7)) };
}

describe.each(['f16', 'bf16'] as const)('a model of %s weights', (storage) => {
  test.each(['registers', 'shared'] as const)(
    'writes and measures the same bits in the %s variant',
    async (variant) => {
      await openEngine({ force: 'webgpu' });
      chooseVariant('linear', variant);
      const weights = rounded(storage);
      const model = Llama.load(golden.config, weights);
      const frozen = Llama.loadFrozen(golden.config, weights);
      for (const [name, parameter] of frozen.parameters) {
        expect(storageOf(parameter), name).toBe(parameter.rank === 2 ? storage : 'f32');
      }
      expect(await behaviour(frozen)).toEqual(await behaviour(model));
      model.dispose();
      frozen.dispose();
    },
  );
});

test('it takes half the memory and is freed as a whole', async () => {
  await openEngine({ force: 'webgpu' });
  const weights = rounded('bf16', initialWeights(PRESETS.tiny, 3));
  const bytesOf = async (load: typeof Llama.load): Promise<number> => {
    const tensors = numTensors();
    trimPool();
    const before = gpuBytes();
    const model = load(PRESETS.tiny, weights);
    await tokenLogprobs(model, goldenBatch(), 1);
    trimPool();
    const bytes = gpuBytes() - before;
    model.dispose();
    expect(numTensors()).toBe(tensors);
    return bytes;
  };
  const f32 = await bytesOf((...model) => Llama.load(...model));
  const half = await bytesOf((...model) => Llama.loadFrozen(...model));
  expect(f32).toBeGreaterThan(4 * countParameters(PRESETS.tiny));
  expect(half / f32).toBeGreaterThan(0.45);
  expect(half / f32).toBeLessThan(0.55);
});

test('what 16 bits do not hold, and what no kernel reads, stays f32', async () => {
  await openEngine({ force: 'webgpu' });
  const exact = new Float32Array(24).fill(1.5);
  const inexact = exact.with(23, 0.1);
  const storedAs = (shape: number[], data: Float32Array) =>
    storageOf(uploadFrozen({ shape, data }));
  expect(storedAs([3, 8], exact)).toBe('bf16');
  expect(storedAs([3, 8], inexact)).toBe('f32');
  expect(storedAs([4, 6], exact)).toBe('f32');
  expect(storedAs([24], exact)).toBe('f32');
  chooseVariant('linear', 'reference');
  expect(storedAs([3, 8], exact)).toBe('f32');
  await openEngine({ force: 'wasm' });
  expect(storedAs([3, 8], exact)).toBe('f32');
  const weights = rounded('bf16');
  const model = Llama.load(golden.config, weights);
  const frozen = Llama.loadFrozen(golden.config, weights);
  expect(await behaviour(frozen)).toEqual(await behaviour(model));
});

test('training it is refused', async () => {
  await openEngine({ force: 'webgpu' });
  const model = Llama.loadFrozen(golden.config, rounded('bf16'));
  const loss = () => tf.sum<tf.Scalar>(model.logits(model.hiddenStates(goldenBatch())));
  expect(() => tf.variableGrads(loss)).toThrow(/frozen/);
});
