/** Puts a raw copy back into a database, as the release that wrote it left it. */
import { deleteDB, openDB } from 'idb';
import type { RawHead, RawTable } from '../../src/storage/raw-copy';

export interface RawProfile {
  head: RawHead;
  /** The lines of each table's records, as they stand in the file. */
  tables: Map<string, { shape: RawTable; lines: string[] }>;
}

export function parseRaw(text: string): RawProfile {
  const [first, ...rest] = text.trimEnd().split('\n');
  const tables: RawProfile['tables'] = new Map();
  for (let i = 0; i < rest.length;) {
    const shape = JSON.parse(rest[i]!) as RawTable;
    const lines = rest.slice(i + 1, i + 1 + shape.records);
    tables.set(shape.table, { shape, lines });
    i += 1 + shape.records;
  }
  return { head: JSON.parse(first!) as RawHead, tables };
}

/** @returns the name of the database, to be deleted by the caller */
export async function restoreRaw({ head, tables }: RawProfile): Promise<string> {
  const name = `test-${crypto.randomUUID()}`;
  const db = await openDB(name, head.version, {
    upgrade(upgrading) {
      for (const { shape } of tables.values()) {
        const { table, keyPath, autoIncrement, indexes } = shape;
        const store = upgrading.createObjectStore(table, { keyPath, autoIncrement });
        for (const { name: index, keyPath: path, unique, multiEntry } of indexes) {
          store.createIndex(index, path, { unique, multiEntry });
        }
      }
    },
  });
  for (const [table, { lines }] of tables) {
    for (const line of lines) await db.put(table, value(JSON.parse(line)));
  }
  db.close();
  return name;
}

export const removeDatabase = (name: string): Promise<void> => deleteDB(name);

function value(raw: unknown): unknown {
  if (typeof raw !== 'object' || raw === null) return raw;
  if (Array.isArray(raw)) return raw.map(value);
  if ('$number' in raw) return Number(raw.$number);
  if ('$bytes' in raw) {
    return Uint8Array.from(atob(String(raw.$bytes)), (char) => char.charCodeAt(0)).buffer;
  }
  return Object.fromEntries(Object.entries(raw).map(([key, x]) => [key, value(x)]));
}
