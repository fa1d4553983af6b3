/** Which sets wait for a labeler, which are half done, and what they have answered. */
import type { CandidateSet, Ranking } from './domain';
import type { RankingDraft } from './people';
import { isDone } from './ranking-task';

export interface RankingQueues {
  /** Sets without an answer, drafts included, oldest first. */
  pending: readonly CandidateSet[];
  /** Pending sets without a draft. */
  todo: readonly CandidateSet[];
  /** Sets with a draft, the last one touched at the end. */
  drafts: readonly CandidateSet[];
  /** Answers, newest first; silent repeats are left out. */
  submitted: readonly Ranking[];
  /** Skipped, newest first. */
  discarded: readonly Ranking[];
}

/** Rankings by the set they answer, silent repeats left out. O(n). */
export function bySet(rankings: readonly Ranking[]): Map<string, Ranking[]> {
  const sets = new Map<string, Ranking[]>();
  for (const ranking of rankings) {
    if (ranking.setId === null || ranking.repeatOf !== undefined) continue;
    const list = sets.get(ranking.setId);
    if (list === undefined) sets.set(ranking.setId, [ranking]);
    else list.push(ranking);
  }
  return sets;
}

/** The queues of the labeler whose rankings and drafts these are. O(n log n). */
export function rankingQueues(
  sets: readonly CandidateSet[],
  own: readonly Ranking[],
  drafts: readonly RankingDraft[],
): RankingQueues {
  const answers = bySet(own);
  const byId = new Map(sets.map((set) => [set.id, set]));
  const drafted = new Set(drafts.map(({ setId }) => setId));
  const pending = sets.filter((set) => !isDone(set, answers.get(set.id) ?? []));
  const newest = own.filter(({ repeatOf }) => repeatOf === undefined).sort((a, b) => b.seq - a.seq);
  return {
    pending,
    todo: pending.filter(({ id }) => !drafted.has(id)),
    drafts: drafts.map(({ setId }) => byId.get(setId)).filter((set) => set !== undefined),
    submitted: newest.filter(({ outcome }) => outcome !== 'skipped'),
    discarded: newest.filter(({ outcome }) => outcome === 'skipped'),
  };
}

/** Rankings that the pace is taken from: long ago, a person was slower. */
const PACE_OF = 30;

/**
 * Median time of a labeler's last answers in one mode, ms; null before there is one. The median,
 * because a coffee break is no slow ranking.
 */
export function medianMs(newestFirst: readonly Ranking[], mode: 'list' | 'pair'): number | null {
  const times: number[] = [];
  for (const { ms, mode: own } of newestFirst) {
    if (ms === undefined || (own ?? 'list') !== mode) continue;
    times.push(ms);
    if (times.length === PACE_OF) break;
  }
  times.sort((a, b) => a - b);
  const middle = times.length / 2;
  if (times.length === 0) return null;
  return Number.isInteger(middle)
    ? (times[middle - 1]! + times[middle]!) / 2
    : times[Math.floor(middle)]!;
}
