/** CSV and TSV with a header line, as spreadsheets and data sets write them. */
import Papa from 'papaparse';
import { namesExchange, readRecord } from './demonstration-record';
import type { RowCollector } from './demonstration-rows';

const DELIMITERS = ['\t', ',', ';'] as const;
type Delimiter = (typeof DELIMITERS)[number];

/** Re-reading after unclosed quotes may cost this much in all; then every line stands alone. */
const MAX_REREAD_CHARS = 20_000_000;

/** The delimiter when the first line with text names the columns of demonstrations, else null. */
export function detectDelimiter(text: string): Delimiter | null {
  const header = text.trimStart().slice(0, 2000).split('\n', 1)[0] ?? '';
  return DELIMITERS.find((delimiter) => namesExchange(splitLine(header, delimiter))) ?? null;
}

function splitLine(line: string, delimiter: string): string[] {
  return Papa.parse<string[]>(line, { delimiter, newline: '\n' }).data[0] ?? [];
}

/** @param text with `\n` line ends; the header is the first line with text */
export function readCsv(text: string, delimiter: Delimiter, into: RowCollector): void {
  const headerStart = text.length - text.trimStart().length;
  const headerEnd = lineEnd(text, headerStart);
  const columns = splitLine(text.slice(headerStart, headerEnd).trimEnd(), delimiter);
  const addRow = (cells: string[], line: number): void => addCells(columns, cells, line, into);

  let offset = headerEnd;
  let line = 1 + countLines(text, 0, headerEnd);
  let budget = MAX_REREAD_CHARS;
  while (offset < text.length) {
    const body = text.slice(offset);
    const stop = body.length <= budget ? readUntilBroken(body, delimiter, line, addRow) : null;
    if (stop === 'done') return;
    if (stop === null) {
      readLineByLine(body, delimiter, line, addRow, into);
      return;
    }
    // A quote that never closes would swallow all rows after it: give up that one line only.
    budget -= body.length;
    into.reject(stop.line, 'a quote is not closed, or text follows a closing quote');
    offset += lineEnd(body, stop.offset);
    line = stop.line + 1;
  }
}

/** Reads records until the quotes of one are broken; returns where that record starts. */
function readUntilBroken(
  body: string,
  delimiter: Delimiter,
  firstLine: number,
  addRow: (cells: string[], line: number) => void,
): 'done' | { offset: number; line: number } {
  let offset = 0;
  let line = firstLine;
  const broken: { offset: number; line: number }[] = [];
  Papa.parse<string[]>(body, {
    delimiter,
    newline: '\n',
    step: ({ data, errors, meta }, parser) => {
      const end = meta.cursor;
      const lines = countLines(body, offset, end);
      // Stray quotes within one line do no harm; over several lines they have eaten other rows.
      const unclosed = errors.some(({ code }) => code === 'MissingQuotes');
      const stray = errors.some(({ code }) => code === 'InvalidQuotes');
      if (unclosed || (stray && lines > 1)) {
        broken.push({ offset, line });
        parser.abort();
        return;
      }
      addRow(data, line);
      offset = end;
      line += lines;
    },
  });
  return broken[0] ?? 'done';
}

function countLines(text: string, from: number, to: number): number {
  let count = 0;
  for (let at = text.indexOf('\n', from); at >= 0 && at < to; at = text.indexOf('\n', at + 1)) {
    count++;
  }
  return count;
}

function readLineByLine(
  body: string,
  delimiter: Delimiter,
  firstLine: number,
  addRow: (cells: string[], line: number) => void,
  into: RowCollector,
): void {
  for (const [index, text] of body.split('\n').entries()) {
    const line = firstLine + index;
    // Papa Parse costs microseconds a call: it is asked only where quotes need it.
    const quotes = text.split('"').length - 1;
    if (quotes % 2 === 1) into.reject(line, 'a quote is not closed');
    else addRow(quotes === 0 ? text.split(delimiter) : splitLine(text, delimiter), line);
  }
}

/** Offset after the line break at or after `from`. */
function lineEnd(text: string, from: number): number {
  const newline = text.indexOf('\n', from);
  return newline < 0 ? text.length : newline + 1;
}

function addCells(columns: string[], cells: string[], line: number, into: RowCollector): void {
  if (cells.every((cell) => cell.trim() === '')) return;
  if (cells.length > columns.length && cells.slice(columns.length).some((cell) => cell !== '')) {
    const counts = `${cells.length} cells, but the header names ${columns.length} columns`;
    into.reject(line, `${counts}: put quotes around cells that hold the separator`);
    return;
  }
  const result = readRecord(columns.map((name, i) => [name, cells[i] ?? ''] as const));
  if ('reason' in result) into.reject(line, result.reason);
  else into.add(result.prompt, result.completion, line);
}
