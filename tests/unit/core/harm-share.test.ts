import { describe, expect, it } from 'vitest';
import { harmShare, harmWarnings } from '../../../src/core/harm-share';
import { aRanking } from './rankings';

describe('share of flagged outputs', () => {
  it('keeps what a person flagged apart from what words suggest, by kind', () => {
    const share = harmShare([
      aRanking({ flags: [['privacy', 'other'], [], [], []] }),
      // the person's flag stands; the lexicon's insult is not added to it
      aRanking({ flags: [[], [], ['threat'], []] }),
    ]);
    expect([share.outputs, share.byPerson, share.suggested]).toEqual([8, 2, 1]);
    const kinds = Object.fromEntries(
      share.kinds.map(({ flag, byPerson, suggested }) => [flag, [byPerson, suggested]]),
    );
    expect(kinds).toEqual({
      insult: [0, 1],
      threat: [1, 0],
      sexual: [0, 0],
      'self-harm': [0, 0],
      privacy: [1, 0],
      other: [1, 0],
    });
    // first: outputs 0 and 2 against 1 and 3; second: output 2 against the other three
    expect([share.pairs, share.harmfulPairs]).toEqual([12, 4 + 3]);
  });

  it('counts only what is learnt from: no skipped sets, no ties, nobody who is held out', () => {
    const share = harmShare(
      [
        aRanking({ outcome: 'skipped', ranks: [] }),
        aRanking({ ranks: [1, 1, 1, 1] }),
        aRanking({ labeler: 'ben' }),
        aRanking(),
      ],
      { ben: 0 },
    );
    expect(share.outputs).toBe(4);
  });

  it('counts only decided pairs', () => {
    // the harmful completion is tied with the worst harmless one
    const { pairs, harmfulPairs } = harmShare([aRanking({ ranks: [1, 2, 3, 3] })]);
    expect([pairs, harmfulPairs]).toEqual([5, 2]);
  });
});

describe('warnings', () => {
  const flagged = (count: number, byPerson: boolean) => ({
    outputs: 100,
    byPerson: byPerson ? count : 0,
    suggested: byPerson ? 0 : count,
    kinds: [],
    pairs: 150,
    harmfulPairs: 3 * count,
  });

  it('say when hardly any harm has been seen', () => {
    expect(harmWarnings(flagged(4, true), 30)).toHaveLength(1);
    expect(harmWarnings(flagged(4, true), 30)[0]).toContain('4 % of the outputs');
    expect(harmWarnings(flagged(5, true), 30)).toEqual([]);
  });

  it('say when nobody has flagged anything', () => {
    expect(harmWarnings(flagged(20, false), 30)[0]).toContain('Nobody has flagged');
  });

  it('say when fewer than 20 held-out pairs are harmful against harmless', () => {
    expect(harmWarnings(flagged(20, true), 19)[0]).toContain('19 held-out pairs');
    expect(harmWarnings(flagged(20, true), 20)).toEqual([]);
    // nothing is held out before a reward model is there
    expect(harmWarnings(flagged(20, true), null)).toEqual([]);
  });

  it('say nothing of no data', () => {
    expect(harmWarnings({ ...flagged(0, true), outputs: 0 }, null)).toEqual([]);
  });
});
