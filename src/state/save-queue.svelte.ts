/**
 * From memory to the database. Changes of one record are merged, text edits wait up to
 * `EDIT_DELAY_MS` for the next key, one transaction is under way at a time, and `saved` says 'saved'
 * only after the last one has completed. Changes whose transaction failed stay in line.
 */
import { plainMap } from './plain-collections';
import type { Changes, PageTable, PageTables } from './ports';

/** Under the promised 250 ms, with room for the transaction. */
export const EDIT_DELAY_MS = 150;
const RETRY_DELAY_MS = 2000;

export type SaveStatus = 'saved' | 'saving' | 'failed';
export interface SaveQueueParts {
  /** Resolves once the changes are on disk. */
  commit(changes: Changes): Promise<void>;
  /** The same without waiting for anything: the transaction ends when the page is gone. */
  commitAtOnce(changes: Changes): void;
  /** @throws PlaygroundError `read-only` */
  requireWriter(): void;
  onFailure(error: unknown): void;
}
type Pending = { [T in PageTable]?: Map<string, PageTables[T] | null> };

export class SaveQueue {
  saved: SaveStatus = $state('saved');
  readonly #parts: SaveQueueParts;
  #pending: Pending = {};
  #underWay: Pending = {};
  #timer: ReturnType<typeof setTimeout> | undefined;
  #running: Promise<void> | null = null;
  #closed = false;

  constructor(parts: SaveQueueParts) {
    this.#parts = parts;
  }

  /** @throws PlaygroundError `read-only`; to be asked before anything is changed in memory */
  requireWriter(): void {
    this.#parts.requireWriter();
  }

  /**
   * Hands over everything that is not on disk yet, for the page may never run again. It stays in line:
   * a page that does run again stores it once more, which changes nothing.
   */
  leave(): void {
    const changes: Pending = { ...this.#underWay };
    for (const table of Object.keys(this.#pending) as PageTable[]) {
      const merged = plainMap<string, unknown>([
        ...(this.#underWay[table] ?? []),
        ...(this.#pending[table] ?? []),
      ]);
      Object.assign(changes, { [table]: merged });
    }
    if (Object.keys(changes).length > 0) this.#parts.commitAtOnce(changes);
  }

  /** Nothing is stored any more. Returns how many records were still in line. */
  close(): number {
    clearTimeout(this.#timer);
    this.#closed = true;
    const left = Object.values(this.#pending).reduce((sum, { size }) => sum + size, 0);
    this.#pending = {};
    return left;
  }

  /** Puts a record in line (null deletes it). `later` waits for more keys; otherwise it starts now. */
  put<T extends PageTable>(
    table: T,
    id: string,
    record: PageTables[T] | null,
    later = false,
  ): void {
    this.requireWriter();
    // Components may hand over proxies, which IndexedDB cannot clone.
    this.#rows(table).set(id, record === null ? null : $state.snapshot<unknown>(record));
    this.#start(later);
  }

  /** Puts many records in line that are plain already: thousands of snapshots would stop the page. */
  putPlain<T extends PageTable>(
    table: T,
    records: Iterable<readonly [id: string, record: PageTables[T] | null]>,
  ): void {
    this.requireWriter();
    const rows = this.#rows(table);
    for (const [id, record] of records) rows.set(id, record);
    this.#start(false);
  }

  #rows(table: PageTable): Map<string, unknown> {
    const pending: Partial<Record<PageTable, Map<string, unknown>>> = this.#pending;
    return (pending[table] ??= plainMap<string, unknown>());
  }

  #start(later: boolean): void {
    this.saved = 'saving';
    if (this.#timer !== undefined && later) return;
    clearTimeout(this.#timer);
    // Even "now" is a task later, so that a hundred puts in a row are one transaction.
    this.#timer = setTimeout(() => void this.flush().catch(() => {}), later ? EDIT_DELAY_MS : 0);
  }

  /**
   * Writes all that is in line and resolves when it is on disk.
   * @throws whatever the database threw; the changes stay in line and are tried again
   */
  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    while (this.#running !== null) await this.#running.catch(() => {});
    if (Object.keys(this.#pending).length === 0) return;
    const changes = this.#pending;
    this.#pending = {};
    this.#underWay = changes;
    this.#running = this.#write(changes);
    try {
      await this.#running;
    } finally {
      this.#running = null;
      this.#underWay = {};
    }
    if (Object.keys(this.#pending).length === 0) this.saved = 'saved';
  }

  async #write(changes: Pending): Promise<void> {
    try {
      await this.#parts.commit(changes);
    } catch (error) {
      if (this.#closed) throw error;
      this.#putBack(changes);
      const first = this.saved !== 'failed';
      this.saved = 'failed';
      if (first) this.#parts.onFailure(error);
      if (!this.#closed)
        this.#timer ??= setTimeout(() => void this.flush().catch(() => {}), RETRY_DELAY_MS);
      throw error;
    }
  }

  /** Failed changes go back behind whatever has been put since. */
  #putBack(failed: Pending): void {
    for (const table of Object.keys(failed) as PageTable[]) {
      const merged = plainMap<string, unknown>([
        ...(failed[table] ?? []),
        ...(this.#pending[table] ?? []),
      ]);
      Object.assign(this.#pending, { [table]: merged });
    }
  }
}
