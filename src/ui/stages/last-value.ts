import type { MetricRow } from '../../core/domain';

/**
 * The newest value of a metric; null when no row has it. Held-out metrics are not in every row,
 * so the last row alone would not do.
 */
export function lastValue(rows: readonly MetricRow[], key: string): number | null {
  for (let i = rows.length - 1; i >= 0; i--) {
    const value = rows[i]?.[key];
    if (value !== undefined) return value;
  }
  return null;
}

/** The oldest value of a metric, where the run started from; null when no row has it. */
export function firstValue(rows: readonly MetricRow[], key: string): number | null {
  for (const row of rows) {
    const value = row[key];
    if (value !== undefined) return value;
  }
  return null;
}
