/** The page's state as a whole: the engine, the projects, the one that is open, messages. */
import type { Project } from '../core/domain';
import { PlaygroundError, toErrorDetails, type ErrorDetails } from '../core/errors';
import type { ReadClassFile } from '../formats/class-file';
import type { ProjectBundle } from '../formats/project-file';
import type { WorkerEvent } from '../worker/protocol';
import { classProject, type ClassMember } from './class-files';
import { Offline } from './offline.svelte';
import { builtInText, loadBases, loadDemoTasks, type Base, type DemoTask } from './demo-task';
import { deferred } from './deferred';
import { afterPaint } from './after-paint';
import { DemoRunner } from './demo.svelte';
import type { AppParts } from './app-parts';
import { Engine } from './engine.svelte';
import { freshProject } from './fresh-project';
import { newId } from './ids';
import { plainMap } from './plain-collections';
import { LessonState } from './lesson.svelte';
import type { ProjectStore } from './ports';
import type { Preferences } from './preferences.svelte';
import { OpenProject } from './open-project.svelte';
import { withChanges } from './project-bundle';
import { readProjectBundle } from './project-preview';
import type { ProjectState } from './project.svelte';
import { StorageState } from './storage.svelte';

/** After a loss the worker writes down which run was cut off before it is ended, ms. */
const SETTLE_MS = 500;

export interface Notice {
  id: string;
  kind: 'info' | 'error';
  text: string;
  remedy?: string;
}

export interface NewProject {
  name: string;
  /** A shipped base, 'scratch', or the id of a base that was imported or pretrained in a project. */
  base: string;
  seed: number;
}

export class App {
  projects: readonly Project[] = $state.raw([]);
  notices: readonly Notice[] = $state.raw([]);
  /** Why what is stored cannot be opened by this release; it has not been touched. */
  unreadable: ErrorDetails | null = $state.raw(null);
  bases: readonly Base[] = $state.raw([]);
  demoTasks: readonly DemoTask[] = $state.raw([]);
  readonly offline = new Offline();
  readonly engine: Engine;
  readonly preferences: Preferences;
  readonly demo: DemoRunner;
  readonly lesson: LessonState;
  readonly storage = new StorageState();
  /** The project that this tab shows, and who writes to it. */
  readonly open = new OpenProject(() => ({
    link: this.engine.link,
    preferences: this.preferences,
    bases: () => this.bases,
    engineReady: async () => void (await this.engine.ready()),
    notify: (kind, text, remedy) => this.notify(kind, text, remedy),
    onRecord: (record) => this.#remember(record),
    onWork: (tables) => this.storage.afterWork(tables),
  }));
  readonly #parts: AppParts;
  readonly #opened = deferred<ProjectStore>();
  readonly #listed = deferred<void>();
  /** The run that was under way when the engine died. */
  #cutOff: string | null = null;

  constructor(parts: AppParts) {
    this.#parts = parts;
    this.preferences = parts.preferences;
    this.engine = new Engine(parts, {
      onEvent: (event) => this.#handle(event),
      onFailed: (error) => this.#engineFailed(error),
    });
    this.demo = new DemoRunner(this);
    this.lesson = new LessonState(async () => {
      await this.engine.ready();
      return this.engine.link;
    });
    // Whoever waits is told; without anyone waiting the page shows `engine.error`.
    this.#opened.promise.catch(() => {});
  }

  get project(): ProjectState | null {
    return this.open.state;
  }

