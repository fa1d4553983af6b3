/** What every reader of demonstrations produces, and the checks that every row must pass. */

/** One accepted demonstration; `line` is where it starts in the text, from 1. */
export interface DemonstrationRow {
  prompt: string;
  completion: string;
  line: number;
}

/** One thing that could not be used (or, as a warning, not in full). */
export interface LineNote {
  line: number;
  reason: string;
}

export const MAX_ROWS = 5000;
/** UTF-16 code units in a prompt or completion; far beyond any context length here. */
export const MAX_FIELD_CHARS = 8000;
/** More than a person reads; the rest is summed up in one last line. */
export const MAX_NOTES = 1000;

/** Controls, lost characters, lone surrogates: signs of a binary file or a wrong encoding. */
// eslint-disable-next-line no-control-regex
const NOT_TEXT = /[\0-\x08\x0e-\x1f\ufffd]|\p{Surrogate}/u;

/** Collects rows and notes within the limits. */
export class RowCollector {
  readonly rows: DemonstrationRow[] = [];
  private readonly rejections: LineNote[] = [];
  private readonly remarks: LineNote[] = [];
  private unnamed = 0;

  /** Checks and keeps one row, or rejects it by line and reason. Ends are trimmed. */
  add(prompt: string, completion: string, line: number): void {
    const row = { prompt: prompt.trim(), completion: completion.trim(), line };
    const problem = problemWith('prompt', row.prompt) ?? problemWith('completion', row.completion);
    if (problem !== null) this.reject(line, problem);
    else if (this.rows.length >= MAX_ROWS) {
      this.reject(line, `more than ${MAX_ROWS} rows: this one was left out`);
    } else this.rows.push(row);
  }

  reject(line: number, reason: string): void {
    if (this.rejections.length < MAX_NOTES) this.rejections.push({ line, reason });
    else this.unnamed++;
  }

  warn(line: number, reason: string): void {
    if (this.remarks.length < MAX_NOTES) this.remarks.push({ line, reason });
  }

  /** Rejected rows in the order of their lines; a last entry sums up those beyond MAX_NOTES. */
  get rejected(): LineNote[] {
    const notes = [...this.rejections].sort((a, b) => a.line - b.line);
    const last = notes.at(-1);
    if (this.unnamed === 0 || last === undefined) return notes;
    return [...notes, { line: last.line, reason: `and ${this.unnamed} more rows after this` }];
  }

  get warnings(): LineNote[] {
    return this.remarks;
  }
}

function problemWith(name: string, value: string): string | null {
  if (value === '') return `the ${name} is empty`;
  if (value.length > MAX_FIELD_CHARS) {
    return `the ${name} has ${value.length} characters; the limit is ${MAX_FIELD_CHARS}`;
  }
  if (NOT_TEXT.test(value)) {
    return `the ${name} holds characters that are not text (binary data or a wrong encoding)`;
  }
  return null;
}
