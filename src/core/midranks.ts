/** Ranks with ties at the mean of the places that they share: [1, 1, 3] → [1.5, 1.5, 3]. */
export function midranks(ranks: readonly number[]): number[] {
  return ranks.map((rank) => {
    let below = 0;
    let equal = 0;
    for (const other of ranks) {
      if (other < rank) below++;
      else if (other === rank) equal++;
    }
    return below + (equal + 1) / 2;
  });
}
