/**
 * Silent repeats: now and then a set that a labeler ranked a while ago comes again in another order,
 * without a word, to see how far they agree with themselves. When and which is drawn from the
 * project's seed and the labeler's name, so that a copy of the project draws the same.
 */
import type { CandidateSet, Ranking } from './domain';
import { isFlagged } from './harm-lexicon';
import type { RankingTask } from './ranking-task';
import { hashText, permutation, randomInt, STREAM, uniform } from './rng';

/** About one set in so many. */
const REPEAT_SHARE = 0.1;
/** Sets ranked since then, at least: what was seen a minute ago is remembered, not judged. */
export const REPEAT_DISTANCE = 5;

export interface RepeatInput {
  /** The rankings of one labeler. */
  own: readonly Ranking[];
  sets: readonly CandidateSet[];
  labeler: string;
  seed: number;
}

/** The repeat that is due now; null most of the time. Nobody reads a harmful text twice for it. */
export function repeatDue({ own, sets, labeler, seed }: RepeatInput): RankingTask | null {
  const whole = own
    .filter(({ mode, setId, source }) => mode !== 'pair' && setId !== null && source === undefined)
    .sort((a, b) => a.seq - b.seq);
  const repeats = whole.filter(({ repeatOf }) => repeatOf !== undefined);
  const first = whole.filter(
    ({ outcome, repeatOf }) => outcome === 'ranked' && repeatOf === undefined,
  );
  const n = first.length;
  const last = first.at(-1);
  const who = hashText(labeler);
  // one draw for each ranking: the repeat that follows it has been given, or there is none
  if (last === undefined || repeats.some(({ seq }) => seq > last.seq)) return null;
  if (uniform(seed, STREAM.repeats, n, who) >= REPEAT_SHARE) return null;

  const done = new Set(repeats.map(({ repeatOf }) => repeatOf));
  const byId = new Map(sets.map((set) => [set.id, set]));
  const eligible = first
    .slice(0, Math.max(0, n - REPEAT_DISTANCE))
    .filter(({ id, setId }) => !done.has(id) && setId !== null && byId.has(setId));
  if (eligible.length === 0) return null;
  // From the one drawn onwards, the first that is harmless: few texts are read for it.
  const drawn = randomInt(eligible.length, seed, STREAM.repeats, n, who ^ 1);
  const chosen = [...eligible.slice(drawn), ...eligible.slice(0, drawn)].find(
    ({ completions, flags }) => !completions.some((text, i) => isFlagged(text, flags[i])),
  );
  if (chosen === undefined) return null;
  const set = byId.get(chosen.setId!)!;
  return {
    set,
    mode: 'list',
    cards: otherOrder(chosen.order, seed, hashText(`${labeler}\n${set.seq}`)),
    repeatOf: chosen.id,
  };
}

/** The same cards in an order that is not the one they had. */
function otherOrder(order: readonly number[], seed: number, round: number): number[] {
  const drawn = permutation(order.length, seed, STREAM.repeats, round).map((i) => order[i]!);
  const same = drawn.every((card, i) => card === order[i]);
  return same ? [...drawn.slice(1), drawn[0]!] : drawn;
}
