/** The worker and the device behind it: started after the first paint, and started anew when lost. */
import type { DeviceReport } from '../core/device-report';
import { PlaygroundError, toErrorDetails, type ErrorDetails } from '../core/errors';
import type { OwnFiles } from '../formats/own-files';
import type { EngineInfo, WorkerEvent } from '../worker/protocol';
import { deferred } from './deferred';
import type { WorkerLink } from './ports';
import type { Preferences } from './preferences.svelte';

export interface EngineParts {
  baseUrl: string;
  /** In the one-file edition. */
  files: OwnFiles | null;
  preferences: Preferences;
  startWorker(): WorkerLink;
}

export interface EngineHooks {
  onEvent(event: WorkerEvent): void;
  /** The engine has died with whatever was under way in it. */
  onFailed(error: ErrorDetails): void;
}

export class Engine {
  status: 'loading' | 'ready' | 'failed' = $state.raw('loading');
  info: EngineInfo | null = $state.raw(null);
  error: ErrorDetails | null = $state.raw(null);
  /** How often the device has been lost since the page was opened. */
  losses = $state.raw(0);
  readonly #parts: EngineParts;
  readonly #hooks: EngineHooks;
  #ready = deferred<EngineInfo>();
  #link: WorkerLink | null = null;

  constructor(parts: EngineParts, hooks: EngineHooks) {
    this.#parts = parts;
    this.#hooks = hooks;
    // Whoever waits is told; without anyone waiting the page shows `error`.
    this.#ready.promise.catch(() => {});
  }

  /** Starts the worker, which answers at once what needs no device. */
  startWorker(): void {
    this.#link = this.#parts.startWorker();
    this.#link.onEvent((event) => {
      if (event.kind === 'engine-error') this.fail(event.error);
      else this.#hooks.onEvent(event);
    });
  }

  /** @throws PlaygroundError `engine` before the worker was started */
  get link(): WorkerLink {
    if (this.#link !== null) return this.#link;
    throw new PlaygroundError({ code: 'engine', message: 'The worker has not been started yet.' });
  }

  /** Opens the device. Never rejects: `ready` does. */
  async open({ thorough }: { thorough: boolean }): Promise<void> {
    try {
      const { baseUrl, files, preferences } = this.#parts;
      const remembered = preferences.deviceVerdict;
      const request = { baseUrl, remembered, thorough, ...(files && { files }) };
      const info = await this.link.call('init', request);
      preferences.deviceVerdict = info.verdict;
      this.info = info;
      this.error = null;
      this.status = 'ready';
      this.#ready.resolve(info);
    } catch (error) {
      this.fail(toErrorDetails(error));
    }
  }

  fail(error: ErrorDetails): void {
    // The worker may tell of one loss in several ways.
    if (this.status === 'failed') return;
    if (error.code === 'device-lost') this.losses++;
    this.status = 'failed';
    this.error = error;
    this.#ready.reject(new PlaygroundError(error));
    this.#hooks.onFailed(error);
  }

  /** A fresh worker on a fresh device. */
  async restart(): Promise<void> {
    this.#begin();
    this.link.restart();
    await this.open({ thorough: false });
  }

  /** What runs the model, once it does. @throws PlaygroundError `engine`, `storage` */
  async ready(): Promise<EngineInfo> {
    if (this.error !== null) throw new PlaygroundError(this.error);
    return this.#ready.promise;
  }

  /**
   * What is known of this machine. `measure` takes some seconds.
   * @throws PlaygroundError `engine`; `busy` for a measurement while a run is under way
   */
  async report({ measure }: { measure: boolean }): Promise<DeviceReport> {
    await this.ready();
    return this.link.call('deviceReport', { measure });
  }

  /** Opens the device anew, tries everything that could be chosen, and remembers what was. */
  async checkAgain(): Promise<void> {
    await this.ready();
    this.#begin();
    await this.open({ thorough: true });
    await this.ready();
  }

  #begin(): void {
    this.status = 'loading';
    this.error = null;
    this.#ready = deferred<EngineInfo>();
    this.#ready.promise.catch(() => {});
  }
}
