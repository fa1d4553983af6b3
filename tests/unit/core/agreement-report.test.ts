import { expect, it } from 'vitest';
import { krippendorffAlpha, meanKendallW, setRankings } from '../../../src/core/agreement';
import { agreementReport, NO_GROUP } from '../../../src/core/agreement-report';
import type { Ranking } from '../../../src/core/domain';
import type { Labeler } from '../../../src/core/people';
import { atOnce, inSlices, type Sliced } from '../../../src/core/slices';

const labeler = (code: string, groups: string[]): Labeler => ({
  code,
  groups,
  consentedAt: null,
  simulated: null,
  dailyHarmLimit: null,
});
const LABELERS = [labeler('Ada', ['x']), labeler('Bo', ['x']), labeler('Cy', ['y'])];

/** Ada and Bo see it alike, Cy the other way round, but for the last prompt. */
const RANKINGS: Ranking[] = Array.from({ length: 12 }, (_, i) =>
  ['Ada', 'Bo', 'Cy', 'Dee'].slice(0, i === 0 ? 4 : 3).map((code, k): Ranking => {
    const turned = code === 'Cy' && i < 11;
    return {
      id: `${code}${i}`,
      projectId: 'p',
      setId: null,
      prompt: `p${i}`,
      // every device has its own order of the same texts
      completions: k === 1 ? ['c', 'a', 'b'] : ['a', 'b', 'c'],
      ranks: k === 1 ? [3, 1, 2] : turned ? [3, 2, 1] : [1, 2, 3],
      outcome: 'ranked',
      labeler: code,
      simulated: false,
      flags: [],
      order: [0, 1, 2],
      seq: 0,
    };
  }),
).flat();
const REPEAT: Ranking = { ...RANKINGS[0]!, id: 'again', ranks: [2, 1, 3], repeatOf: 'Ada0' };

it('says overall what the single measures say', () => {
  const report = atOnce(agreementReport([REPEAT, ...RANKINGS], LABELERS));
  const sets = setRankings([REPEAT, ...RANKINGS]);
  expect(report.kendallW).toEqual(meanKendallW(sets, { seed: 1 }));
  expect(report.alpha).toEqual(krippendorffAlpha(sets, { seed: 1 }));
  expect(report.selfConsistency).toMatchObject({ value: 2 / 3, count: 3 });
  // by set: Ada–Bo 3, the two with Cy 0 (3 each in the last), Dee's with three others once
  expect(report.pairwise).toMatchObject({ value: (36 + 6 + 6) / (108 + 9), count: 117 });
  expect(report).toMatchObject({ rankings: 38, sharedSets: 12 });
});

it('holds groups and labelers against each other', () => {
  const { groups, byGroup, labelers, byLabeler } = atOnce(agreementReport(RANKINGS, LABELERS));
  expect(groups).toEqual([NO_GROUP, 'x', 'y']);
  expect(byGroup[1]![1]).toMatchObject({ value: 1, count: 36 });
  expect(byGroup[1]![2]).toMatchObject({ value: 6 / 72, count: 72 });
  expect(byGroup[2]![1]).toBe(byGroup[1]![2]);
  expect(byGroup[2]![2]).toMatchObject({ value: null, count: 0 });
  expect(labelers).toEqual(['Ada', 'Bo', 'Cy', 'Dee']);
  expect(byLabeler[0]![1]).toEqual({ same: 36, both: 36 });
  expect(byLabeler[2]![0]).toEqual({ same: 3, both: 36 });
});

it('puts labelers of one group next to each other, those without one last', () => {
  const mixed = [labeler('Cy', ['a']), labeler('Ada', ['b']), labeler('Bo', ['a'])];
  const { labelers, byLabeler } = atOnce(agreementReport(RANKINGS, mixed));
  expect(labelers).toEqual(['Bo', 'Cy', 'Ada', 'Dee']);
  // Ada with Bo
  expect(byLabeler[2]![0]).toEqual({ same: 36, both: 36 });
});

it('names the prompts on which they part, and who put what where', () => {
  const { prompts, contested } = atOnce(agreementReport(RANKINGS, LABELERS));
  expect(prompts[0]!.agreement).toBeCloseTo(3 / 9, 12);
  expect(prompts.at(-1)).toEqual({ prompt: 'p11', agreement: 1, pairs: 9 });
  expect(contested[0]).toMatchObject({ completions: ['a', 'b', 'c'] });
  expect(contested[0]!.ranks).toContainEqual({ labeler: 'Bo', ranks: [1, 2, 3] });
  expect(contested[0]!.ranks).toContainEqual({ labeler: 'Cy', ranks: [3, 2, 1] });
});

it('work that nobody waits for any more is left', async () => {
  let steps = 0;
  function* endless(): Sliced<string> {
    for (;;) {
      steps++;
      yield;
    }
  }
  expect(await inSlices(endless(), () => false)).toBeNull();
  expect(steps).toBeGreaterThan(0);
  expect(await inSlices(agreementReport([], []))).toMatchObject({ rankings: 0, groups: [] });
});
