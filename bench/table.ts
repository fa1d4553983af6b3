/** Rows as Markdown tables, one for each part of the benchmark. */
import type { Row } from './work';

interface Column {
  head: string;
  cell: (row: Row) => string;
}

const number = (x: number | null | undefined, digits: number): string =>
  x === undefined || x === null ? '' : x.toFixed(digits);
const ms = (x: number | undefined): string => number(x, x !== undefined && x >= 100 ? 0 : 2);
const percent = (x: number | undefined): string =>
  x === undefined ? '' : `${(100 * x).toFixed(1)} %`;

const what: Column = { head: 'what', cell: ({ name }) => name };
const impl: Column = {
  head: 'implementation',
  cell: (row) => (row.note === undefined ? row.impl : `${row.impl} (${row.note})`),
};
const time: Column = { head: 'ms', cell: (row) => ms(row.ms) };
const tokens: Column = { head: 'tokens/s', cell: (row) => number(row.tokens_per_s, 0) };
const rate: Column = { head: 'GFLOP/s', cell: (row) => number(row.gflops_per_s, 2) };
const ratio: Column = { head: 'time by ours', cell: (row) => number(row.ratio, 2) };
const spread: Column = {
  head: 'fastest … slowest, rounds',
  cell: ({ fastest, slowest, rounds }) =>
    fastest === undefined ? '' : `${ms(fastest)} … ${ms(slowest)}, ${rounds}`,
};
const size: Column = {
  head: 'size',
  cell: ({ config: { size: name, params, B, T, N, K, M } }) => {
    if (N !== undefined) return `${N} × ${K} × ${M}`;
    return `${name} (${(Number(params) / 1e6).toFixed(2)} M), ${B} × ${T}`;
  },
};

/** Columns by the first word of a part's rows; the others have those of `step`. */
const COLUMNS: Record<string, Column[]> = {
  step: [what, size, impl, time, tokens, rate, ratio, spread],
  bare: [what, size, impl, time, rate, ratio],
  roofline: [
    what,
    size,
    impl,
    time,
    rate,
    { head: 'the step reaches', cell: (row) => percent(row.share) },
  ],
  ppo: [
    what,
    size,
    { head: 'phase', cell: (row) => impl.cell(row) },
    time,
    { head: 'share', cell: (row) => percent(row.share) },
    { head: 'in compute passes, ms', cell: (row) => ms(row.kernel_ms) },
    { head: 'passes', cell: (row) => number(row.passes, 0) },
    { head: 'readbacks', cell: (row) => number(row.readbacks, 0) },
  ],
};

const kind = ({ name }: Row): string => {
  const [word] = name.split(/[ ,]/);
  return word! in COLUMNS ? word! : 'step';
};

/** Rows in their order; a new table begins where the columns change. */
export function markdown(rows: readonly Row[]): string {
  const tables: Row[][] = [];
  for (const row of rows) {
    const last = tables.at(-1);
    if (last !== undefined && kind(last[0]!) === kind(row)) last.push(row);
    else tables.push([row]);
  }
  return tables
    .map((group) => {
      const columns = COLUMNS[kind(group[0]!)]!;
      const line = (cells: string[]) => `| ${cells.join(' | ')} |`;
      return [
        line(columns.map(({ head }) => head)),
        line(columns.map(({ cell }) => (/^[\d.]/.test(cell(group[0]!)) ? '---:' : '---'))),
        ...group.map((row) => line(columns.map(({ cell }) => cell(row)))),
      ].join('\n');
    })
    .join('\n\n');
}
