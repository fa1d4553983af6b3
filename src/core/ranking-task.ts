/**
 * What is put before a labeler, and what they have on the board: a whole set of K completions to
 * order, or two of them side by side. Cards are indices into the completions of the set. All pure.
 */
import type { CandidateSet, HarmFlag, Ranking } from './domain';
import type { Rating, RankingDraft } from './people';

/** Whether all completions of a set are shown, or two of them at a time. */
export const RANKING_MODES = ['list', 'pairs'] as const;
export type RankingMode = (typeof RANKING_MODES)[number];

export interface RankingTask {
  set: CandidateSet;
  mode: 'list' | 'pair';
  /** Cards in the order shown: all K, or two. */
  cards: readonly number[];
  /** The earlier ranking that this one silently repeats; null: none. */
  repeatOf: string | null;
}

/** What a labeler has made of a task; see `RankingDraft`, which adds whose it is. */
export type BoardContent = Omit<RankingDraft, 'labeler' | 'setId'>;

export type Pair = readonly [number, number];

/** floor(K/2) pairs of the display order; no completion is in two, an odd one is left out. */
export function pairsOf(set: Pick<CandidateSet, 'order'>): Pair[] {
  const pairs: Pair[] = [];
  for (let i = 0; i + 1 < set.order.length; i += 2) pairs.push([set.order[i]!, set.order[i + 1]!]);
  return pairs;
}

const textsOf = (set: CandidateSet, cards: readonly number[]): string[] =>
  cards.map((card) => set.completions[card]?.text ?? '');

const sameTexts = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((text, i) => text === b[i]);

/** Pairs of a set with the ranking that answers each; pairs of equal texts take theirs in turn. */
function answeredPairs(
  set: CandidateSet,
  answers: readonly Ranking[],
): { pair: Pair; answer: Ranking | null }[] {
  const left = answers.filter(({ mode }) => mode === 'pair');
  return pairsOf(set).map((pair) => {
    const texts = textsOf(set, pair);
    const at = left.findIndex(({ completions }) => sameTexts(completions, texts));
    return { pair, answer: at < 0 ? null : left.splice(at, 1)[0]! };
  });
}

/** The first pair that none of these rankings of the set answers; null when there is none. */
export const openPair = (set: CandidateSet, answers: readonly Ranking[]): Pair | null =>
  answeredPairs(set, answers).find(({ answer }) => answer === null)?.pair ?? null;

/** A set is done once it has been ranked or skipped as a whole, or pair by pair. */
export const isDone = (set: CandidateSet, answers: readonly Ranking[]): boolean =>
  answers.some(({ mode }) => mode !== 'pair') ||
  (answers.length > 0 && openPair(set, answers) === null);

/** The whole set as a task. */
export const listTask = (set: CandidateSet): RankingTask => ({
  set,
  mode: 'list',
  cards: set.order,
  repeatOf: null,
});

/** The task of a set in a mode, given what its labeler has answered: the first open pair, or all. */
export function taskFor(
  set: CandidateSet,
  mode: RankingMode,
  answers: readonly Ranking[],
): RankingTask {
  if (mode === 'list') return listTask(set);
  const pair = openPair(set, answers) ?? pairsOf(set)[0];
  return pair === undefined ? listTask(set) : { set, mode: 'pair', cards: pair, repeatOf: null };
}

/** The task that a ranking answered; null when its pair is none of the set's. */
export function taskOf(ranking: Ranking, set: CandidateSet): RankingTask | null {
  const repeatOf = ranking.repeatOf ?? null;
  if (ranking.mode !== 'pair') return { set, mode: 'list', cards: ranking.order, repeatOf };
  const cards = pairsOf(set).find((pair) => sameTexts(textsOf(set, pair), ranking.completions));
  return cards === undefined ? null : { set, mode: 'pair', cards, repeatOf };
}

