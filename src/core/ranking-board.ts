/**
 * The ranking board without a screen: which completion has which rank while a person is still
 * sorting. Cards are indices into the completions of a set. A card has a number or none yet; equal
 * numbers are ties and gaps are allowed until the end (a person may call the worst one first), so
 * `finalRanks` turns the numbers into competition ranks (1, 2, 2, 4). Every function is pure.
 */
import { PlaygroundError } from './errors';

export interface RankingBoard {
  /** `order[i]` is the card shown in place i when nothing is ranked. */
  readonly order: readonly number[];
  /** `assigned[card]` is its number, 1 is best; null: not ranked yet. */
  readonly assigned: readonly (number | null)[];
}

/** A board with no card ranked. `order` is a permutation of 0 … K − 1. */
export function createBoard(order: readonly number[]): RankingBoard {
  return { order: [...order], assigned: order.map(() => null) };
}

/**
 * Competition ranks of a list of numbers: one more than how many are smaller, so that ties share
 * the better rank and the next one skips ([5, 7, 7, 9] → [1, 2, 2, 4]). Nulls stay null.
 */
export function competitionRanks(values: readonly (number | null)[]): (number | null)[] {
  return values.map((value) =>
    value === null ? null : 1 + values.filter((other) => other !== null && other < value).length,
  );
}

/** Ranked cards best first, then the cards without a rank, both in shown order among equals. */
export function shownCards(board: RankingBoard): number[] {
  const key = (card: number): number => board.assigned[card] ?? Number.POSITIVE_INFINITY;
  // Array.sort is stable, so equal keys keep the shown order. ∞ − ∞ is NaN, hence no subtraction.
  return [...board.order].sort((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0));
}

/** Whether every card has a rank. */
export const isComplete = (board: RankingBoard): boolean =>
  board.assigned.every((value) => value !== null);

/** How many cards have a rank. */
export const placedCount = (board: RankingBoard): number =>
  board.assigned.filter((value) => value !== null).length;

function withAssigned(board: RankingBoard, card: number, value: number | null): RankingBoard {
  if (!board.order.includes(card)) {
    throw new PlaygroundError({
      code: 'argument',
      field: 'card',
      message: `There is no card ${card} on this board of ${board.order.length}.`,
    });
  }
  return { ...board, assigned: board.assigned.map((old, i) => (i === card ? value : old)) };
}

/**
 * Gives a card a number; a number that another card has is a tie.
 * @throws PlaygroundError `argument` for a rank outside 1 … K or an unknown card
 */
export function place(board: RankingBoard, card: number, rank: number): RankingBoard {
  const last = board.order.length;
  if (!Number.isInteger(rank) || rank < 1 || rank > last) {
    throw new PlaygroundError({
      code: 'argument',
      field: 'rank',
      message: `The rank must be a whole number from 1 to ${last}, not ${rank}.`,
    });
  }
  return withAssigned(board, card, rank);
}

/** Takes the rank of a card away. */
export const unplace = (board: RankingBoard, card: number): RankingBoard =>
  withAssigned(board, card, null);

/** Best rank that is still free when each ranked card takes one place (1, 2, 2 leaves 4). */
export function nextFreeRank(board: RankingBoard): number {
  const taken = board.assigned.filter((value) => value !== null).sort((a, b) => a - b);
  const places = new Set<number>();
  let previous = 0;
  for (const value of taken) {
    previous = Math.max(value, previous + 1);
    places.add(previous);
  }
  let free = 1;
  while (places.has(free)) free++;
  return free;
}

/** Gives a card the best free rank: what a tap does. A full board gives it the last rank. */
export function placeNext(board: RankingBoard, card: number): RankingBoard {
  const without = unplace(board, card);
  return place(without, card, Math.min(nextFreeRank(without), board.order.length));
}

/** Groups of tied cards, best first, unranked cards left out. */
function tiersOf(board: RankingBoard): number[][] {
  const tiers: number[][] = [];
  let last: number | null = null;
  for (const card of shownCards(board)) {
    const value = board.assigned[card] ?? null;
    if (value === null) break;
    if (value === last) tiers.at(-1)?.push(card);
    else tiers.push([card]);
    last = value;
  }
  return tiers;
}

