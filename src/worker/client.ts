/** The page's end of the worker: requests with typed results, events in order, restart after a crash. */
import { PlaygroundError, type ErrorDetails } from '../core/errors';
import {
  PROTOCOL_VERSION,
  type CommandName,
  type Commands,
  type FromWorker,
  type WorkerEvent,
} from './protocol';
import workerPath from './train.worker.ts?worker&url';

interface Waiting {
  resolve: (result: unknown) => void;
  reject: (error: PlaygroundError) => void;
}

/**
 * Starts the worker of this release. A worker that is loaded by its own address has only the policy
 * that its server sends with it, and static hosts send none; one that starts from a blob: address has
 * the policy of the page.
 */
function startWorker(): Worker {
  const address = new URL(workerPath, import.meta.url).href;
  const start = new Blob([`import ${JSON.stringify(address)};`], { type: 'text/javascript' });
  return new Worker(URL.createObjectURL(start), { type: 'module', name: 'training' });
}

export class WorkerClient {
  private worker: Worker;
  private nextId = 1;
  private readonly waiting = new Map<number, Waiting>();
  private readonly listeners = new Set<(event: WorkerEvent) => void>();
  private readonly start: () => Worker;

  /** @param start another worker for tests */
  constructor(start: () => Worker = startWorker) {
    this.start = start;
    this.worker = this.listen(start());
  }

  /**
   * Sends a command; the result is that of its reply.
   * @throws PlaygroundError as thrown in the worker; `engine` when the worker dies meanwhile
   */
  call<K extends CommandName>(
    name: K,
    request: Commands[K]['request'],
  ): Promise<Commands[K]['result']> {
    const id = this.nextId++;
    return new Promise<Commands[K]['result']>((resolve, reject) => {
      this.waiting.set(id, {
        resolve: (result) => resolve(result as Commands[K]['result']),
        reject,
      });
      try {
        this.worker.postMessage({ version: PROTOCOL_VERSION, id, name, request });
      } catch (thrown) {
        this.waiting.delete(id);
        reject(
          new PlaygroundError({
            code: 'argument',
            field: name,
            message: `The request ${name} holds a value that cannot be sent: ${String(thrown)}`,
          }),
        );
      }
    });
  }

  /** Calls back for every event, in order. Returns a function that ends the subscription. */
  onEvent(listener: (event: WorkerEvent) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** A fresh worker; what was asked of the old one is rejected. Call `init` again afterwards. */
  restart(): void {
    this.close();
    this.worker = this.listen(this.start());
  }

  /** Ends the worker; what was asked of it is rejected. */
  close(): void {
    this.worker.terminate();
    this.rejectAll({
      code: 'engine',
      message: 'The worker was closed before it had finished.',
      remedy: 'Resume the run; it continues from its last checkpoint.',
    });
  }

  private listen(worker: Worker): Worker {
    const current = (): boolean => worker === this.worker;
    worker.addEventListener('message', ({ data }: MessageEvent<FromWorker>) => {
      if (current()) this.receive(data);
    });
    worker.addEventListener('messageerror', () => {
      if (current()) this.failed('A message of the worker could not be read.');
    });
    worker.addEventListener('error', (event) => {
      if (!current()) return;
      event.preventDefault();
      this.failed(`The worker stopped: ${event.message || 'it could not be loaded'}.`);
    });
    return worker;
  }

  private receive(message: FromWorker): void {
    if (message.type === 'event') {
      for (const listener of this.listeners) listener(message);
      return;
    }
    const waiting = this.waiting.get(message.id);
    this.waiting.delete(message.id);
    if (message.ok) waiting?.resolve(message.result);
    else waiting?.reject(new PlaygroundError(message.error));
  }

  private failed(message: string): void {
    const error: ErrorDetails = {
      code: 'engine',
      message,
      remedy: 'Reload the page; the run continues from its last checkpoint.',
    };
    this.rejectAll(error);
    for (const listener of this.listeners) {
      listener({ type: 'event', seq: 0, kind: 'engine-error', error });
    }
  }

  private rejectAll(error: ErrorDetails): void {
    const waiting = [...this.waiting.values()];
    this.waiting.clear();
    for (const { reject } of waiting) reject(new PlaygroundError(error));
  }
}
