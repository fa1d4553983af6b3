/**
 * Everything in the database as it is, for when this release cannot open it: whatever tables are
 * there, in whatever version. JSON Lines: a line for the database, one for each table, one for each
 * record.
 */
import { openDB, type IDBPDatabase } from 'idb';
import { DATABASE_NAME } from './schema';
import { read } from './transaction';

export interface RawHead {
  format: 'rlhf-playground-raw';
  database: string;
  version: number;
}

export interface RawTable {
  table: string;
  keyPath: string | string[] | null;
  autoIncrement: boolean;
  indexes: { name: string; keyPath: string | string[]; unique: boolean; multiEntry: boolean }[];
  records: number;
}

/** Records read at once: those of a checkpoint hold megabytes. */
const PORTION = 16;

/** @throws PlaygroundError `storage` when the browser itself cannot read it */
export async function rawCopy(name = DATABASE_NAME): Promise<Blob> {
  return read('the raw copy', async () => {
    // Without a version: as it is, whoever wrote it.
    const db = await openDB(name);
    try {
      return await copyOf(db);
    } finally {
      db.close();
    }
  });
}

async function copyOf(db: IDBPDatabase): Promise<Blob> {
  const head: RawHead = {
    format: 'rlhf-playground-raw',
    database: db.name,
    version: db.version,
  };
  const parts: Blob[] = [new Blob([line(head)])];
  for (const table of db.objectStoreNames) {
    const { store } = db.transaction(table);
    const indexes = [...store.indexNames].map((index) => {
      const { keyPath, unique, multiEntry } = store.index(index);
      return { name: index, keyPath, unique, multiEntry };
    });
    const { keyPath, autoIncrement } = store;
    const shape = { table, keyPath, autoIncrement, indexes, records: await store.count() };
    parts.push(new Blob([line(shape satisfies RawTable)]));
    const keys = await db.getAllKeys(table);
    for (let at = 0; at < keys.length; at += PORTION) {
      const range = IDBKeyRange.bound(keys[at]!, keys[Math.min(at + PORTION, keys.length) - 1]!);
      const records: unknown[] = await db.getAll(table, range);
      // A Blob may lie on the disk; the text of all records together would not fit in memory.
      parts.push(new Blob(records.map(line)));
    }
  }
  return new Blob(parts, { type: 'application/jsonl' });
}

const line = (value: unknown): string => `${JSON.stringify(rawValue(value))}\n`;

/** What JSON has no form for is an object with one key that begins with `$`. */
function rawValue(value: unknown): unknown {
  if (typeof value === 'number') {
    return Number.isFinite(value) && !Object.is(value, -0)
      ? value
      : { $number: Object.is(value, -0) ? '-0' : String(value) };
  }
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(rawValue);
  if (value instanceof ArrayBuffer) return { $bytes: base64(new Uint8Array(value)) };
  if (ArrayBuffer.isView(value)) {
    const { buffer, byteOffset, byteLength } = value;
    const bytes = new Uint8Array(buffer, byteOffset, byteLength);
    return { $view: value.constructor.name, bytes: base64(bytes) };
  }
  if (value instanceof Date) return { $date: value.getTime() };
  if (value instanceof Map) return { $map: [...value].map(rawValue) };
  if (value instanceof Set) return { $set: [...value].map(rawValue) };
  return Object.fromEntries(Object.entries(value).map(([key, x]) => [key, rawValue(x)]));
}

function base64(bytes: Uint8Array): string {
  let text = '';
  // Spread over arguments, of which there may not be too many.
  for (let at = 0; at < bytes.length; at += 0x8000) {
    text += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  }
  return btoa(text);
}
