/** What the page needs from the database and from the worker: the seams where tests put their own. */
import type {
  CandidateSet,
  Demonstration,
  MetricRow,
  Project,
  Prompt,
  Ranking,
  Run,
  Sample,
} from '../core/domain';
import type { ProjectBundle } from '../formats/project-file';
import type { ProjectUsage } from '../storage/usage';
import type { BaseChoice } from './base-choice';
import type { CommandName, Commands, WorkerEvent } from '../worker/protocol';

/** The tables that the page writes. */
export interface PageTables {
  projects: Project;
  demonstrations: Demonstration;
  prompts: Prompt;
  sets: CandidateSet;
  rankings: Ranking;
}
export type PageTable = keyof PageTables;

/** New contents by id; null deletes. */
export type Changes = { [T in PageTable]?: ReadonlyMap<string, PageTables[T] | null> };

export interface ProjectRecords {
  demonstrations: Demonstration[];
  prompts: Prompt[];
  sets: CandidateSet[];
  rankings: Ranking[];
  runs: Run[];
}

/** A project as it is stored at one moment. */
export interface OpenedRecords extends ProjectRecords {
  project: Project;
  /** Grows with every change. */
  revision: number;
}

/** What the tab that writes to a project tells those that follow. */
export type ProjectNews =
  { kind: 'changed'; revision: number } | { kind: 'event'; event: WorkerEvent };

export interface LockHooks {
  /** From now on this tab writes, and nobody else does. */
  onWriter(): void;
  /** From now on another tab writes. */
  onFollower(): void;
  /** Another tab asks for the project: resolves when everything is stored. */
  onAsked(): Promise<void>;
  onNews(news: ProjectNews): void;
}

export interface ProjectLock {
  /** Under which this tab writes; null while another one does. */
  readonly claim: string | null;
  /** Becomes the writer: `onWriter` tells when. */
  takeOver(): Promise<void>;
  /** A write was refused: somebody else has claimed the project. */
  lost(): void;
  tell(news: ProjectNews): void;
  /** Leaves the project to others; resolves when they can have it. */
  close(): Promise<void>;
}

export interface RunSamples {
  step: number;
  samples: Sample[];
}

export interface ProjectStore {
  listProjects(): Promise<Project[]>;
  /** Opens a project to write to it, or to follow the tab that does. @throws PlaygroundError `not-found` */
  lock(projectId: string, hooks: LockHooks): Promise<ProjectLock>;
  /** Does `work` on a project that is not open. @throws PlaygroundError `read-only` when it is in another tab */
  alone<T>(projectId: string, work: () => Promise<T>): Promise<T>;
  /** Every record of a project but metrics and checkpoints, in order of `seq`. */
  loadProject(projectId: string): Promise<OpenedRecords>;
  /** All changes or none; resolves with the project's revision once they are on disk. */
  commit(changes: Changes, projectId: string): Promise<number>;
  /**
   * All changes or none, handed over at once: the page is about to go away. `project` is what the last
   * commit under this claim left.
   */
  commitAtOnce(changes: Changes, project: { claim: string; revision: number }): void;
  /** Puts a project on another base: a shipped one, or the model of one of its pretraining runs. */
  setBase(projectId: string, choice: BaseChoice): Promise<void>;
  /** Whether `runId` is a pretrained or imported base model of any project. */
  hasBase(runId: string): Promise<boolean>;
  /** Puts a project on the base model of another one; returns the project as stored. */
  copyBase(runId: string, projectId: string): Promise<Project>;
  /** Removes a project with its runs, metrics and checkpoints. */
  deleteProject(projectId: string): Promise<void>;
  /** What each project takes of the browser's room. */
  usage(): Promise<ProjectUsage[]>;
  /** Deletes checkpoints that nothing needs any more; returns how many. */
  deleteOldCheckpoints(projectId: string): Promise<number>;
  loadRows(runId: string): Promise<MetricRow[]>;
  loadSamples(runId: string): Promise<RunSamples[]>;
  /** Everything that is stored of a project. */
  loadBundle(projectId: string): Promise<ProjectBundle>;
  /** Stores a bundle as another project, under new ids; returns that project. */
  saveBundle(bundle: ProjectBundle, name: string): Promise<Project>;
}

export interface WorkerLink {
  call<K extends CommandName>(
    name: K,
    request: Commands[K]['request'],
  ): Promise<Commands[K]['result']>;
  /** @returns a function that ends the subscription */
  onEvent(listener: (event: WorkerEvent) => void): () => void;
  /** A fresh worker in the place of this one; call `init` again. */
  restart(): void;
}
