/**
 * What belongs to the person and not to a project. Kept in `localStorage`, which can be read before
 * the first paint, so that a dark page never flashes white.
 */
export type Theme = 'auto' | 'light' | 'dark';

interface Stored {
  theme: Theme;
  projector: boolean;
  labeler: string;
  lastProject: string | null;
}

const KEY = 'rlhf-playground.preferences';
const THEMES: readonly unknown[] = ['auto', 'light', 'dark'];

/** The part of `Storage` that is needed; null where the browser refuses it. */
export type PreferenceStorage = Pick<Storage, 'getItem' | 'setItem'> | null;

/** `localStorage`, or null: reading the property throws where a person has blocked it. */
export function browserStorage(): PreferenceStorage {
  try {
    return globalThis.localStorage ?? null;
  } catch {
    return null;
  }
}

function read(storage: PreferenceStorage): Partial<Record<keyof Stored, unknown>> {
  try {
    const value: unknown = JSON.parse(storage?.getItem(KEY) ?? '{}');
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {};
  }
}

export class Preferences {
  readonly #storage: PreferenceStorage;
  #stored: Stored = $state.raw({
    theme: 'auto',
    projector: false,
    labeler: 'me',
    lastProject: null,
  });

  constructor(storage: PreferenceStorage) {
    this.#storage = storage;
    const { theme, projector, labeler, lastProject } = read(storage);
    this.#stored = {
      theme: THEMES.includes(theme) ? (theme as Theme) : 'auto',
      projector: projector === true,
      labeler: typeof labeler === 'string' && labeler !== '' ? labeler : 'me',
      lastProject: typeof lastProject === 'string' ? lastProject : null,
    };
  }

  get theme(): Theme {
    return this.#stored.theme;
  }
  set theme(theme: Theme) {
    this.#set({ theme });
  }

  /** Larger type and thicker lines, for showing the page to a room. */
  get projector(): boolean {
    return this.#stored.projector;
  }
  set projector(projector: boolean) {
    this.#set({ projector });
  }

  /** The name under which this person's rankings are stored. */
  get labeler(): string {
    return this.#stored.labeler;
  }
  set labeler(labeler: string) {
    this.#set({ labeler: labeler.trim() || 'me' });
  }

  get lastProject(): string | null {
    return this.#stored.lastProject;
  }
  set lastProject(lastProject: string | null) {
    this.#set({ lastProject });
  }

  #set(change: Partial<Stored>): void {
    this.#stored = { ...this.#stored, ...change };
    try {
      this.#storage?.setItem(KEY, JSON.stringify(this.#stored));
    } catch {
      // Full or refused: the choice holds until the page is closed, and nothing else depends on it.
    }
  }
}
