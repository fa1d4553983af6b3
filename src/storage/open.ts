import { openDB } from 'idb';
import { PlaygroundError } from '../core/errors';
import { storageFailure } from './failure';
import { MIGRATIONS } from './migrations';
import {
  DATABASE_NAME,
  DATABASE_VERSION,
  INDEXES,
  type Database,
  type PlaygroundSchema,
  type TableName,
} from './schema';

export interface OpenOptions {
  /** Another name keeps tests apart. */
  name?: string;
  /** A tab with an older release holds the database; it opens when that tab is closed. */
  onBlocked?: () => void;
  /** A newer release opened in another tab: this connection has been closed, reload the page. */
  onReplaced?: () => void;
  /** The browser closed the connection (WebKit does so in the background): open again. */
  onTerminated?: () => void;
}

/**
 * Opens the database and brings it up to date.
 * @throws PlaygroundError `storage` when the browser refuses (private window), when a newer release
 *   wrote what is stored, or when a table is missing. Nothing has been changed then.
 */
export async function openDatabase(options: OpenOptions = {}): Promise<Database> {
  try {
    const db: Database = await openDB<PlaygroundSchema>(
      options.name ?? DATABASE_NAME,
      DATABASE_VERSION,
      {
        upgrade(database, oldVersion) {
          for (const migrate of MIGRATIONS.slice(oldVersion)) migrate(database);
        },
        blocked: () => options.onBlocked?.(),
        blocking: (_current, _blocked, event) => {
          // Holding on would keep the newer tab from opening at all.
          (event.target as IDBDatabase).close();
          options.onReplaced?.();
        },
        terminated: () => options.onTerminated?.(),
      },
    );
    const missing = missingPart(db);
    if (missing === null) return db;
    db.close();
    throw damagedSchema(missing);
  } catch (thrown) {
    if (thrown instanceof Error && thrown.name === 'VersionError') {
      throw new PlaygroundError({
        code: 'storage',
        message: 'What is stored here was written by a newer release of the playground.',
        remedy:
          'Nothing has been changed. Reload the page to get the newer release, or save a raw copy.',
      });
    }
    throw storageFailure(thrown, 'the database');
  }
}

/** The first table or index that should be there and is not. */
function missingPart(db: Database): string | null {
  for (const [table, indexes] of Object.entries(INDEXES) as [TableName, readonly string[]][]) {
    if (!db.objectStoreNames.contains(table)) return `the table ${table}`;
    const { indexNames } = db.transaction(table).store;
    const stored: readonly string[] = [...indexNames];
    const index = indexes.find((name) => !stored.includes(name));
    if (index !== undefined) return `the index ${index} of ${table}`;
  }
  return null;
}

const damagedSchema = (missing: string): PlaygroundError =>
  new PlaygroundError({
    code: 'storage',
    field: 'schema',
    message: `What is stored here is damaged: ${missing} is missing.`,
    remedy: 'Nothing has been changed. Save a raw copy of what is there.',
  });
