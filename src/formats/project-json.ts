/** JSON and JSON Lines inside a project file: exact on writing, validated on reading. */
import * as v from 'valibot';
import { PlaygroundError } from '../core/errors';

/** Anything that validates to T. */
export type RecordSchema<T> = v.GenericSchema<unknown, T>;

/** Most characters of a path or a reason in a message; both may hold what a hostile file says. */
const MAX_SHOWN = 300;

export function badFile(path: string, message: string): PlaygroundError {
  const shown = path.slice(0, MAX_SHOWN);
  return new PlaygroundError({
    code: 'format',
    field: shown,
    message: `Project file, ${shown}: ${message.slice(0, MAX_SHOWN)}.`,
    remedy: 'Nothing was imported. Export the project again, or choose another file.',
  });
}

/**
 * One record as JSON.
 * @throws PlaygroundError `format` when a number is NaN or infinite: JSON would turn it into null
 */
function stringify(record: unknown, path: string): string {
  return JSON.stringify(record, (key, value: unknown) => {
    if (typeof value === 'number' && !Number.isFinite(value)) {
      throw badFile(path, `${key} is ${value}, which JSON cannot hold`);
    }
    return value;
  });
}

export function encodeRecord(record: unknown, path: string): Uint8Array {
  return new TextEncoder().encode(`${stringify(record, path)}\n`);
}

export function encodeLines(records: readonly unknown[], path: string): Uint8Array {
  const lines = records.map((record) => `${stringify(record, path)}\n`);
  return new TextEncoder().encode(lines.join(''));
}

/** @throws PlaygroundError `format` naming the path and the field */
export function decodeRecord<T>(bytes: Uint8Array, path: string, schema: RecordSchema<T>): T {
  return validate(parse(decodeText(bytes, path), path), path, schema);
}

/** @throws PlaygroundError `format` naming the path, the line and the field */
export function decodeLines<T>(bytes: Uint8Array, path: string, schema: RecordSchema<T>): T[] {
  const lines = decodeText(bytes, path).split('\n');
  if (lines.at(-1) === '') lines.pop();
  return lines.map((line, index) => {
    const where = `${path} line ${index + 1}`;
    return validate(parse(line, where), where, schema);
  });
}

function decodeText(bytes: Uint8Array, path: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw badFile(path, 'it is not UTF-8 text');
  }
}

function parse(text: string, where: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw badFile(where, 'it is not JSON');
  }
}

function validate<T>(value: unknown, where: string, schema: RecordSchema<T>): T {
  const result = v.safeParse(schema, value, { abortEarly: true });
  if (result.success) return result.output;
  const issue = result.issues[0];
  const field = v.getDotPath(issue);
  throw badFile(where, field === null ? issue.message : `field ${field}: ${issue.message}`);
}
