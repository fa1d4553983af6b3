/** Ranks with ties at the mean of the places that they share: [1, 1, 3] → [1.5, 1.5, 3]. */
export function midranks(ranks: readonly number[]): number[] {
  return ranks.map((rank) => {
    const below = ranks.filter((other) => other < rank).length;
    const equal = ranks.filter((other) => other === rank).length;
    return below + (equal + 1) / 2;
  });
}