  /** Opens the database and the last project; the engine is loaded after that, in the worker. */
  async start(): Promise<void> {
    const { baseUrl } = this.#parts;
    void this.#fill(loadBases(baseUrl), (bases) => (this.bases = bases)).then(() =>
      this.#listed.resolve(),
    );
    void this.#fill(loadDemoTasks(baseUrl), (tasks) => (this.demoTasks = tasks));
    try {
      await afterPaint();
      const store = await this.#parts.openStore();
      this.projects = await store.listProjects();
      this.engine.startWorker();
      await this.#openFirst(store);
      this.#opened.resolve(store);
    } catch (error) {
      this.#opened.reject(error);
      this.unreadable = toErrorDetails(error);
      this.engine.fail(this.unreadable);
      return;
    }
    await afterPaint();
    await this.engine.open({ thorough: false });
  }

  /** Turns to the newer release that waits, once everything is stored. @throws PlaygroundError `busy` */
  async update(): Promise<void> {
    await this.#storeAll();
    this.offline.update();
  }

  /** The stories that ship with the page. */
  builtInText(): Promise<string> {
    return builtInText(this.#parts.baseUrl);
  }

  async #fill<T>(loading: Promise<T>, use: (value: T) => void): Promise<void> {
    try {
      use(await loading);
    } catch (error) {
      this.notify('error', toErrorDetails(error).message, 'Reload the page.');
    }
  }

  async #openFirst(store: ProjectStore): Promise<void> {
    const last =
      this.projects.find(({ id }) => id === this.preferences.lastProject) ??
      // By number, not by time: a wrong clock must not decide what a person sees.
      this.projects.at(-1);
    const project = last ?? (await this.#makeProject(store, 'My first project', 'nano', 1));
    await this.#show(store, project);
  }

  #handle(event: WorkerEvent): void {
    if (event.kind === 'lesson' || event.kind === 'lesson-point') this.lesson.handle(event);
    else if (event.kind === 'progress') this.project?.bestOfN.handle(event);
    else if (event.kind === 'experiment') this.project?.experiments.handle(event);
    else {
      if (event.kind === 'run' && event.failure?.code === 'device-lost') {
        this.#cutOff = event.run.id;
      }
      this.open.handle(event);
    }
  }

  #engineFailed(error: ErrorDetails): void {
    // The page says it in place of a stage.
    if (this.unreadable !== null) return;
    if (this.project?.writable === true) {
      this.#cutOff = this.project.transport.active?.id ?? this.#cutOff;
    }
    this.open.interrupt();
    if (error.code !== 'device-lost') return this.notify('error', error.message, error.remedy);
    // Once by itself; whatever takes the device away twice may do so for ever.
    if (this.engine.losses === 1) setTimeout(() => void this.recover(), SETTLE_MS);
  }

  /** Starts the engine anew and goes on with the run that was cut off, from its last checkpoint. */
  async recover(): Promise<void> {
    const run = this.project?.transport.byId(this.#cutOff) ?? null;
    this.#cutOff = null;
    const where = run === null ? '' : ' The run goes on from its last checkpoint.';
    this.notify('info', `The GPU was lost and is being started anew.${where}`);
    await this.engine.restart();
    if (this.engine.status !== 'ready' || run === null) return;
    try {
      await this.project?.resumeInterrupted(run.id);
    } catch (error) {
      const { message, remedy } = toErrorDetails(error);
      this.notify('error', message, remedy);
    }
  }

  /**
   * Opens the device anew, tries everything that could be chosen, and remembers what was.
   * @throws PlaygroundError `busy` while a run is under way; `engine`
   */
  async checkDeviceAgain(): Promise<void> {
    if (this.project?.writable === true) this.project.requireIdle();
    await this.engine.checkAgain();
  }

  // Messages

  notify(kind: Notice['kind'], text: string, remedy?: string): void {
    if (this.notices.some((notice) => notice.text === text)) return;
    const notice = { id: newId(), kind, text, ...(remedy === undefined ? {} : { remedy }) };
    this.notices = [...this.notices, notice];
  }
  dismiss(id: string): void {
    this.notices = this.notices.filter((notice) => notice.id !== id);
  }

  // Projects

  /** Whether `base` is one that a new project can start on. */
  async isBase(base: string): Promise<boolean> {
    if (base === 'scratch' || this.bases.some(({ id }) => id === base)) return true;
    return (await this.#opened.promise).hasBase(base);
  }

  /** Makes a project and opens it. @throws PlaygroundError `busy` while a run is under way */
  async createProject({ name, base, seed }: NewProject): Promise<string> {
    const store = await this.#leaveProject();
    const stored = await store.hasBase(base);
    let project = await this.#makeProject(store, name, stored ? 'scratch' : base, seed);
    if (stored) {
      project = await store.copyBase(base, project.id);
      this.#remember(project);
    }
    await this.#show(store, project);
    return project.id;
  }

  /** @throws PlaygroundError `not-found`; `busy` while a run is under way in the open project */
  async openProject(id: string): Promise<void> {
    if (id === this.project?.record.id) return;
    this.#find(id);
    const store = await this.#leaveProject();
    await this.#show(store, this.#find(id));
  }

  async renameProject(id: string, name: string): Promise<void> {
    const project = this.#find(id);
    if (this.project?.record.id === id) {
      this.project.rename(name);
      return this.project.flush();
    }
    const store = await this.#opened.promise;
    const renamed = { ...project, name, updatedAt: Date.now() };
    await store.alone(id, () => store.commit({ projects: plainMap([[id, renamed]]) }, id));
    this.#remember(renamed);
  }

  /** Copies a project with all its models; the copy is not opened. Returns its id. */
  async duplicateProject(id: string): Promise<string> {
    const { name } = this.#find(id);
    if (this.project?.writable === true) await this.project.flush();
    const store = await this.#opened.promise;
    const copy = await store.saveBundle(await store.loadBundle(id), `${name} (copy)`);
    this.#remember(copy);
    return copy.id;
  }

  /** Deletes a project and all that belongs to it; another one is opened when it was open. */
  async deleteProject(id: string): Promise<void> {
    this.#find(id);
    const wasOpen = this.project?.record.id === id;
    if (wasOpen) this.project?.requireWriter();
    const store = wasOpen ? await this.#leaveProject() : await this.#opened.promise;
    if (wasOpen) await this.open.leave();
    await store.alone(id, () => store.deleteProject(id));
    this.projects = this.projects.filter((project) => project.id !== id);
    await this.engine.link.call('forget', { projectId: id }).catch(() => null);
    if (wasOpen) await this.#openFirst(store);
  }

  /** Looks anew at what takes how much room. */
  async refreshStorage(): Promise<void> {
    const store = await this.#opened.promise;
    // Other tabs make projects too.
    this.projects = await store.listProjects();
    await this.storage.refresh(store);
  }

  /** Deletes checkpoints of a project that nothing needs any more. @throws PlaygroundError `busy`, `read-only` */
  async deleteOldCheckpoints(id: string): Promise<void> {
    const store = await this.#opened.promise;
    if (this.project?.record.id === id) await this.open.deleteOldCheckpoints();
    else await store.alone(id, () => store.deleteOldCheckpoints(id));
    await this.storage.refresh(store);
  }

  /** Everything that is stored here, as it is, for when it cannot be opened. */
  async rawCopy(): Promise<Blob> {
    const { rawCopy } = await import('../storage/raw-copy');
    return rawCopy();
  }

  /** The open project as a file, `.rlhf.zip`. */
  async exportProject(): Promise<Blob> {
    const store = await this.#opened.promise;
    const project = this.openedProject();
    // Where there is no room left to store the last changes, the file is the one place for them.
    const stored = await project.flush().then(
      () => true,
      () => false,
    );
    const bundle = await store.loadBundle(project.record.id);
    const { writeProjectFile } = await import('../formats/project-file');
    return writeProjectFile(stored ? bundle : withChanges(bundle, project));
  }

  /**
   * Stores a project file as another project; it is not opened. Returns its id.
   * @throws PlaygroundError `format`; nothing is stored then
   */
  async importProject(file: Blob): Promise<string> {
    return this.importBundle(await readProjectBundle(file));
  }

  /** Stores a project that has been read and looked at. All or nothing; returns its id. */
  async importBundle(bundle: ProjectBundle): Promise<string> {
    const store = await this.#opened.promise;
    const project = await store.saveBundle(bundle, bundle.project.name);
    this.#remember(project);
    return project.id;
  }

  /**
   * Makes a project of the sets in a class file and opens it at the ranking board: no model is needed.
   * @param member who is going to rank
   * @throws PlaygroundError `input`, `format`; `busy` while a run is under way. Nothing is stored then
   */
  async openClassFile(read: ReadClassFile, member: ClassMember): Promise<string> {
    const store = await this.#leaveProject();
    const bundle = classProject(read, member);
    const project = await store.saveBundle(bundle, bundle.project.name);
    this.#remember(project);
    this.preferences.labeler = member.code;
    await this.#show(store, project);
    return project.id;
  }

  /** Resolves when the database is open and a project shown. @throws PlaygroundError `storage` */
  async projectsReady(): Promise<void> {
    await this.#opened.promise;
  }

  /** Resolves when the shipped bases are known. */
  basesReady(): Promise<void> {
    return this.#listed.promise;
  }

  /** @throws PlaygroundError `missing` while none is open */
  openedProject(): ProjectState {
    if (this.project !== null) return this.project;
    throw new PlaygroundError({ code: 'missing', message: 'No project is open.' });
  }

  #find(id: string): Project {
    const project = this.projects.find((other) => other.id === id);
    if (project !== undefined) return project;
    throw new PlaygroundError({
      code: 'not-found',
      field: 'id',
      message: `There is no project with the id "${id}".`,
    });
  }

  /** Stores what is left to store. @throws PlaygroundError `busy`, `storage` */
  async #storeAll(): Promise<void> {
    // What a follower shows is under way, and stored, in another tab.
    if (this.project?.writable !== true) return;
    this.project.requireIdle();
    await this.project.flush();
  }

  async #leaveProject(): Promise<ProjectStore> {
    const store = await this.#opened.promise;
    await this.#storeAll();
    return store;
  }

  async #makeProject(
    store: ProjectStore,
    name: string,
    base: string,
    seed: number,
  ): Promise<Project> {
    const project = freshProject({ name, base, seed }, this.projects);
    await store.commit({ projects: plainMap([[project.id, project]]) }, project.id);
    this.#remember(project);
    return project;
  }

  async #show(store: ProjectStore, project: Project): Promise<void> {
    await this.open.show(store, project.id);
    this.preferences.lastProject = project.id;
  }

  #remember(record: Project): void {
    this.projects = this.projects.some(({ id }) => id === record.id)
      ? this.projects.map((other) => (other.id === record.id ? record : other))
      : [...this.projects, record];
  }
}
