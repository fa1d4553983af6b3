/** What an open project needs of the page around it. */
import type { Project } from '../core/domain';
import type { ProjectStore, WorkerLink } from './ports';
import type { Preferences } from './preferences.svelte';

export interface ProjectContext {
  store: ProjectStore;
  link: WorkerLink;
  preferences: Preferences;
  /** Shipped bases as far as they are known. */
  bases(): readonly { id: string }[];
  /** Resolves once the worker can train. @throws PlaygroundError `engine` */
  engineReady(): Promise<void>;
  /** Says something that has no place of its own on the page. */
  notify(kind: 'info' | 'error', text: string, remedy?: string): void;
  /** The record has changed: the list of projects shows its name. */
  onRecord(record: Project): void;
}
