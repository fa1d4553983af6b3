import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PlaygroundError } from '../../../src/core/errors';
import { Heap } from '../../../src/tokenizer/heap';
import { preTokens } from '../../../src/tokenizer/pre-tokenize';
import { FIRST_BYTE_ID, MIN_VOCAB_SIZE } from '../../../src/tokenizer/special-tokens';
import { trainBpe } from '../../../src/tokenizer/train-bpe';

/** BPE by recounting everything before every merge: slow, and plainly right. */
function trainNaively(texts: string[], vocabSize: number): [number, number][] {
  const pieces = Array.from({ length: MIN_VOCAB_SIZE }, (_, id) => `${id}`);
  const utf8 = new TextEncoder();
  let words = texts.flatMap((text) =>
    [...preTokens(text)].map((word) => [...utf8.encode(word)].map((byte) => FIRST_BYTE_ID + byte)),
  );
  const merges: [number, number][] = [];
  while (pieces.length < vocabSize) {
    const counts = new Map<string, number>();
    for (const word of words) {
      for (let i = 0; i + 1 < word.length; i++) {
        const key = `${word[i]},${word[i + 1]}`;
        counts.set(key, (counts.get(key) ?? 0) + 1);
      }
    }
    const ranked = [...counts]
      .map(([key, count]) => ({ pair: key.split(',').map(Number) as [number, number], count }))
      .filter(({ count }) => count >= 2)
      .sort((a, b) => b.count - a.count || a.pair[0] - b.pair[0] || a.pair[1] - b.pair[1]);
    const best = ranked[0];
    if (best === undefined) break;
    const [left, right] = best.pair;
    const piece = `${pieces[left]}.${pieces[right]}`;
    const known = pieces.indexOf(piece);
    const merged = known >= 0 ? known : pieces.push(piece) - 1;
    if (!merges.some(([a, b]) => a === left && b === right)) merges.push([left, right]);
    words = words.map((word) => {
      const out: number[] = [];
      for (let i = 0; i < word.length; i++) {
        if (word[i] === left && word[i + 1] === right) {
          out.push(merged);
          i++;
        } else out.push(word[i]!);
      }
      return out;
    });
  }
  return merges;
}

describe('trainBpe', () => {
  it('learns the same merges as recounting everything', () => {
    const text = fc.string({
      unit: fc.constantFrom('a', 'b', 'c', ' '),
      minLength: 2,
      maxLength: 60,
    });
    fc.assert(
      fc.property(
        fc.array(text, { minLength: 1, maxLength: 6 }),
        fc.integer({ min: 260, max: 290 }),
        (texts, size) => {
          expect(trainBpe(texts, { vocab_size: size }).merges).toEqual(trainNaively(texts, size));
        },
      ),
      { numRuns: 300 },
    );
  });

  it('breaks ties by the smaller pair, whatever the order of the texts', () => {
    const [first] = trainBpe(['xy xy', 'ab ab'], { vocab_size: 261 }).merges;
    expect(first).toEqual([FIRST_BYTE_ID + 'a'.charCodeAt(0), FIRST_BYTE_ID + 'b'.charCodeAt(0)]);
  });

  it('counts specials and bytes in vocab_size and stops when nothing repeats', () => {
    expect(trainBpe(['abab abab abab'], { vocab_size: 261 }).vocabSize).toBe(261);
    expect(trainBpe(['xyz'], { vocab_size: 1000 }).vocabSize).toBe(MIN_VOCAB_SIZE);
    expect(trainBpe([], { vocab_size: 1000 }).vocabSize).toBe(MIN_VOCAB_SIZE);
  });

  it('refuses an impossible vocab_size at that field', () => {
    for (const vocab_size of [0, 259, 300.5, NaN, 2 ** 21]) {
      try {
        trainBpe(['a'], { vocab_size });
        expect.unreachable();
      } catch (error) {
        expect(error).toBeInstanceOf(PlaygroundError);
        expect((error as PlaygroundError).field).toBe('vocab_size');
      }
    }
  });

  it('reports progress up to the end', () => {
    const seen: [number, number][] = [];
    const text = Array.from({ length: 400 }, (_, i) => `w${(i * 7919) % 997} w${i % 50}`).join(' ');
    trainBpe([text, text], {
      vocab_size: 460,
      onProgress: (done, total) => seen.push([done, total]),
    });
    expect(seen.length).toBeGreaterThan(1);
    expect(seen.at(-1)).toEqual([200, 200]);
    expect(seen.map(([done]) => done)).toEqual(
      [...seen.map(([done]) => done)].sort((a, b) => a - b),
    );
  });

  it('cuts words at 256 bytes, so that text without spaces stays linear', () => {
    const across = `${'x'.repeat(255)}ab`;
    expect(trainBpe([across, across], { vocab_size: 400 }).vocab).not.toContain('ab');
    const inside = `${'x'.repeat(254)}ab`;
    expect(trainBpe([inside, inside], { vocab_size: 400 }).vocab).toContain('ab');
  });
});

describe('Heap', () => {
  it('pops in order', () => {
    fc.assert(
      fc.property(fc.array(fc.integer()), (numbers) => {
        const heap = new Heap<number>((a, b) => a < b);
        for (const n of numbers) heap.push(n);
        const popped = numbers.map(() => heap.pop());
        expect(popped).toEqual([...numbers].sort((a, b) => a - b));
        expect(heap.pop()).toBeUndefined();
      }),
    );
  });
});
