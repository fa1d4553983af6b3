import Papa from 'papaparse';
import type { MetricRow } from '../core/domain';

/**
 * Text that a spreadsheet would run as a formula: it starts with = + - @, as wide as East Asian
 * keyboards write them too, or with a tab or line end before one, and is not a plain number. Papa Parse
 * puts an apostrophe before it. Lines after the first are inside the cell and run nothing.
 */
const FORMULA = /^(?![+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$)[=+\-@＝＋－＠\t\r\n]/i;

/** A table as CSV (RFC 4180, CRLF). Missing cells are empty; numbers keep full precision. */
export function toCsv(
  columns: readonly string[],
  rows: readonly (readonly (string | number | null)[])[],
): string {
  return Papa.unparse(
    { fields: [...columns], data: rows.map((row) => [...row]) },
    { escapeFormulae: FORMULA },
  );
}

/**
 * Metric rows as CSV: one column for each metric in any of the rows, `step` first, then in order of
 * appearance. A metric that a row does not have is an empty cell.
 */
export function metricsToCsv(rows: readonly MetricRow[]): string {
  const columns = new Set<string>(['step']);
  for (const row of rows) for (const name of Object.keys(row)) columns.add(name);
  const names = [...columns];
  return toCsv(
    names,
    rows.map((row) => names.map((name) => row[name] ?? null)),
  );
}
