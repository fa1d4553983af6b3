/** What one part of a soak has counted. */
export interface CountsRecord {
  name: string;
  part: number;
  parts: number;
  date: string;
  counts: Record<string, number>;
}

export interface SuiteCounts {
  /** Date of the last part. */
  date: string;
  /** `2 of 5`: how much of the full numbers has been run. */
  parts: string;
  counts: Record<string, number>;
}

/** Counts of all parts by suite: added up, the largest of what is a time (`…Ms`). */
export function collected(records: readonly CountsRecord[]): Record<string, SuiteCounts> {
  const suites: Record<string, SuiteCounts> = {};
  for (const name of [...new Set(records.map((record) => record.name))].sort()) {
    const all = records.filter((record) => record.name === name);
    // Parts of another division would be counted twice.
    const newest = all.reduce((a, b) => (a.date > b.date ? a : b));
    const own = all.filter(({ parts }) => parts === newest.parts);
    const counts: Record<string, number> = {};
    for (const [key, count] of own.flatMap((record) => Object.entries(record.counts))) {
      const before = counts[key] ?? 0;
      counts[key] = key.endsWith('Ms') ? Math.max(before, count) : before + count;
    }
    suites[name] = { date: newest.date, parts: `${own.length} of ${newest.parts}`, counts };
  }
  return suites;
}
