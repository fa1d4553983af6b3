import type { IDBPTransaction } from 'idb';
import { storageFailure } from './failure';
import type { Database, PlaygroundSchema, TableName } from './schema';

export type WriteTransaction<Names extends ArrayLike<TableName> = TableName[]> = IDBPTransaction<
  PlaygroundSchema,
  Names,
  'readwrite'
>;

/**
 * All or nothing, and on the disk when the promise resolves (`durability: 'strict'` flushes first;
 * Chrome's default since 121 does not). Inside `body` await only the database: IndexedDB commits a
 * transaction as soon as it is idle.
 * @param what what is being written, for the error message
 * @throws PlaygroundError `storage`; nothing of the transaction is kept then
 */
export async function write<const Names extends TableName[], T>(
  db: Database,
  tables: Names,
  what: string,
  body: (tx: WriteTransaction<Names>) => Promise<T>,
): Promise<T> {
  let tx: WriteTransaction<Names>;
  try {
    tx = db.transaction(tables, 'readwrite', { durability: 'strict' });
  } catch (thrown) {
    throw storageFailure(thrown, what);
  }
  // A failed commit rejects `done` even while `body` is being awaited.
  const done = tx.done.catch((thrown: unknown) => {
    throw storageFailure(thrown, what);
  });
  done.catch(() => undefined);
  try {
    // A browser may leave the requests of an aborted transaction unanswered for ever.
    const result = await Promise.race([body(tx), done.then<never>(() => new Promise(() => {}))]);
    await done;
    return result;
  } catch (thrown) {
    // Why it was aborted (quota); a request that was cut off or came too late does not know.
    const cause = tx.error ?? thrown;
    try {
      tx.abort();
    } catch {
      // Already aborted or committed.
    }
    throw storageFailure(cause, what);
  }
}

/** Runs a read and puts its failure in plain words. */
export async function read<T>(what: string, body: () => Promise<T>): Promise<T> {
  try {
    return await body();
  } catch (thrown) {
    throw storageFailure(thrown, what);
  }
}
