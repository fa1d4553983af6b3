/**
 * The project that is open in this tab: as its writer, or following the tab that writes to it. What
 * the page shows is replaced whenever that changes, so nothing of a writer's is left in a follower.
 */
import type { Project } from '../core/domain';
import { PlaygroundError } from '../core/errors';
import type { WorkerEvent } from '../worker/protocol';
import type { LockHooks, OpenedRecords, ProjectLock, ProjectNews, ProjectStore } from './ports';
import type { ProjectContext } from './project-context';
import { ProjectState } from './project.svelte';

export type PageContext = Omit<
  ProjectContext,
  'store' | 'claim' | 'revision' | 'onStored' | 'onRefused'
>;

/** What is open, until another project is. */
interface Opened {
  id: string;
  store: ProjectStore;
  lock: ProjectLock;
  /** Revision of what is shown. */
  revision: number;
  /** Something has changed since it was read. */
  stale: boolean;
  reading: Promise<void> | null;
}

export class OpenProject {
  state: ProjectState | null = $state.raw(null);
  /** This tab has asked for the project and waits for it. */
  takingOver = $state.raw(false);
  readonly #context: () => PageContext;
  #opened: Opened | null = null;

  constructor(context: () => PageContext) {
    this.#context = context;
  }

  /** Shows a project. @throws PlaygroundError `not-found`, `storage` */
  async show(store: ProjectStore, id: string): Promise<void> {
    let opened: Opened | null = null;
    const current = (): Opened | null => (opened === this.#opened ? opened : null);
    const hooks: LockHooks = {
      onWriter: () => void this.#gained(current()),
      onFollower: () => this.#lost(current()),
      onAsked: () => this.#handOver(current()),
      onNews: (news) => this.#learn(current(), news),
    };
    const lock = await store.lock(id, hooks);
    let records: OpenedRecords;
    try {
      records = await store.loadProject(id);
    } catch (error) {
      await lock.close();
      throw error;
    }
    await this.leave();
    opened = { id, store, lock, revision: -1, stale: false, reading: null };
    this.#opened = opened;
    this.#show(opened, records);
    // It may have changed before anything was heard of it.
    if (lock.claim === null) void this.#read(opened);
  }

  /** Lets go of what is open; everything must have been stored. */
  async leave(): Promise<void> {
    const opened = this.#opened;
    this.state?.revoke();
    this.#opened = null;
    await opened?.lock.close();
  }

  /**
   * Becomes the writer of the open project.
   * @throws PlaygroundError `busy` when the other tab cannot be replaced
   */
  async takeOver(): Promise<void> {
    const opened = this.#opened;
    if (opened === null || this.takingOver) return;
    this.takingOver = true;
    try {
      await opened.lock.takeOver();
      await opened.reading;
      if (this.state?.writable === true) return;
    } finally {
      this.takingOver = false;
    }
    throw new PlaygroundError({
      code: 'read-only',
      message: 'The project could not be taken over.',
      remedy: 'Close the other tabs of this page and reload this one.',
    });
  }

  /** @throws PlaygroundError `busy`, `read-only`, `storage` */
  async deleteOldCheckpoints(): Promise<void> {
    const { state } = this;
    const opened = this.#opened;
    if (state === null || opened === null) return;
    state.requireWriter();
    state.requireIdle();
    await opened.store.deleteOldCheckpoints(opened.id);
    const { runs, revision } = await opened.store.loadProject(opened.id);
    state.transport.followRuns(runs);
    opened.lock.tell({ kind: 'changed', revision: Math.max(revision, opened.revision + 1) });
  }

  /** An event of this tab's worker. */
  handle(event: WorkerEvent): void {
    // What the worker of a tab that has lost the project says is no longer so.
    if (this.state?.writable !== true) return;
    this.state.transport.handle(event);
    const { kind } = event;
    if (kind === 'run' || kind === 'step' || kind === 'samples' || kind === 'checkpoint') {
      this.#opened?.lock.tell({ kind: 'event', event });
    }
  }

  /** This tab's worker has died with whatever was under way in it. */
  interrupt(): void {
    if (this.state?.writable === true) this.state.transport.interrupt();
  }

  async #gained(opened: Opened | null): Promise<void> {
    if (opened === null) return;
    await this.#read(opened);
    opened.lock.tell({ kind: 'changed', revision: opened.revision });
  }

  #lost(opened: Opened | null): void {
    if (opened === null) return;
    const unsaved = this.state?.revoke() ?? 0;
    this.#context().notify(
      'info',
      unsaved === 0
        ? 'Another tab has taken this project over; this one goes on as a reader.'
        : `Another tab has taken this project over. The last ${unsaved === 1 ? 'change' : `${unsaved} changes`} made here had not been stored yet and ${unsaved === 1 ? 'is' : 'are'} gone.`,
    );
    void this.#read(opened);
  }

  async #handOver(opened: Opened | null): Promise<void> {
    if (opened !== null) await this.state?.handOver();
  }

  #learn(opened: Opened | null, news: ProjectNews): void {
    if (opened === null || this.state === null || this.state.writable) return;
    if (news.kind === 'changed') {
      if (news.revision > opened.revision) void this.#read(opened);
      return;
    }
    this.state.transport.follow(news.event);
    // Whatever has been read meanwhile may be older than this.
    if (news.event.kind === 'run') void this.#read(opened);
  }

  /** Reads what is stored, and again when something changes meanwhile. */
  #read(opened: Opened): Promise<void> {
    opened.stale = true;
    opened.reading ??= this.#readWhileStale(opened).finally(() => (opened.reading = null));
    return opened.reading;
  }

  async #readWhileStale(opened: Opened): Promise<void> {
    while (opened.stale && opened === this.#opened) {
      opened.stale = false;
      const { claim } = opened.lock;
      try {
        const records = await opened.store.loadProject(opened.id);
        if (opened !== this.#opened) return;
        // Read under another claim: it may have been changed since.
        if (opened.lock.claim !== claim) opened.stale = true;
        else this.#show(opened, records);
      } catch (error) {
        // A follower keeps showing what it has; whoever opens the project is told.
        if (this.state?.record.id !== opened.id) throw error;
      }
    }
  }

  #show(opened: Opened, records: OpenedRecords): void {
    const { lock, store, id } = opened;
    const shown = this.state?.record.id === id ? this.state : null;
    opened.revision = records.revision;
    // Where a person looks is theirs, whoever writes.
    const record: Project = { ...records.project, page: shown?.page ?? records.project.page };
    if (shown !== null && !shown.writable && lock.claim === null) {
      shown.follow(record, records);
      return;
    }
    if (shown?.writable === true && lock.claim !== null) return;
    const context: ProjectContext = {
      ...this.#context(),
      store,
      claim: lock.claim,
      revision: records.revision,
      onStored: (revision) => lock.tell({ kind: 'changed', revision }),
      onRefused: () => lock.lost(),
    };
    this.state = new ProjectState(context, record, records);
    context.onRecord(record);
  }
}
