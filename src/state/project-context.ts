/** What an open project needs of the page around it. */
import type { Project } from '../core/domain';
import type { ProjectStore, WorkerLink } from './ports';
import type { Preferences } from './preferences.svelte';

export interface ProjectContext {
  store: ProjectStore;
  /** Under which this tab writes to the project; null: it follows the tab that does. */
  claim: string | null;
  link: WorkerLink;
  preferences: Preferences;
  /** Shipped bases as far as they are known. */
  bases(): readonly { id: string }[];
  /** Resolves once the worker can train. @throws PlaygroundError `engine` */
  engineReady(): Promise<void>;
  /** Says something that has no place of its own on the page. */
  notify(kind: 'info' | 'error', text: string, remedy?: string): void;
  /** Of what is stored when the project is opened. */
  revision: number;
  /** Records of these tables have been stored. */
  onWork(tables: readonly string[]): void;
  /** A change is on disk. */
  onStored(revision: number): void;
  /** The database refused a change: another tab writes to the project by now. */
  onRefused(): void;
  /** The record has changed: the list of projects shows its name. */
  onRecord(record: Project): void;
}
