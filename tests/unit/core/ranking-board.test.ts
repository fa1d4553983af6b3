import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  competitionRanks,
  createBoard,
  finalRanks,
  insertBeside,
  isComplete,
  move,
  nextFreeRank,
  nextUnplaced,
  place,
  placedCount,
  placeLast,
  placeNext,
  shownCards,
  tieWith,
  tieWithAbove,
  unplace,
  type RankingBoard,
} from '../../../src/core/ranking-board';

/** A board of four cards shown in the order 2, 0, 3, 1. */
const fresh = (): RankingBoard => createBoard([2, 0, 3, 1]);
const with_ = (assigned: (number | null)[]): RankingBoard => ({ ...fresh(), assigned });

describe('competitionRanks', () => {
  it('gives ties the better rank and skips after them', () => {
    expect(competitionRanks([5, 7, 7, 9])).toEqual([1, 2, 2, 4]);
    expect(competitionRanks([3, 3, 3])).toEqual([1, 1, 1]);
  });
  it('closes gaps and leaves cards without a number alone', () => {
    expect(competitionRanks([4, null, 2])).toEqual([2, null, 1]);
  });
});

describe('placing', () => {
  it('starts with nothing ranked, in shown order', () => {
    expect(shownCards(fresh())).toEqual([2, 0, 3, 1]);
    expect(placedCount(fresh())).toBe(0);
    expect(isComplete(fresh())).toBe(false);
  });
  it('ranks go on top, best first, and equal ranks keep the shown order', () => {
    const board = place(place(place(fresh(), 1, 2), 3, 2), 0, 1);
    expect(shownCards(board)).toEqual([0, 3, 1, 2]);
    expect(board.assigned).toEqual([1, 2, null, 2]);
  });
  it('does not change the board it was given', () => {
    const board = fresh();
    place(board, 0, 1);
    expect(board.assigned).toEqual([null, null, null, null]);
  });
  it.each([0, 5, 1.5, Number.NaN])('refuses the rank %s on a board of four', (rank) => {
    expect(() => place(fresh(), 0, rank)).toThrow(/from 1 to 4/);
  });
  it('refuses a card that is not there', () => {
    expect(() => place(fresh(), 4, 1)).toThrow(/no card 4/);
  });
  it('taking a rank away puts the card back among the unranked', () => {
    expect(unplace(place(fresh(), 0, 1), 0).assigned).toEqual([null, null, null, null]);
  });
});

describe('nextFreeRank', () => {
  it.each([
    [[null, null, null, null], 1],
    [[1, null, null, null], 2],
    [[1, 2, 2, null], 4],
    [[1, 1, null, null], 3],
    [[4, null, null, null], 1],
    [[1, null, 3, null], 2],
  ])('of %j is %i', (assigned, expected) => {
    expect(nextFreeRank(with_(assigned))).toBe(expected);
  });
  it('a tap gives it, also to a card that had another rank', () => {
    expect(placeNext(with_([1, null, null, null]), 2).assigned).toEqual([1, null, 2, null]);
    expect(placeNext(with_([1, 2, null, null]), 0).assigned).toEqual([1, 2, null, null]);
  });
});

describe('ties', () => {
  it('with the card above', () => {
    expect(tieWithAbove(with_([1, 2, null, null]), 1).assigned).toEqual([1, 1, null, null]);
  });
  it('the top card has none above', () => {
    const board = with_([1, 2, null, null]);
    expect(tieWithAbove(board, 0)).toBe(board);
  });
  it('two unranked cards take the same free rank', () => {
    expect(tieWith(with_([1, null, null, null]), 3, 2).assigned).toEqual([1, null, 2, 2]);
  });
  it('a ranked card dropped on an unranked one does not keep its own rank', () => {
    expect(tieWith(with_([1, null, null, null]), 0, 2).assigned).toEqual([1, null, 1, null]);
  });
});

