/**
 * What belongs to the person and not to a project. Kept in `localStorage`, which can be read before
 * the first paint, so that a dark page never flashes white.
 */
import * as v from 'valibot';
import { KERNEL_FAMILIES, VARIANTS, type DeviceVerdict } from '../core/device-report';

export type Theme = 'auto' | 'light' | 'dark';

interface Stored {
  theme: Theme;
  projector: boolean;
  labeler: string;
  lastProject: string | null;
  deviceVerdict: DeviceVerdict | null;
}

const BACKENDS = ['webgpu', 'webgl', 'wasm', 'cpu'] as const;
const VERDICTS = ['chosen', 'slower', 'wrong', 'failed', 'untried'] as const;
const orNull = <T>(schema: v.GenericSchema<T>) => v.nullable(schema);
/** Kept by an earlier release, or written by hand: what does not fit is as good as nothing. */
const verdictSchema: v.GenericSchema<DeviceVerdict> = v.object({
  key: v.string(),
  backend: v.picklist(BACKENDS),
  families: v.array(
    v.object({
      family: v.picklist(KERNEL_FAMILIES),
      chosen: v.picklist(VARIANTS),
      timedAt: v.string(),
      candidates: v.array(
        v.object({
          variant: v.picklist(VARIANTS),
          maxError: orNull(v.number()),
          ms: orNull(v.number()),
          verdict: v.picklist(VERDICTS),
          reason: orNull(v.string()),
        }),
      ),
    }),
  ),
  fallback: v.array(
    v.object({
      backend: v.picklist(BACKENDS),
      ms: orNull(v.number()),
      reason: orNull(v.string()),
    }),
  ),
  checkedAt: v.number(),
  ms: v.number(),
});

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
    deviceVerdict: null,
  });

  constructor(storage: PreferenceStorage) {
    this.#storage = storage;
    const { theme, projector, labeler, lastProject, deviceVerdict } = read(storage);
    const verdict = v.safeParse(verdictSchema, deviceVerdict);
    this.#stored = {
      theme: THEMES.includes(theme) ? (theme as Theme) : 'auto',
      projector: projector === true,
      labeler: typeof labeler === 'string' && labeler !== '' ? labeler : 'me',
      lastProject: typeof lastProject === 'string' ? lastProject : null,
      deviceVerdict: verdict.success ? verdict.output : null,
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

  /** What the last check of this machine chose; the next start chooses the same. */
  get deviceVerdict(): DeviceVerdict | null {
    return this.#stored.deviceVerdict;
  }
  set deviceVerdict(deviceVerdict: DeviceVerdict | null) {
    this.#set({ deviceVerdict });
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
