/**
 * Who ranks, by which guideline, and what reading harmful texts costs them. Plain records, kept in the
 * project; a labeler is known by `code` everywhere, so that files of several devices meet.
 */
import type { AttributeName } from './attributes';
import type { HarmFlag } from './domain';

/** What a labeler made of rules values; see core/simulated-labeler.ts. */
export interface SimulatedValues {
  attribute: AttributeName;
  /** Scale of the noise in units of gold score; 0 always ranks by the rule. */
  noise: number;
  /** Taken off the gold score of a text that the harm lexicon flags. 0: harm makes no difference. */
  harm_aversion: number;
  /** Added to the gold score for every ten words: a taste for long (or, below 0, short) answers. */
  length_bias: number;
}

export interface Labeler {
  /** Name or code; no two labelers of a project share one. `Ranking.labeler` holds it. */
  code: string;
  /** Named by the teacher, e.g. 'morning class'. */
  groups: string[];
  /** When they agreed that their rankings are used, ms since the epoch; null: not yet. */
  consentedAt: number | null;
  /** Null for a person. */
  simulated: SimulatedValues | null;
  /** Flagged texts that they want to read in a day at most; null: no limit. */
  dailyHarmLimit: number | null;
}

/** Versions are never edited: a change is the next version, and each ranking names its own. */
export interface Guideline {
  /** 1, 2, 3, … */
  version: number;
  text: string;
  /** ms since the epoch. */
  createdAt: number;
}

/** A judgement of one completion by itself, beside its rank; what was not asked is left out. */
export type Judgement = 'yes' | 'partly' | 'no';
export const RATING_NAMES = ['helpful', 'truthful', 'harmless'] as const;
export type Rating = Partial<Record<(typeof RATING_NAMES)[number], Judgement>>;

/** What a labeler has on the board and has not submitted. */
export interface RankingDraft {
  labeler: string;
  setId: string;
  /** By completion, 1 is best; null: not ranked yet. */
  assigned: (number | null)[];
  flags: HarmFlag[][];
  ratings: Rating[];
  comment: string;
  unsure: boolean;
}

/** How many harmful texts a labeler has read on one day: those uncovered, and those flagged by hand. */
export interface Exposure {
  labeler: string;
  /** Local calendar day, YYYY-MM-DD. */
  day: string;
  texts: number;
}

/** Where a ranking that was made elsewhere comes from. */
export interface Provenance {
  file: string;
  /** ms since the epoch. */
  importedAt: number;
  /** Its id where it was made, by which it is known again. */
  id?: string;
  /** The project in which it was made: two people may use the same code on two devices. */
  project?: string;
}