describe('inserting', () => {
  it('before and after a card, moving what is behind', () => {
    expect(insertBeside(with_([1, 2, null, null]), 3, 'before', 1).assigned).toEqual([
      1,
      3,
      null,
      2,
    ]);
    expect(insertBeside(with_([1, 2, null, null]), 3, 'after', 1).assigned).toEqual([
      1,
      2,
      null,
      3,
    ]);
  });
  it('beside a tie stays outside of it', () => {
    expect(insertBeside(with_([1, 1, null, null]), 3, 'after', 0).assigned).toEqual([
      1,
      1,
      null,
      3,
    ]);
  });
  it('beside an unranked card comes last', () => {
    expect(insertBeside(with_([1, null, null, null]), 3, 'before', 2).assigned).toEqual([
      1,
      null,
      null,
      2,
    ]);
  });
  it('placeLast leaves its own old place', () => {
    expect(placeLast(with_([1, 2, 3, null]), 0).assigned).toEqual([3, 1, 2, null]);
  });
});

describe('moving', () => {
  it('passes the neighbour, up and down', () => {
    expect(move(with_([1, 2, 3, 4]), 2, 'up').assigned).toEqual([1, 3, 2, 4]);
    expect(move(with_([1, 2, 3, 4]), 2, 'down').assigned).toEqual([1, 2, 4, 3]);
  });
  it('leaves a tie first', () => {
    expect(move(with_([1, 2, 2, 4]), 1, 'up').assigned).toEqual([1, 2, 3, 4]);
    expect(move(with_([1, 2, 2, 4]), 1, 'down').assigned).toEqual([1, 3, 2, 4]);
  });
  it('passes a whole tie', () => {
    expect(move(with_([1, 1, 3, null]), 2, 'up').assigned).toEqual([2, 2, 1, null]);
  });
  it('stops at both ends', () => {
    expect(move(with_([1, 2, 3, 4]), 0, 'up').assigned).toEqual([1, 2, 3, 4]);
    expect(move(with_([1, 2, 3, 4]), 3, 'down').assigned).toEqual([1, 2, 3, 4]);
  });
  it('brings an unranked card in from below', () => {
    expect(move(with_([1, null, null, null]), 3, 'up').assigned).toEqual([1, null, null, 2]);
  });
});

describe('the way through the board', () => {
  it('goes on to the next unranked card and round the end', () => {
    expect(nextUnplaced(with_([1, null, null, null]), 0)).toBe(3);
    expect(nextUnplaced(with_([null, 1, null, 2]), 1)).toBe(2);
    expect(nextUnplaced(with_([1, 2, 3, 4]), 2)).toBeNull();
  });
  it('ends in competition ranks', () => {
    expect(finalRanks(with_([4, 2, 2, 1]))).toEqual([4, 2, 2, 1]);
    expect(finalRanks(with_([3, 1, 1, 2]))).toEqual([4, 1, 1, 3]);
  });
  it('is refused while a card has no rank', () => {
    expect(() => finalRanks(with_([1, null, 2, null]))).toThrow(/2 of 4 completions have no rank/);
  });
});

describe('any sequence of operations', () => {
  const operation = fc.record({
    what: fc.constantFrom(
      'place',
      'next',
      'unplace',
      'tie',
      'above',
      'before',
      'after',
      'up',
      'down',
      'last',
    ),
    card: fc.integer({ min: 0, max: 4 }),
    other: fc.integer({ min: 0, max: 4 }),
  });
  const apply = (
    board: RankingBoard,
    { what, card, other }: { what: string; card: number; other: number },
  ): RankingBoard => {
    switch (what) {
      case 'place':
        return place(board, card, other + 1);
      case 'next':
        return placeNext(board, card);
      case 'unplace':
        return unplace(board, card);
      case 'tie':
        return tieWith(board, card, other);
      case 'above':
        return tieWithAbove(board, card);
      case 'before':
      case 'after':
        return insertBeside(board, card, what, other);
      case 'up':
      case 'down':
        return move(board, card, what);
      default:
        return placeLast(board, card);
    }
  };

  it('keeps every card once, with ranks inside 1 … K', () => {
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 30 }), (operations) => {
        const board = operations.reduce(apply, createBoard([3, 1, 4, 0, 2]));
        expect([...shownCards(board)].sort()).toEqual([0, 1, 2, 3, 4]);
        for (const value of board.assigned) {
          if (value === null) continue;
          expect(Number.isInteger(value)).toBe(true);
          expect(value).toBeGreaterThanOrEqual(1);
          expect(value).toBeLessThanOrEqual(5);
        }
      }),
    );
  });
});
