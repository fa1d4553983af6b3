/** The benchmark's own numbers: what it counts, averages and adds up. */
import { describe, expect, test } from 'vitest';
import { forwardFlops, linearProducts, stepFlops, weightedRate } from '../../../bench/flops';
import { counted, listed } from '../../../bench/options';
import { forwardLengths } from '../../../bench/parts/decoding';
import { median } from '../../../bench/statistics';
import { SIZES, trainingBatch } from '../../../bench/work';
import { countParameters } from '../../../src/core/presets';

describe('median', () => {
  test.each([
    [[3], 3],
    [[9, 1, 5], 5],
    [[10, 9, 1, 2], 5.5],
  ])('of %j is %d', (values, expected) => {
    const before = [...values];
    expect(median(values)).toBe(expected);
    expect(values).toEqual(before);
  });
  test('of nothing is not a number', () => expect(median([])).toBeNaN());
});

describe('operations', () => {
  // Grouped queries, so that the shapes differ: head dim 2, one key-value head.
  const small = {
    ...SIZES.nano,
    vocab_size: 10,
    hidden_size: 4,
    intermediate_size: 8,
    num_hidden_layers: 1,
    num_attention_heads: 2,
    num_key_value_heads: 1,
  };

  test('a forward pass counts its linears and the pairs that attention sees', () => {
    const products = linearProducts(small);
    // q, o 4×4; k, v 4×2; gate, up 4×8; down 8×4; output 4×10
    expect(products.reduce((sum, { K, M, count }) => sum + K * M * count, 0)).toBe(184);
    // 2 rows of 3 tokens: 2·6·184, and 6 pairs in each row with 4·4 operations
    expect(forwardFlops(small, 2, 3)).toBe(2208 + 192);
    expect(stepFlops(small, 2, 3)).toBe(3 * 2400);
  });

  test('products of one shape stand together', () => {
    expect(linearProducts(SIZES.main)).toEqual([
      { K: 128, M: 128, count: 16 },
      { K: 128, M: 352, count: 8 },
      { K: 352, M: 128, count: 4 },
      { K: 128, M: 512, count: 1 },
    ]);
  });

  test('the comparison has as many parameters as the GPT it is set against, within 1 %', () => {
    // vocabulary 512, context 64, d 128, 4 layers, with biases, tied output
    const gpt = 512 * 128 + 64 * 128 + 4 * (12 * 128 * 128 + 13 * 128) + 2 * 128;
    expect(Math.abs(countParameters(SIZES.main) / gpt - 1)).toBeLessThan(0.01);
  });

  test('rates are weighted by work: half of it at 1 and half at 3 is 1.5', () => {
    const products = [
      { K: 2, M: 3, count: 2 },
      { K: 12, M: 1, count: 1 },
    ];
    expect(weightedRate(products, [1, 3])).toBe(1.5);
  });
});

describe('the same work', () => {
  test('targets are the ids one place on, and inside the vocabulary', () => {
    const { ids, targets } = trainingBatch({ size: 'main', B: 3, T: 5 });
    for (let b = 0; b < 3; b++) {
      expect([...targets.subarray(5 * b, 5 * b + 4)]).toEqual([
        ...ids.subarray(5 * b + 1, 5 * b + 5),
      ]);
    }
    expect(Math.max(...ids, ...targets)).toBeLessThan(512);
    expect(new Set(ids).size).toBeGreaterThan(5);
  });

  test('without a cache every token needs one pass over all before it, padded to 8', () => {
    const lengths = forwardLengths({ size: 'main', B: 64, prompt: 8, tokens: 10 });
    // the first token sees 8, the next eight 9 … 16, the last 17
    expect([...lengths]).toEqual([
      [8, 1],
      [16, 8],
      [24, 1],
    ]);
  });
});

describe('options', () => {
  test('lists hold known names only', () => {
    expect(listed('only', 'b,a', ['a', 'b', 'c'])).toEqual(['b', 'a']);
    expect(() => listed('only', 'a,x', ['a', 'b'])).toThrow('--only: x is not one of a, b');
  });
  test.each(['0', '1.5', 'many'])('%s is no number of rounds', (text) => {
    expect(() => counted('rounds', text)).toThrow('--rounds');
  });
  test('a whole number is', () => expect(counted('rounds', '3')).toBe(3));
});
