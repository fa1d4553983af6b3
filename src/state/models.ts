/** The models of a project at work, by the worker: they write, score, come in and go out. */
import type { BestOfNRecord } from '../core/best-of-n';
import type { Completion, Project } from '../core/domain';
import type { Commands, Comparison, CompleteOptions } from '../worker/protocol';
import type { WorkerLink } from './ports';

export class Models {
  readonly #projectId: string;
  readonly #link: WorkerLink;
  readonly #ready: () => Promise<void>;
  readonly #claim: () => string;

  /**
   * @param ready resolves when the engine runs and everything that the worker reads is stored
   * @param claim what the worker writes under; throws `read-only` where another tab writes
   */
  constructor(
    projectId: string,
    link: WorkerLink,
    ready: () => Promise<void>,
    claim: () => string,
  ) {
    this.#projectId = projectId;
    this.#link = link;
    this.#ready = ready;
    this.#claim = claim;
  }

  async complete(options: CompleteOptions): Promise<Completion[]> {
    await this.#ready();
    return this.#link.call('complete', { projectId: this.#projectId, options });
  }

  /** [prompt × n + i][model]. */
  async compare(
    request: Omit<Commands['compare']['request'], 'projectId'>,
  ): Promise<Comparison[][]> {
    await this.#ready();
    return this.#link.call('compare', { projectId: this.#projectId, ...request });
  }

  /** Normalised reward-model scores. */
  async score(items: { prompt: string; completion: string }[]): Promise<number[]> {
    await this.#ready();
    return this.#link.call('score', { projectId: this.#projectId, items });
  }

  /** Best-of-n on the models and prompts that PPO would start on now. */
  async bestOfN(): Promise<BestOfNRecord> {
    this.#claim();
    await this.#ready();
    return this.#link.call('bestOfN', { projectId: this.#projectId });
  }

  /**
   * Takes over a Hugging Face folder as the base of this project; `name` is what it is called.
   * @throws PlaygroundError `busy`; `input`, `format` or `engine` naming what does not fit
   */
  async importBase(
    name: string,
    files: { path: string; blob: Blob }[],
  ): Promise<Commands['importBase']['result']> {
    const claim = this.#claim();
    await this.#ready();
    return this.#link.call('importBase', { projectId: this.#projectId, claim, name, files });
  }

  /** A model as a zip of a Hugging Face folder. @throws PlaygroundError `missing` */
  async exportModel(model: keyof Project['runs']): Promise<Blob> {
    await this.#ready();
    return this.#link.call('exportModel', { projectId: this.#projectId, model });
  }
}
