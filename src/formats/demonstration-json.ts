/** JSON Lines and JSON arrays of demonstrations. A broken entry costs itself, not its neighbours. */
import type { RowCollector } from './demonstration-rows';
import { readRecord } from './demonstration-record';

/** Lines looked at to tell JSON Lines from objects that span lines. */
const PROBE_LINES = 20;

/** 'jsonl': an object per line; 'json': an array, or objects that span several lines. */
export function detectJson(text: string): 'jsonl' | 'json' | null {
  if (/^\s*\[\s*[{\]]/.test(text)) return 'json';
  if (!/^\s*\{/.test(text)) return null;
  const lines = text.trimStart().split('\n', PROBE_LINES);
  return lines.some((line) => parseObject(line) !== null) ? 'jsonl' : 'json';
}

function parseObject(text: string): object | null {
  const trimmed = text.trim();
  // A thrown SyntaxError is slow; most junk lines do not even look like an object.
  if (!trimmed.startsWith('{') || !trimmed.endsWith('}')) return null;
  try {
    return JSON.parse(trimmed) as object;
  } catch {
    return null;
  }
}

/** @param text with `\n` line ends */
export function readJsonLines(text: string, into: RowCollector): void {
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue;
    const value = parseObject(line);
    if (value === null) into.reject(index + 1, 'not a JSON object');
    else addObject(value, index + 1, into);
  }
}

function addObject(value: object, line: number, into: RowCollector): void {
  const result = readRecord(Object.entries(value));
  if ('reason' in result) {
    into.reject(line, result.reason);
    return;
  }
  if (result.warning !== undefined) into.warn(line, result.warning);
  into.add(result.prompt, result.completion, line);
}

/** Characters read in vain, in broken objects, before the rest is given up. */
const MAX_WASTED_CHARS = 40_000_000;
/** Longest object that is believed in damaged text. */
const MAX_OBJECT_CHARS = 200_000;

/**
 * An array of objects, or objects one after another. When the whole is not valid JSON, the objects
 * are cut out one by one and each broken one is named.
 * @param text with `\n` line ends
 */
export function readJsonArray(text: string, into: RowCollector): void {
  const maxLength = isJson(text) ? Infinity : MAX_OBJECT_CHARS;
  const lineAt = lineCounter(text);
  let wasted = 0;
  let at = 0;
  for (;;) {
    const start = text.indexOf('{', at);
    const gap = text.slice(at, start < 0 ? text.length : start);
    const junk = /[^\s,[\]]/.exec(gap);
    if (junk !== null) into.reject(lineAt(at + junk.index).line, 'not a JSON object');
    if (start < 0) return;

    const { line, lineStart } = lineAt(start);
    const end = objectEnd(text, start, maxLength);
    const value = end.closed ? parseObject(text.slice(start, end.at)) : null;
    if (value !== null) {
      addObject(value, line, into);
      at = end.at;
      continue;
    }
    into.reject(
      line,
      end.closed ? 'not a JSON object' : 'the object or a string in it is not closed',
    );
    const next = nextObject(text, start, indentAt(text, lineStart));
    if (next === null && !end.closed) return;
    at = next ?? end.at;
    wasted += end.at - start;
    if (wasted > MAX_WASTED_CHARS) {
      into.reject(line, 'too damaged: what follows was not read');
      return;
    }
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Line (from 1) of an offset, and where that line starts; offsets must not decrease. */
function lineCounter(text: string): (offset: number) => { line: number; lineStart: number } {
  let line = 1;
  let lineStart = 0;
  let newline = text.indexOf('\n');
  return (offset) => {
    while (newline >= 0 && newline < offset) {
      line++;
      lineStart = newline + 1;
      newline = text.indexOf('\n', lineStart);
    }
    return { line, lineStart };
  };
}

const STRUCTURE = /["{}[\]]/g;
const IN_STRING = /["\\]/g;

/** Where the object that starts at `start` ends, or where it turned out not to. */
function objectEnd(
  text: string,
  start: number,
  maxLength: number,
): { at: number; closed: boolean } {
  let depth = 0;
  STRUCTURE.lastIndex = start;
  for (let match = STRUCTURE.exec(text); match !== null; match = STRUCTURE.exec(text)) {
    if (match.index - start > maxLength) return { at: match.index, closed: false };
    const char = match[0];
    if (char === '"') {
      const close = stringEnd(text, match.index + 1);
      if (close === null) return { at: match.index + 1, closed: false };
      STRUCTURE.lastIndex = close;
    } else if (char === '{' || char === '[') depth++;
    else if (--depth === 0) return { at: match.index + 1, closed: true };
  }
  return { at: text.length, closed: false };
}

/** Offset after the closing quote; null when there is none. */
function stringEnd(text: string, start: number): number | null {
  IN_STRING.lastIndex = start;
  for (let match = IN_STRING.exec(text); match !== null; match = IN_STRING.exec(text)) {
    if (match[0] === '"') return match.index + 1;
    IN_STRING.lastIndex = match.index + 2;
  }
  return null;
}

function indentAt(text: string, lineStart: number): number {
  let end = lineStart;
  while (text[end] === ' ' || text[end] === '\t') end++;
  return end - lineStart;
}

/**
 * Where to read on after a broken object: at a line that opens an object and is indented no deeper,
 * or at `},{`. Null when there is no such place.
 */
function nextObject(text: string, start: number, indent: number): number | null {
  const candidate = /(?:\n([ \t]*)|\}[ \t]*,[ \t]*)(?=\{)/g;
  candidate.lastIndex = start + 1;
  for (let match = candidate.exec(text); match !== null; match = candidate.exec(text)) {
    if ((match[1]?.length ?? 0) <= indent) return candidate.lastIndex;
  }
  return null;
}
