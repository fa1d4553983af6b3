/**
 * Text blocks, the format that people type:
 *
 *     Prompt: Write a story with a goat.
 *     Response: The goat ate the hat.
 *     It was a good hat.
 *
 *     Prompt: …
 *
 * Rules. A line that begins with `Prompt:` always starts a new row; `Response:`, `Completion:` or
 * `Answer:` then starts its completion. A value goes on over following lines, blank ones included,
 * until the next label. Inside a completion only `Prompt:` and the label that began it count, so an
 * answer may have a line `Answer: 42` of its own when it began with `Response:`. A line of text
 * that begins with a label is written with a backslash before it (`\Prompt:`).
 */
import type { DemonstrationRow, RowCollector } from './demonstration-rows';

const PROMPT_LINE = /^prompt:/im;
const LABEL = /^(prompt|response|completion|answer):[ \t]*/i;
const ESCAPED_LABEL = /^\\+(?:prompt|response|completion|answer):/i;
const NEEDS_ESCAPE = /^(?=\\*(?:prompt|response|completion|answer):)/gim;

/** Whether a line starts with `Prompt:`. */
export function looksLikeTextBlocks(text: string): boolean {
  return PROMPT_LINE.test(text);
}

/** @param text with `\n` line ends */
export function readTextBlocks(text: string, into: RowCollector): void {
  let block: { line: number; label: string; prompt: string[]; completion: string[] | null } | null =
    null;
  let strayLine: number | null = null;

  const finish = (): void => {
    if (block === null) return;
    if (block.completion === null) into.reject(block.line, 'the Prompt: has no Response:');
    else into.add(block.prompt.join('\n'), block.completion.join('\n'), block.line);
    block = null;
  };

  for (const [index, line] of text.split('\n').entries()) {
    const label = LABEL.exec(line);
    const name = label?.[1]?.toLowerCase();
    const value = label === null ? unescapeLabel(line) : line.slice(label[0].length);
    if (name === 'prompt') {
      finish();
      block = { line: index + 1, label: '', prompt: [value], completion: null };
      strayLine = null;
    } else if (name !== undefined && block?.completion === null) {
      block.completion = [value];
      block.label = name;
    } else if (name !== undefined && (block === null || block.label === name)) {
      finish();
      into.reject(index + 1, `${label![1]}: without a Prompt: before it`);
      strayLine = index + 1;
    } else if (block !== null) {
      (block.completion ?? block.prompt).push(name === undefined ? value : line);
    } else if (strayLine === null && line.trim() !== '') {
      into.reject(index + 1, 'text before the first Prompt:');
      strayLine = index + 1;
    }
  }
  finish();
}

function unescapeLabel(line: string): string {
  return ESCAPED_LABEL.test(line) ? line.slice(1) : line;
}

/** Rows as text blocks; `parseDemonstrations` reads them back unchanged (ends are trimmed). */
export function formatDemonstrations(
  rows: readonly Pick<DemonstrationRow, 'prompt' | 'completion'>[],
): string {
  return rows
    .map(
      ({ prompt, completion }) =>
        `Prompt: ${escapeLabels(prompt)}\nResponse: ${escapeLabels(completion)}\n`,
    )
    .join('\n');
}

function escapeLabels(value: string): string {
  // Not the first line: it follows its own label and cannot be taken for one.
  const end = value.indexOf('\n') + 1;
  if (end === 0) return value;
  return value.slice(0, end) + value.slice(end).replace(NEEDS_ESCAPE, '\\');
}