/** The ranking, among one labeler's of this set, that a task would change; null: a new one. */
export function answerOf(task: RankingTask, answers: readonly Ranking[]): Ranking | null {
  if (task.mode === 'pair') {
    const found = answeredPairs(task.set, answers).find(({ pair }) => sameCards(pair, task.cards));
    return found?.answer ?? null;
  }
  return (
    answers.find(({ mode, repeatOf }) => mode !== 'pair' && (repeatOf ?? null) === task.repeatOf) ??
    null
  );
}

const sameCards = (a: readonly number[], b: readonly number[]): boolean =>
  a.every((card, i) => card === b[i]);

/** An empty board for K completions. */
export const blankContent = (k: number): BoardContent => ({
  assigned: Array.from({ length: k }, () => null),
  flags: Array.from({ length: k }, () => []),
  ratings: Array.from({ length: k }, () => ({})),
  comment: '',
  unsure: false,
});

/** Whether nothing has been put on the board. */
export const isBlank = ({ assigned, flags, ratings, comment, unsure }: BoardContent): boolean =>
  assigned.every((rank) => rank === null) &&
  flags.every((list) => list.length === 0) &&
  ratings.every((rating) => Object.keys(rating).length === 0) &&
  comment.trim() === '' &&
  !unsure;

/** The board as it was when `ranking` was submitted; an answer without ranks leaves none. */
export function contentOf(ranking: Ranking, task: RankingTask): BoardContent {
  const blank = blankContent(task.set.completions.length);
  // a pair's lists go by place, those of a whole set by completion
  const at = (card: number): number => (task.mode === 'pair' ? task.cards.indexOf(card) : card);
  const pick = <T>(list: readonly T[] | undefined, card: number, none: T): T =>
    list?.[at(card)] ?? none;
  return {
    assigned: blank.assigned.map((none, card) =>
      task.mode === 'pair' ? none : pick<number | null>(ranking.ranks, card, none),
    ),
    flags: blank.flags.map((none, card) => pick<HarmFlag[]>(ranking.flags, card, none)),
    ratings: blank.ratings.map((none, card) => pick<Rating>(ranking.ratings, card, none)),
    comment: ranking.comment ?? '',
    unsure: ranking.unsure ?? false,
  };
}

/** The part of a ranking that a labeler answers; `ranks` by card of the task. */
export interface TaskAnswer {
  outcome: Ranking['outcome'];
  /** For a whole set by completion, for a pair by place; empty when nothing is ranked. */
  ranks: readonly number[];
  content: Pick<BoardContent, 'flags' | 'ratings' | 'comment' | 'unsure'>;
  /** Since the task appeared. */
  ms: number;
}

/** The fields of a ranking that say what was shown and what was made of it. */
export function answeredFields(
  task: RankingTask,
  { outcome, ranks, content, ms }: TaskAnswer,
): Pick<Ranking, 'prompt' | 'completions' | 'order' | 'ranks' | 'outcome' | 'flags'> &
  Partial<Pick<Ranking, 'ratings' | 'comment' | 'unsure' | 'ms' | 'mode' | 'repeatOf'>> {
  const { set, mode, cards, repeatOf } = task;
  const shown = mode === 'pair' ? cards : set.completions.map((_, card) => card);
  const ratings = shown.map((card) => ({ ...content.ratings[card] }));
  const comment = content.comment.trim();
  return {
    prompt: set.prompt,
    completions: textsOf(set, shown),
    order: mode === 'pair' ? [0, 1] : [...cards],
    ranks: [...ranks],
    outcome,
    flags: shown.map((card) => [...(content.flags[card] ?? [])]),
    mode,
    ms: Math.round(ms),
    ...(ratings.some((rating) => Object.keys(rating).length > 0) && { ratings }),
    ...(comment !== '' && { comment }),
    ...(content.unsure && { unsure: true }),
    ...(repeatOf !== null && { repeatOf }),
  };
}
