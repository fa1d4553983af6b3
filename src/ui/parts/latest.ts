import type { MetricRow } from '../../core/domain';

/** The newest known value of a metric: not every row has every key. */
export function latest(rows: readonly MetricRow[], key: string): number | null {
  for (let i = rows.length - 1; i >= 0; i--) {
    const value = rows[i]?.[key];
    if (value !== undefined) return value;
  }
  return null;
}
