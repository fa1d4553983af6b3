import { describe, expect, it } from 'vitest';
import {
  electorateGroups,
  electorateShares,
  NO_GROUP,
  underRepresented,
  weightOf,
} from '../../../src/core/electorate';
import type { Labeler } from '../../../src/core/people';
import { aRanking } from './rankings';

const profile = (code: string, ...groups: string[]): Labeler => ({
  code,
  groups,
  consentedAt: null,
  simulated: null,
  dailyHarmLimit: null,
});
/** `count` rankings of a labeler. */
const by = (labeler: string, count: number) =>
  Array.from({ length: count }, () => aRanking({ labeler }));

describe('weightOf', () => {
  it('is 1 for whoever is not named, also for a name that every object has', () => {
    expect(weightOf({ ann: 0.5 }, 'ann')).toBe(0.5);
    expect(weightOf({ ann: 0.5 }, 'ben')).toBe(1);
    expect(weightOf({}, 'constructor')).toBe(1);
    expect(weightOf(undefined, 'ann')).toBe(1);
  });
});

describe('groups and their shares', () => {
  const profiles = [
    profile('ann', 'morning'),
    profile('ben', 'morning', 'chess'),
    profile('eve', 'evening'),
  ];
  const rankings = [...by('ann', 6), ...by('ben', 2), ...by('zoe', 2)];

  it('has every named group, also one that ranked nothing, and a group for those in none', () => {
    expect(electorateGroups(rankings, profiles)).toEqual([
      { name: 'morning', labelers: ['ann', 'ben'], simulated: false },
      { name: 'chess', labelers: ['ben'], simulated: false },
      { name: 'evening', labelers: ['eve'], simulated: false },
      { name: NO_GROUP, labelers: ['zoe'], simulated: false },
    ]);
  });

  it('lets every labeler stand alone before there are groups, simulated ones marked', () => {
    const robots = [aRanking({ labeler: 'simulated:polite', simulated: true })];
    expect(electorateGroups([...by('ann', 1), ...robots], [])).toEqual([
      { name: 'ann', labelers: ['ann'], simulated: false },
      { name: 'simulated:polite', labelers: ['simulated:polite'], simulated: true },
    ]);
  });

  it('counts rankings, decided pairs and the weighted share; what decides nothing counts nowhere', () => {
    const idle = [
      aRanking({ labeler: 'zoe', ranks: [1, 1, 1, 1] }),
      aRanking({ labeler: 'zoe', outcome: 'skipped', ranks: [] }),
    ];
    const all = [...rankings, ...idle];
    const groups = electorateGroups(all, profiles);
    const shares = electorateShares(groups, all, { ann: 0.5, ben: 2 });
    // weights: ann 6 · 0.5, ben 2 · 2, zoe 2
    expect(
      shares.map(({ rankings, comparisons, share }) => [rankings, comparisons, share]),
    ).toEqual([
      [8, 48, 7 / 9],
      [2, 12, 4 / 9],
      [0, 0, 0],
      [2, 12, 2 / 9],
    ]);
  });

  it('has shares of 0 where everyone is left out', () => {
    const groups = electorateGroups(rankings, profiles);
    const left = electorateShares(groups, rankings, { ann: 0, ben: 0, zoe: 0 });
    expect(left.every(({ share }) => share === 0)).toBe(true);
  });
});

describe('under-represented groups', () => {
  const share = (name: string, rankings: number, part: number) => ({
    name,
    simulated: false,
    rankings,
    comparisons: 6 * rankings,
    share: part,
  });

  it('are named with their numbers', () => {
    expect(underRepresented([share('day', 90, 0.9), share('night', 4, 0.1)])).toEqual([
      'night: 4 rankings, 10 % of what the reward model learns from; an even share of 2 groups is 50 %. Fewer than 10 say little.',
    ]);
  });

  it('are those below four fifths of an even share, however many rankings they have', () => {
    expect(underRepresented([share('day', 61, 0.61), share('night', 39, 0.39)])).toHaveLength(1);
    expect(underRepresented([share('day', 59, 0.59), share('night', 41, 0.41)])).toEqual([]);
  });

  it('are none where nobody stands beside them', () => {
    expect(underRepresented([share('all', 3, 1)])).toEqual([]);
  });
});
