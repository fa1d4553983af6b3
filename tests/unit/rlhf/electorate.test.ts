import { describe, expect, it } from 'vitest';
import { changedSets } from '../../../src/rlhf/electorate';
import { batchPairs, splitRankings, type RankedPrompt } from '../../../src/rlhf/rankings';
import { bootstrapSample, pairDisagreement } from '../../../src/rlhf/reward-ensemble';

const row = { input_ids: [1, 2], promptLength: 1 };
const group = (prompt: string, labeler: string, weight: number): RankedPrompt => ({
  prompt,
  labeler,
  weight,
  rows: [row, row, row],
  ranks: [1, 2, 3],
  texts: ['a', 'b', 'c'],
  flags: [[], [], []],
});
const prompts = ['p', 'q', 'r', 's', 't', 'u', 'v', 'w', 'x', 'y'];
/** Everyone ranks every prompt. */
const all = (weights: Record<string, number>) =>
  prompts.flatMap((prompt) =>
    Object.entries(weights).map(([labeler, weight]) => group(prompt, labeler, weight)),
  );
const names = (groups: readonly RankedPrompt[]) => [...new Set(groups.map(({ prompt }) => prompt))];

describe('splitRankings', () => {
  it('holds out the same prompts whoever counts, and leaves out who does not', () => {
    // ann has ranked half of what ben has
    const mixed = (ann: number) => [
      ...prompts.slice(0, 5).map((prompt) => group(prompt, 'ann', ann)),
      ...all({ ben: 1 }),
    ];
    for (let seed = 0; seed < 10; seed++) {
      const even = splitRankings(mixed(1), 0.4, seed);
      const swapped = splitRankings(mixed(0), 0.4, seed);
      expect(names(swapped.heldOut)).toEqual(names(even.heldOut));
      const left = [...swapped.train, ...swapped.heldOut];
      expect(left).toHaveLength(10);
      expect(left.every(({ labeler }) => labeler === 'ben')).toBe(true);
    }
  });

  it('scales the weights to a mean of 1, in their proportions', () => {
    const { train } = splitRankings(all({ ann: 6, ben: 2 }), 0, 1);
    expect(train.filter(({ labeler }) => labeler === 'ann').map(({ weight }) => weight)).toEqual(
      Array<number>(10).fill(1.5),
    );
    expect(train.find(({ labeler }) => labeler === 'ben')!.weight).toBe(0.5);
  });

  it('draws among the electorate’s own prompts where all of them would be held out', () => {
    const { heldOut } = splitRankings(all({ ann: 1 }), 0.3, 5);
    const own = heldOut.slice(0, 2).map(({ prompt }) => group(prompt, 'ben', 1));
    const mixed = [...all({ ann: 0 }), ...own];
    const split = splitRankings(mixed, 0.3, 5);
    expect(split.train.map(({ labeler }) => labeler)).toContain('ben');
    expect(split.train.length + split.heldOut.length).toBe(2);
  });
});

it('a weight multiplies the prompt’s share of the loss', () => {
  const pairs = batchPairs([group('p', 'ann', 1.5), group('q', 'ben', 0.5)]);
  const sum = (from: number, to: number) =>
    pairs.slice(from, to).reduce((total, { weight }) => total + weight, 0);
  expect(sum(0, 3)).toBeCloseTo(0.75, 12);
  expect(sum(3, 6)).toBeCloseTo(0.25, 12);
});

describe('changedSets', () => {
  const held = [group('p', 'ann', 1), group('p', 'ben', 1), group('q', 'ann', 1)];

  it('names the best completion of each model, a set of two labelers once', () => {
    const found = changedSets(held, [
      [3, 2, 1, 3, 2, 1, 1, 2, 3],
      [1, 2, 3, 1, 2, 3, 1, 2, 3],
    ]);
    expect(found.sets).toBe(2);
    expect(found.best).toEqual([
      {
        prompt: 'p',
        completions: ['a', 'b', 'c'],
        best: [0, 2],
        ranks: [
          [1, 2, 3],
          [3, 2, 1],
        ],
      },
    ]);
    expect(found.order).toEqual([]);
  });

  it('names sets that agree on the best and part below it', () => {
    const { best, order } = changedSets(held, [
      [3, 2, 1, 3, 2, 1, 3, 2, 1],
      [3, 2, 1, 3, 2, 1, 3, 1, 2],
    ]);
    expect(best).toEqual([]);
    expect(order).toMatchObject([{ prompt: 'q', best: [0, 0], ranks: [[1, 2, 3], [1, 3, 2]] }]); // prettier-ignore
  });

  it('is empty where all models agree', () => {
    const same = [3, 2, 1, 3, 2, 1, 3, 2, 1];
    const found = changedSets(held, [same, same.map((x) => 2 * x)]);
    expect([...found.best, ...found.order]).toEqual([]);
  });
});

describe('the ensemble', () => {
  it('disagrees by the variance of its pair probabilities', () => {
    // two members, sure of opposite things: p = 1 and 0, variance 0.25
    expect(
      pairDisagreement([
        [50, 0],
        [0, 50],
      ]),
    ).toBeCloseTo(0.25, 6);
    expect(
      pairDisagreement([
        [1, 0],
        [1, 0],
      ]),
    ).toBe(0);
    // of three pairs one is disputed
    expect(
      pairDisagreement([
        [50, 0, -100],
        [0, 50, -100],
      ]),
    ).toBeCloseTo(0.25 / 3, 6);
  });

  it('draws as many rankings with replacement, the same for the same seed and member', () => {
    const items = Array.from({ length: 30 }, (_, i) => i);
    const drawn = bootstrapSample(items, 3, 0);
    expect(drawn).toHaveLength(30);
    expect(new Set(drawn).size).toBeLessThan(28);
    expect(bootstrapSample(items, 3, 0)).toEqual(drawn);
    expect(bootstrapSample(items, 3, 1)).not.toEqual(drawn);
  });
});
