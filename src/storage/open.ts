import { openDB } from 'idb';
import { PlaygroundError } from '../core/errors';
import { storageFailure } from './failure';
import { MIGRATIONS } from './migrations';
import { DATABASE_NAME, DATABASE_VERSION, type Database, type PlaygroundSchema } from './schema';

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
 * @throws PlaygroundError `storage` when the browser refuses (private window, newer release's data)
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
    return db;
  } catch (thrown) {
    if (thrown instanceof Error && thrown.name === 'VersionError') {
      throw new PlaygroundError({
        code: 'storage',
        message: 'What is stored here was written by a newer release of the playground.',
        remedy: 'Reload the page to get the newer release; nothing has been changed.',
      });
    }
    throw storageFailure(thrown, 'the database');
  }
}
