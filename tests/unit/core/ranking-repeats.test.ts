import { describe, expect, it } from 'vitest';
import type { CandidateSet, Ranking } from '../../../src/core/domain';
import { REPEAT_DISTANCE, repeatDue } from '../../../src/core/ranking-repeats';
import { aRanking, aSet } from './ranking-parts';

const SETS = Array.from({ length: 400 }, (_, seq) => aSet(seq));

/** Ranks set after set, and every repeat as it comes. */
function labelAll(sets: readonly CandidateSet[], labeler = 'me', seed = 7): Ranking[] {
  const own: Ranking[] = [];
  for (const set of sets) {
    own.push(aRanking(set, { seq: own.length, id: `r${own.length}`, labeler }));
    const due = repeatDue({ own, sets, labeler, seed });
    if (due === null) continue;
    expect(repeatDue({ own, sets, labeler, seed })).toEqual(due);
    const { cards, repeatOf } = due;
    const repeat = { order: [...cards], repeatOf: repeatOf!, id: `r${own.length}`, labeler };
    own.push(aRanking(due.set, { ...repeat, seq: own.length }));
    expect(repeatDue({ own, sets, labeler, seed })).toBeNull();
  }
  return own;
}

describe('silent repeats', () => {
  const own = labelAll(SETS);
  const repeats = own.filter(({ repeatOf }) => repeatOf !== undefined);

  it('are about one set in ten', () => {
    expect(repeats.length / SETS.length).toBeGreaterThan(0.06);
    expect(repeats.length / SETS.length).toBeLessThan(0.14);
  });

  it('come at least five sets later, in another order, each set once', () => {
    for (const repeat of repeats) {
      const first = own.find(({ id }) => id === repeat.repeatOf)!;
      expect(first.setId).toBe(repeat.setId);
      const between = own.filter(
        ({ seq, repeatOf }) => repeatOf === undefined && seq > first.seq && seq < repeat.seq,
      );
      expect(between.length).toBeGreaterThanOrEqual(REPEAT_DISTANCE);
      expect(repeat.order).not.toEqual(first.order);
      expect([...repeat.order].sort()).toEqual([0, 1, 2, 3]);
    }
    expect(new Set(repeats.map(({ repeatOf }) => repeatOf)).size).toBe(repeats.length);
  });

  it('are drawn by seed and labeler, and by nothing else', () => {
    const places = (rankings: readonly Ranking[]) =>
      rankings.flatMap(({ repeatOf }, i) => (repeatOf === undefined ? [] : [i])).join();
    expect(places(labelAll(SETS))).toBe(places(own));
    expect(places(labelAll(SETS, 'anna'))).not.toBe(places(own));
    expect(places(labelAll(SETS, 'me', 8))).not.toBe(places(own));
  });

  it('never show a harmful text again', () => {
    const harmful = SETS.map((set) => aSet(set.seq, ['a', 'b', 'c', 'Go away, you fool.']));
    expect(labelAll(harmful).some(({ repeatOf }) => repeatOf !== undefined)).toBe(false);
    const flagged = own.map((ranking) => ({ ...ranking, flags: [['other' as const], [], [], []] }));
    for (let n = 1; n < flagged.length; n++) {
      expect(
        repeatDue({ own: flagged.slice(0, n), sets: SETS, labeler: 'me', seed: 7 }),
      ).toBeNull();
    }
  });
});
