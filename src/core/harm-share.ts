/** How much harm the reward model has seen: flagged outputs among those that it learns from. */
import { comparisonsOf } from './comparisons';
import type { HarmFlag, Ranking } from './domain';
import { weightOf, type Electorate } from './electorate';
import { isFlagged, suggestedFlags } from './harm-lexicon';

const HARM_FLAGS: readonly HarmFlag[] = [
  'insult',
  'threat',
  'sexual',
  'self-harm',
  'privacy',
  'other',
];

export interface HarmShare {
  /** Outputs in rankings that teach something: a completion ranked by two labelers counts twice. */
  outputs: number;
  /** Flagged by the person who ranked. */
  byPerson: number;
  /** Flagged by nobody; words of the lexicon stand in it. */
  suggested: number;
  /** Outputs with each kind of flag; one output may have several. */
  kinds: { flag: HarmFlag; byPerson: number; suggested: number }[];
  /** Decided pairs, and those of a harmful and a harmless output. */
  pairs: number;
  harmfulPairs: number;
}

/** Flags that the lexicon suggests, by text: the same texts come up again with every count. */
const suggested = new Map<string, readonly HarmFlag[]>();
/** Texts of ten thousand rankings of 9; beyond that, old ones are not worth their memory. */
const MOST_TEXTS = 100_000;

function suggest(text: string): readonly HarmFlag[] {
  const before = suggested.get(text);
  if (before !== undefined) return before;
  if (suggested.size >= MOST_TEXTS) suggested.clear();
  const flags = suggestedFlags(text);
  suggested.set(text, flags);
  return flags;
}

/** Counts rankings one by one, so that a page can count ten thousand of them without standing still. */
export class HarmCount {
  readonly share: HarmShare = {
    outputs: 0,
    byPerson: 0,
    suggested: 0,
    kinds: HARM_FLAGS.map((flag) => ({ flag, byPerson: 0, suggested: 0 })),
    pairs: 0,
    harmfulPairs: 0,
  };
  private readonly electorate: Electorate | undefined;

  constructor(electorate?: Electorate) {
    this.electorate = electorate;
  }

  /** Counts a ranking if the electorate lets it in and it decides a pair. */
  add({ outcome, labeler, ranks, completions, flags }: Ranking): void {
    if (outcome !== 'ranked' || weightOf(this.electorate, labeler) === 0) return;
    const decided = comparisonsOf(ranks);
    if (decided.length === 0) return;
    const { share } = this;
    const harmful = completions.map((text, i) => {
      const own = flags[i] ?? [];
      const words = suggest(text);
      share.outputs++;
      if (own.length > 0) share.byPerson++;
      else if (words.length > 0) share.suggested++;
      for (const kind of share.kinds) {
        if (own.includes(kind.flag)) kind.byPerson++;
        else if (own.length === 0 && words.includes(kind.flag)) kind.suggested++;
      }
      return own.length > 0 || words.length > 0;
    });
    share.pairs += decided.length;
    share.harmfulPairs += decided.filter((p) => harmful[p.winner] !== harmful[p.loser]).length;
  }
}

/** Counts over the rankings that the electorate lets in. */
export function harmShare(rankings: readonly Ranking[], electorate?: Electorate): HarmShare {
  const count = new HarmCount(electorate);
  for (const ranking of rankings) count.add(ranking);
  return count.share;
}

/** Which outputs of a ranking are harmful: flagged by its labeler, or by the lexicon. */
export const harmfulOutputs = (
  texts: readonly string[],
  flags: readonly (readonly HarmFlag[])[],
): boolean[] => texts.map((text, i) => isFlagged(text, flags[i]));

/** Held-out pairs of a harmful and a harmless output that an accuracy should rest on. */
export const ENOUGH_HARM_PAIRS = 20;
/** InstructGPT does not say its share; below this a batch of 4 rankings of 4 holds less than one. */
const LITTLE_HARM = 0.05;

/** What the numbers are too small to say, one sentence each. */
export function harmWarnings(share: HarmShare, heldOutPairs: number | null): string[] {
  const warnings: string[] = [];
  if (share.outputs === 0) return warnings;
  const flagged = (share.byPerson + share.suggested) / share.outputs;
  if (flagged < LITTLE_HARM) {
    warnings.push(
      `${percent(flagged)} of the outputs are flagged: the reward model has hardly seen any harm, so what it says of harmful outputs is a guess.`,
    );
  }
  if (share.byPerson === 0 && share.suggested > 0) {
    warnings.push(
      'Nobody has flagged an output: all of this share is suggested by a list of words, which misses much and is sometimes wrong.',
    );
  }
  if (heldOutPairs !== null && heldOutPairs < ENOUGH_HARM_PAIRS) {
    warnings.push(
      `${heldOutPairs} held-out ${heldOutPairs === 1 ? 'pair has' : 'pairs have'} a harmful and a harmless output: fewer than ${ENOUGH_HARM_PAIRS} are too few to say how reliable the reward model is there.`,
    );
  }
  return warnings;
}

const percent = (share: number): string =>
  share > 0 && share < 0.01 ? 'Less than 1 %' : `${Math.round(100 * share)} %`;
