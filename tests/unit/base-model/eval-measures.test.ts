import { describe, expect, it } from 'vitest';
import { distinct2, selfBleu, shareOf, wilson } from '../../../tools/base-model/eval/measures';
import { tokensOf } from '../../../tools/base-model/eval/text-units';

const texts = (...all: string[]): string[][] => all.map((text) => text.split(' '));

describe('distinct-2', () => {
  it('is the share of different bigrams, none across two texts', () => {
    // ab bc | ab bd: 3 of 4. Across the texts there would be a fifth, "c a".
    expect(distinct2(texts('a b c', 'a b d'))).toBe(3 / 4);
    expect(distinct2(texts('a a a a'))).toBe(1 / 3);
    expect(distinct2(texts('a', 'b'))).toBe(0);
  });
});

describe('self-BLEU-4', () => {
  it('has the value computed by hand', () => {
    // Each of the first two: (4/5 · 3/4 · 2/3 · 1/2)^(1/4). The third shares no word: 0.
    const one = 0.2 ** (1 / 4);
    expect(selfBleu(texts('a b c d e', 'a b c d f', 'x y'))).toBeCloseTo((2 * one) / 3, 10);
  });

  it('is 1 for copies', () => {
    expect(selfBleu(texts('a b c d e', 'a b c d e'))).toBeCloseTo(1, 10);
  });

  it('punishes a text that is shorter than the nearest other one', () => {
    const short = Math.exp(1 - 6 / 4);
    const long = ((4 / 6) * (3 / 5) * (2 / 4) * (1 / 3)) ** (1 / 4);
    expect(selfBleu(texts('a b c d', 'a b c d e f'))).toBeCloseTo((short + long) / 2, 10);
    // Lengths 4, 3 and 5: for the first, 3 and 5 are as near, and the shorter counts: no penalty.
    const first = ((3 / 4) * (2 / 3) * (1 / 2) * 0.1) ** (1 / 4);
    const second = (1 * 1 * 1 * 0.1) ** (1 / 4) * Math.exp(1 - 4 / 3);
    expect(selfBleu(texts('a b c d', 'a b c', 'p q r s t'))).toBeCloseTo((first + second) / 3, 10);
  });

  it('counts an n-gram no more often than another text holds it', () => {
    // p1 = 2/4, p2 = 1/3 ("a a" once), no trigram or longer in common: 0.1 by 2 and by 1.
    const each = ((2 / 4) * (1 / 3) * (0.1 / 2) * (0.1 / 1)) ** (1 / 4);
    expect(selfBleu(texts('a a a a', 'a a b b'))).toBeCloseTo(each, 10);
    // Of three: the third is held against two a's, the most in another text, not its own three.
    const first = (1 * 0.1 ** 3) ** (1 / 4) * Math.exp(1 - 2 / 1);
    const second = (1 * 1 * 0.1 ** 2) ** (1 / 4);
    const third = ((2 / 3) * (1 / 2) * 0.1 ** 2) ** (1 / 4);
    expect(selfBleu(texts('a', 'a a', 'a a a'))).toBeCloseTo((first + second + third) / 3, 10);
  });

  it('puts 0.1 for a precision without a match, also where a text has no such n-gram', () => {
    expect(selfBleu(texts('a b', 'a c'))).toBeCloseTo((0.5 * 0.1 ** 3) ** (1 / 4), 10);
  });

  it('needs two texts', () => {
    expect(() => selfBleu(texts('a b c'))).toThrow(/two/);
  });
});

describe("Wilson's interval", () => {
  it('has the published values', () => {
    // Newcombe 1998, table I, method 3: 81 of 263, 15 of 148, 0 of 20, 1 of 29.
    const cases: [number, number, number, number][] = [
      [81, 263, 0.2553, 0.3662],
      [15, 148, 0.0624, 0.1605],
      [0, 20, 0, 0.1611],
      [1, 29, 0.0061, 0.1718],
    ];
    for (const [count, of, low, high] of cases) {
      const [below, above] = wilson({ count, of });
      expect(below).toBeCloseTo(low, 4);
      expect(above).toBeCloseTo(high, 4);
    }
  });

  it('knows nothing when nothing was counted', () => {
    expect(wilson({ count: 0, of: 0 })).toEqual([0, 1]);
  });
});

describe('shares and tokens', () => {
  it('counts how many of how many', () => {
    expect(shareOf([1, 2, 3], (n) => n > 1)).toEqual({ count: 2, of: 3 });
  });

  it('takes words and numbers in lower case, without punctuation', () => {
    expect(tokensOf(`Ben's "Cat" ate 12 peras, ¡qué!`)).toEqual([
      "ben's",
      'cat',
      'ate',
      '12',
      'peras',
      'qué',
    ]);
  });
});
