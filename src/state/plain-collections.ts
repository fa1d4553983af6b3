/**
 * Maps and sets that no component reads: bookkeeping inside rune classes, which stays plain on
 * purpose (a SvelteMap would make every look-up a dependency).
 */
export const plainSet = <T>(values: Iterable<T> = []): Set<T> => new Set(values);

export const plainMap = <K, V>(entries: Iterable<readonly [K, V]> = []): Map<K, V> =>
  new Map(entries);
