import { readFileSync } from 'node:fs';
import { splitDocuments } from '../../src/tokenizer/documents';

/** Reads documents: `.jsonl` one `{"text": …}` object per line, otherwise text split at blank lines. */
export function readCorpus(path: string): string[] {
  const content = readFileSync(path, 'utf8');
  if (!path.endsWith('.jsonl')) return splitDocuments(content);
  const documents: string[] = [];
  for (const [index, line] of content.split('\n').entries()) {
    if (line.trim() === '') continue;
    const row = JSON.parse(line) as { text?: unknown };
    if (typeof row.text !== 'string') throw new Error(`${path}:${index + 1}: no field "text"`);
    documents.push(row.text);
  }
  return documents;
}
