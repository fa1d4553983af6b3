import { describe, expect, test } from 'vitest';
import {
  agreementByPrompt,
  decidedAlike,
  kendallW,
  krippendorffAlpha,
  meanKendallW,
  pairwiseAgreement,
  selfConsistency,
  setRankings,
  type SetRanking,
} from '../../../src/core/agreement';
import type { Ranking } from '../../../src/core/domain';
import { gaussian } from '../../../src/core/rng';
import golden from '../../golden/agreement.json';

/** Panels of ranks → rankings by labelers 0, 1, … of one prompt each. */
const asRankings = (panels: number[][][]): SetRanking[] =>
  panels.flatMap((panel, set) =>
    panel.map((ranks, labeler) => ({
      labeler: String(labeler),
      prompt: `p${set}`,
      set: `s${set}`,
      ranks,
    })),
  );

const seed = 1;

describe(`against krippendorff ${golden.versions.krippendorff} and scipy ${golden.versions.scipy}`, () => {
  test.each(golden.cases)('$name', ({ panels, alpha, kendall_w }) => {
    const rankings = asRankings(panels);
    expect(krippendorffAlpha(rankings, { seed }).value).toBeCloseTo(alpha, 12);
    const known = panels.flatMap((panel, i) =>
      kendall_w[i] == null ? [] : [{ own: kendallW(panel), scipy: kendall_w[i] }],
    );
    for (const { own, scipy } of known) expect(own).toBeCloseTo(scipy, 12);
    if (known.length === panels.length) {
      const mean = known.reduce((sum, { scipy }) => sum + scipy, 0) / known.length;
      expect(meanKendallW(rankings, { seed })).toMatchObject({ count: panels.length });
      expect(meanKendallW(rankings, { seed }).value).toBeCloseTo(mean, 12);
    }
  });
});

describe('pairwise agreement', () => {
  test('counts pairs that both decide', () => {
    expect(decidedAlike([1, 2, 3], [1, 2, 3])).toEqual({ same: 3, both: 3 });
    expect(decidedAlike([1, 2, 3], [3, 2, 1])).toEqual({ same: 0, both: 3 });
    expect(decidedAlike([1, 1, 3], [1, 2, 3])).toEqual({ same: 2, both: 2 });
    expect(decidedAlike([1, 1], [1, 2])).toEqual({ same: 0, both: 0 });
  });

  test('is over all pairs of labelers, or those between groups', () => {
    // 0 and 1 agree, 2 sees everything the other way round
    const rankings = asRankings([
      [
        [1, 2, 3],
        [1, 2, 3],
        [3, 2, 1],
      ],
    ]);
    expect(pairwiseAgreement(rankings, { seed })).toMatchObject({ value: 3 / 9, count: 9 });
    const across = pairwiseAgreement(rankings, {
      seed,
      between: (a, b) => (a === '2') !== (b === '2'),
    });
    expect(across).toMatchObject({ value: 0, count: 6 });
  });

  test('a second ranking by the same labeler is self-consistency and nothing else', () => {
    const once = asRankings([
      [
        [1, 2, 3],
        [1, 2, 3],
      ],
    ]);
    const rankings = [...once, { ...once[0]!, ranks: [2, 1, 3] }];
    expect(pairwiseAgreement(rankings, { seed })).toMatchObject({ value: 1, count: 3 });
    expect(selfConsistency(rankings, { seed })).toMatchObject({ value: 2 / 3, count: 3 });
    expect(selfConsistency(rankings, { seed, labeler: '1' }).value).toBeNull();
  });

  test('the interval holds the truth in about 95 of 100 draws, prompts being what is drawn', () => {
    // agreement of a prompt is 1 or 0, whole prompts at a time: four sets each
    const draws = Array.from({ length: 100 }, (_, draw) => {
      const rankings = Array.from({ length: 160 }, (_, set) => {
        const alike = gaussian(draw, 1, Math.floor(set / 4)) > -0.5;
        return asRankings([[[1, 2], alike ? [1, 2] : [2, 1]]]).map((ranking) => ({
          ...ranking,
          prompt: `p${Math.floor(set / 4)}`,
          set: `s${set}`,
        }));
      }).flat();
      return pairwiseAgreement(rankings, { seed: draw });
    });
    const truth = 0.6915; // P(gaussian > −0.5)
    const held = draws.filter(({ low, high }) => low! <= truth && truth <= high!).length;
    expect(held).toBeGreaterThanOrEqual(88);
    expect(held).toBeLessThan(100);
  });

  test('nothing to compare gives nothing', () => {
    expect(pairwiseAgreement([], { seed })).toEqual({
      value: null,
      low: null,
      high: null,
      count: 0,
    });
    expect(krippendorffAlpha([], { seed }).value).toBeNull();
    expect(pairwiseAgreement(asRankings([[[1, 2]]]), { seed }).value).toBeNull();
    expect(kendallW([[1, 1], [1, 1]])).toBeNull(); // prettier-ignore
  });

  test('names the prompts on which labelers part, worst first', () => {
    const rankings = asRankings([
      [
        [1, 2],
        [1, 2],
      ],
      [
        [1, 2],
        [2, 1],
      ],
      [[1, 2]],
    ]);
    expect(agreementByPrompt(rankings)).toEqual([
      { prompt: 'p1', agreement: 0, pairs: 1 },
      { prompt: 'p0', agreement: 1, pairs: 1 },
    ]);
  });
});

describe('rankings from several devices', () => {
  const ranking = (changes: Partial<Ranking>): Ranking => ({
    id: 'r',
    projectId: 'p',
    setId: null,
    prompt: 'Hello?',
    completions: ['b', 'a', 'c'],
    ranks: [1, 2, 3],
    outcome: 'ranked',
    labeler: 'Ada',
    simulated: false,
    flags: [[], [], []],
    order: [0, 1, 2],
    seq: 0,
    ...changes,
  });

  test('meet by their texts, in whatever order they stand', () => {
    const [one, other] = setRankings([
      ranking({}),
      ranking({ labeler: 'Bo', completions: ['c', 'b', 'a'], ranks: [3, 1, 2] }),
    ]);
    expect(one!.set).toBe(other!.set);
    expect(one!.ranks).toEqual([2, 1, 3]);
    expect(other!.ranks).toEqual([2, 1, 3]);
  });

  test('leave out what ranks nothing', () => {
    expect(setRankings([ranking({ outcome: 'skipped', ranks: [] })])).toEqual([]);
  });
});

test('10 000 rankings of 9 take less than a second', () => {
  const rankings = Array.from({ length: 10_000 }, (_, i) => ({
    labeler: `l${i % 5}`,
    prompt: `p${Math.floor(i / 5) % 500}`,
    set: `s${Math.floor(i / 5)}`,
    ranks: Array.from({ length: 9 }, (_, k) => ((k * 5 + i) % 9) + 1),
  }));
  const started = performance.now();
  krippendorffAlpha(rankings, { seed });
  pairwiseAgreement(rankings, { seed });
  meanKendallW(rankings, { seed });
  selfConsistency(rankings, { seed });
  const ms = performance.now() - started;
  // the goal is 1 s; machines that run all tests at once get ten times as long
  expect(ms).toBeLessThan(10_000);
});
