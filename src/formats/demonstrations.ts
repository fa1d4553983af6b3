/** Pasted or dropped demonstrations, in whatever shape people have them. */
import { detectDelimiter, readCsv } from './demonstration-csv';
import { detectJson, readJsonArray, readJsonLines } from './demonstration-json';
import { EXPECTED_NAMES } from './demonstration-record';
import { RowCollector, type DemonstrationRow, type LineNote } from './demonstration-rows';
import { looksLikeTextBlocks, readTextBlocks } from './demonstration-text';

export type DemonstrationFormat = 'text' | 'jsonl' | 'json' | 'csv' | 'tsv' | 'empty' | 'unknown';

export interface ParsedDemonstrations {
  format: DemonstrationFormat;
  rows: DemonstrationRow[];
  /** What was refused, by line and reason. */
  rejected: LineNote[];
  /** What was kept, but not in full. */
  warnings: LineNote[];
}

const HOW_TO =
  'no demonstrations found. Write "Prompt:" and "Response:" lines, or paste JSON or a table with ' +
  `named columns (${EXPECTED_NAMES})`;

/**
 * Finds the format and reads every row that can be read. Never throws: good rows are kept, each
 * bad one is named by line and reason. 10 MB take about a second.
 */
export function parseDemonstrations(text: string): ParsedDemonstrations {
  const into = new RowCollector();
  const clean = text.replace(/^\ufeff/, '').replace(/\r\n?/g, '\n');
  const format = read(clean, into);
  if (into.rows.length === 0 && into.rejected.length === 0) into.reject(1, HOW_TO);
  return { format, rows: into.rows, rejected: into.rejected, warnings: into.warnings };
}

function read(text: string, into: RowCollector): DemonstrationFormat {
  if (text.trim() === '') {
    into.reject(1, 'nothing to read: the text is empty');
    return 'empty';
  }
  const json = detectJson(text);
  if (json !== null) {
    if (json === 'jsonl') readJsonLines(text, into);
    else readJsonArray(text, into);
    return json;
  }
  const delimiter = detectDelimiter(text);
  if (delimiter !== null) {
    readCsv(text, delimiter, into);
    return delimiter === '\t' ? 'tsv' : 'csv';
  }
  if (looksLikeTextBlocks(text)) {
    readTextBlocks(text, into);
    return 'text';
  }
  const binary = text.includes('\0') || text.split('\ufffd', 10).length > 5;
  into.reject(1, binary ? 'this is binary data or text in a wrong encoding' : HOW_TO);
  return 'unknown';
}
