/** Rankings as files that preference trainers read. */
import type { Ranking } from '../core/domain';
import { trainingRankings } from '../core/training-rankings';

function toJsonLines(records: readonly unknown[]): string {
  return records.map((record) => `${JSON.stringify(record)}\n`).join('');
}

/**
 * TRL preference pairs, `{prompt, chosen, rejected}` per line: all pairs of each ranking whose ranks
 * differ. Ties, skipped and all-bad rankings say nothing about an order and give no pair, and silent
 * repeats are left out.
 */
export function rankingsToPairs(rankings: readonly Ranking[]): string {
  const pairs: { prompt: string; chosen: string; rejected: string }[] = [];
  for (const { prompt, completions, ranks, outcome } of trainingRankings(rankings)) {
    if (outcome !== 'ranked') continue;
    for (const [i, chosen] of completions.entries()) {
      for (const [j, rejected] of completions.entries()) {
        // 1 is best. Each unordered pair comes up twice; one of the two is this way round.
        if (ranks[i]! < ranks[j]!) pairs.push({ prompt, chosen, rejected });
      }
    }
  }
  return toJsonLines(pairs);
}

/**
 * Every ranking in full, one per line: no common format holds K-wise rankings with ties, flags and
 * the order shown. `group_id` is the candidate set; rankings of one set by several labelers share it.
 */
export function rankingsToKwise(rankings: readonly Ranking[]): string {
  return toJsonLines(
    rankings.map((ranking) => ({
      prompt: ranking.prompt,
      completions: ranking.completions,
      ranks: ranking.ranks,
      outcome: ranking.outcome,
      labeler: ranking.labeler,
      simulated: ranking.simulated,
      flags: ranking.flags,
      order: ranking.order,
      group_id: ranking.setId,
      id: ranking.id,
      seq: ranking.seq,
    })),
  );
}
