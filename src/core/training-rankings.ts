/** What of the rankings a model learns from. */
import type { Ranking } from './domain';

/**
 * Rankings without silent repeats: those measure how steady a labeler is, and the set counts once.
 * Every place that trains, or counts what is trained on, calls this.
 */
export const trainingRankings = (rankings: readonly Ranking[]): Ranking[] =>
  rankings.filter(({ repeatOf }) => repeatOf === undefined);
