/** The room that this browser gives: what takes how much, and whether it is kept. */
import { plainSet } from './plain-collections';
import { askForPersistence, isPersisted } from '../storage/persistence';
import { askRoom, type Room } from '../storage/room';
import type { ProjectUsage } from '../storage/usage';
import type { ProjectStore } from './ports';

export class StorageState {
  /** Null where the browser does not say. */
  room: Room | null = $state.raw(null);
  /** Null until it is known, and where the browser does not say. */
  persisted: boolean | null = $state.raw(null);
  projects: readonly ProjectUsage[] = $state.raw([]);
  #asked = false;

  async refresh(store: ProjectStore): Promise<void> {
    this.projects = await store.usage();
    this.room = await askRoom();
    this.persisted = await isPersisted();
  }

  /** Asks the browser to keep what is stored until a person deletes it. */
  async ask(): Promise<void> {
    this.#asked = true;
    this.persisted = await askForPersistence();
  }

  /** Asks once, when somebody has made something here that they would miss. */
  afterWork(tables: readonly string[]): void {
    if (this.#asked || !tables.some((table) => WORK.has(table))) return;
    void this.ask();
  }
}

/** Tables with what people make; opening the page stores a project too. */
const WORK = plainSet(['demonstrations', 'prompts', 'sets', 'rankings', 'runs']);
