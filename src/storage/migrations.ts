/**
 * Append-only: one function per version, never edited once shipped. A database of version n runs
 * those from n on, so every shipped version opens in every later release.
 */
import type { IDBPDatabase } from 'idb';
import type { PlaygroundSchema } from './schema';

type Upgrading = Pick<IDBPDatabase<PlaygroundSchema>, 'createObjectStore'>;

function createTables(database: Upgrading): void {
  database.createObjectStore('projects', { keyPath: 'id' }).createIndex('bySeq', 'seq');
  for (const table of ['demonstrations', 'prompts', 'sets', 'rankings', 'runs'] as const) {
    database
      .createObjectStore(table, { keyPath: 'id' })
      .createIndex('byProject', ['projectId', 'seq']);
  }
  database.createObjectStore('inputs', { keyPath: 'runId' }).createIndex('byProject', 'projectId');
  for (const table of ['metrics', 'samples'] as const) {
    database
      .createObjectStore(table, { keyPath: ['runId', 'step'] })
      .createIndex('byProject', 'projectId');
  }
  const checkpoints = database.createObjectStore('checkpoints', { keyPath: 'id' });
  checkpoints.createIndex('byProject', 'projectId');
  checkpoints.createIndex('byRun', ['runId', 'seq']);
  database.createObjectStore('chunks', { keyPath: 'hash' });
}

/** `MIGRATIONS[n]` takes a database from version n to n + 1. */
export const MIGRATIONS: readonly ((database: Upgrading) => void)[] = [createTables];
