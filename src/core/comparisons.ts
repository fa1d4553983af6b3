/** Rankings → comparisons: all C(K,2) pairs of a prompt, ties dropped (InstructGPT, section 3.5). */

export interface Comparison {
  /** Index of the preferred completion. */
  winner: number;
  /** Index of the other one. */
  loser: number;
}

/**
 * All pairs that a ranking decides. `ranks[i]` is the rank of completion i; 1 is best, equal ranks
 * are ties and give no pair.
 */
export function comparisonsOf(ranks: readonly number[]): Comparison[] {
  const pairs: Comparison[] = [];
  for (let i = 0; i < ranks.length; i++) {
    for (let j = i + 1; j < ranks.length; j++) {
      if (ranks[i]! < ranks[j]!) pairs.push({ winner: i, loser: j });
      else if (ranks[j]! < ranks[i]!) pairs.push({ winner: j, loser: i });
    }
  }
  return pairs;
}
