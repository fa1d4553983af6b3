/** The record of an open project: who may change it, and how changes of it reach the database. */
import type { PageStage, Project, Run } from '../core/domain';
import { PlaygroundError } from '../core/errors';
import { readOnly } from '../core/read-only';
import { modelName } from '../core/stage-models';
import type { ProjectContext } from './project-context';
import { SaveQueue, type SaveStatus } from './save-queue.svelte';
import { settingsOf, type SettingsStage } from './settings';

export abstract class ProjectRecord {
  record: Project = $state.raw() as Project;
  /** Whether this tab is the one that writes to the project. */
  writable: boolean = $state.raw(false);
  protected readonly context: ProjectContext;
  protected readonly queue: SaveQueue;
  #revision: number;

  constructor(context: ProjectContext, record: Project) {
    this.context = context;
    this.#revision = context.revision;
    this.record = record;
    this.writable = context.claim !== null;
    this.queue = new SaveQueue({
      commit: async (changes) => {
        this.#revision = await context.store.commit(changes, record.id);
        context.onStored(this.#revision);
        context.onWork(Object.keys(changes));
      },
      commitAtOnce: (changes) => {
        const { claim } = context;
        if (!this.writable || claim === null) return;
        context.store.commitAtOnce(changes, { claim, revision: this.#revision });
      },
      requireWriter: () => this.requireWriter(),
      onFailure: (error) => this.#notStored(error),
    });
  }

  /** @throws PlaygroundError `read-only` while another tab writes to the project */
  requireWriter(): void {
    if (!this.writable) throw readOnly();
  }
  /** What the worker writes under. @throws PlaygroundError `read-only` */
  requireClaim(): string {
    this.requireWriter();
    return this.context.claim!;
  }

  #notStored(error: unknown): void {
    if (error instanceof PlaygroundError && error.code === 'read-only') {
      return this.context.onRefused();
    }
    this.context.notify(
      'error',
      error instanceof Error ? error.message : 'Your last change could not be stored.',
      error instanceof PlaygroundError ? error.remedy : undefined,
    );
  }

  get saved(): SaveStatus {
    return this.queue.saved;
  }
  /** Resolves when all that was changed is on disk. @throws PlaygroundError `storage` */
  flush(): Promise<void> {
    return this.queue.flush();
  }

  /** Hands over what is not on disk yet: the page is about to go away. */
  leave(): void {
    this.queue.leave();
  }

  get page(): PageStage {
    return this.record.page;
  }
  goto(page: PageStage): void {
    if (page === this.record.page) return;
    // Followers look around too; where they look is not stored.
    if (this.writable) this.changeRecord({ page });
    else this.record = { ...this.record, page };
  }
  rename(name: string): void {
    this.changeRecord({ name });
  }

  protected changeRecord(change: Partial<Project>): void {
    this.requireWriter();
    this.record = { ...this.record, ...change, updatedAt: Date.now() };
    this.queue.put('projects', this.record.id, this.record);
    this.context.onRecord(this.record);
  }

  /** The worker has already stored which run is the model; this follows it in memory. */
  protected useModel(run: Run): void {
    const runs = { ...this.record.runs, [modelName(run.stage)]: run.id };
    this.record = { ...this.record, runs };
    this.context.onRecord(this.record);
  }

  /** The run that the base comes from; null for a shipped base. */
  protected abstract get baseRun(): Run | null;

  settings<S extends SettingsStage>(stage: S): ReturnType<typeof settingsOf<S>> {
    return settingsOf(this.record, stage, this.baseRun);
  }
}
