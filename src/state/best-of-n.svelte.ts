/** Best-of-n of a project: measured by the worker, stored in the project's record. */
import type { BestOfNRecord } from '../core/best-of-n';
import { PlaygroundError } from '../core/errors';
import type { WorkerEvent } from '../worker/protocol';

export class BestOfN {
  /** Prompts done; null while nothing is being measured. */
  progress: { done: number; total: number } | null = $state.raw(null);
  readonly #measure: () => Promise<BestOfNRecord>;
  readonly #store: (record: BestOfNRecord) => void;

  constructor(measure: () => Promise<BestOfNRecord>, store: (record: BestOfNRecord) => void) {
    this.#measure = measure;
    this.#store = store;
  }

  /** @throws PlaygroundError `missing` without SFT or reward model; `busy`; `engine` */
  async measure(): Promise<BestOfNRecord> {
    this.requireIdle();
    this.progress = { done: 0, total: 0 };
    try {
      const record = await this.#measure();
      this.#store(record);
      return record;
    } finally {
      this.progress = null;
    }
  }

  /** @throws PlaygroundError `busy` */
  requireIdle(): void {
    if (this.progress === null) return;
    throw new PlaygroundError({
      code: 'busy',
      message: 'Best-of-n is being measured.',
      remedy: 'Wait until it has finished.',
    });
  }

  handle({ what, done, total }: Extract<WorkerEvent, { kind: 'progress' }>): void {
    if (what === 'best-of-n' && this.progress !== null) this.progress = { done, total };
  }
}