/** The board with these tiers as competition ranks and every other card unranked. */
function fromTiers(board: RankingBoard, tiers: readonly (readonly number[])[]): RankingBoard {
  const assigned: (number | null)[] = board.order.map(() => null);
  let rank = 1;
  for (const tier of tiers) {
    for (const card of tier) assigned[card] = rank;
    rank += tier.length;
  }
  return { ...board, assigned };
}

/** Ties `card` with `other`. When `other` has no rank yet, both take the best free one. */
export function tieWith(board: RankingBoard, card: number, other: number): RankingBoard {
  if (card === other) return board;
  const target = board.assigned[other] ?? null;
  if (target !== null) return withAssigned(board, card, target);
  const both = placeNext(unplace(board, card), other);
  return withAssigned(both, card, both.assigned[other] ?? null);
}

/** Ties a card with the one shown above it; the top card stays as it is. */
export function tieWithAbove(board: RankingBoard, card: number): RankingBoard {
  const shown = shownCards(board);
  const above = shown[shown.indexOf(card) - 1];
  return above === undefined ? board : tieWith(board, card, above);
}

/**
 * Moves a card to a rank of its own just before or after the cards tied with `other`; everything
 * behind moves down. Next to a card without a rank it comes last of the ranked ones.
 */
export function insertBeside(
  board: RankingBoard,
  card: number,
  side: 'before' | 'after',
  other: number,
): RankingBoard {
  if (card === other) return board;
  const tiers = tiersOf(unplace(board, card));
  const at = tiers.findIndex((tier) => tier.includes(other));
  const index = at < 0 ? tiers.length : side === 'before' ? at : at + 1;
  return fromTiers(board, [...tiers.slice(0, index), [card], ...tiers.slice(index)]);
}

/** Ranks a card behind every ranked one. */
export function placeLast(board: RankingBoard, card: number): RankingBoard {
  return fromTiers(board, [...tiersOf(unplace(board, card)), [card]]);
}

/**
 * Moves a card one step. A tied card first leaves its tie; a card of its own rank passes the next
 * group; a card without a rank going up becomes the last ranked one. At the end it stays.
 */
export function move(board: RankingBoard, card: number, direction: 'up' | 'down'): RankingBoard {
  const tiers = tiersOf(board);
  const at = tiers.findIndex((tier) => tier.includes(card));
  if (at < 0) return direction === 'up' ? placeLast(board, card) : board;
  const tier = tiers[at] ?? [];
  const rest = tier.filter((other) => other !== card);
  const group = direction === 'up' ? [[card], rest] : [rest, [card]];
  if (rest.length > 0) {
    return fromTiers(board, [...tiers.slice(0, at), ...group, ...tiers.slice(at + 1)]);
  }
  const to = direction === 'up' ? at - 1 : at + 1;
  const passed = tiers[to];
  if (passed === undefined) return board;
  const swapped = [...tiers];
  swapped[at] = passed;
  swapped[to] = tier;
  return fromTiers(board, swapped);
}

/** The next card without a rank, looking from `after` to the end and then from the start. */
export function nextUnplaced(board: RankingBoard, after: number): number | null {
  const start = board.order.indexOf(after) + 1;
  const circle = [...board.order.slice(start), ...board.order.slice(0, start)];
  return circle.find((card) => board.assigned[card] === null) ?? null;
}

/**
 * Competition ranks of a finished board, by card: what `Ranking.ranks` stores.
 * @throws PlaygroundError `argument` while a card has no rank
 */
export function finalRanks(board: RankingBoard): number[] {
  return competitionRanks(board.assigned).map((rank) => {
    if (rank !== null) return rank;
    const left = board.order.length - placedCount(board);
    throw new PlaygroundError({
      code: 'argument',
      field: 'ranks',
      message: `${left} of ${board.order.length} completions ${left === 1 ? 'has' : 'have'} no rank yet.`,
      remedy: 'Give each one a rank, or choose "all bad" or "skip".',
    });
  });
}
