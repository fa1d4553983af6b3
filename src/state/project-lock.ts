/**
 * Which tab writes to a project: the one that holds its lock. Others follow, are told what changes,
 * and stand in line for the lock, so that one of them writes when the holder is closed or crashes.
 * A tab that wants to take over asks first; only a holder that does not answer loses the lock by force.
 */
import { interruptRuns } from '../storage/runs';
import { claimProject, holdClaim } from '../storage/writer';
import type { Database } from '../storage/schema';
import { after } from './deferred';
import { newId } from './ids';
import type { LockHooks, ProjectLock, ProjectNews } from './ports';

/** How long a holder may take to store what is left before it lets go, ms. */
const HAND_OVER_MS = 1000;
/** How long an answer is waited for before the lock is taken by force, ms. */
const POLITE_MS = 1500;

/** How long a tab that opens a project waits for one that is just being closed, ms. */
const LETTING_GO_MS = 300;

/** Pages that are not secure have no locks: the claim alone decides there, and the last one counts. */
const HAS_LOCKS = 'locks' in navigator;

const nameOf = (projectId: string): string => `rlhf-playground.project.${projectId}`;

type Message = ProjectNews | { kind: 'ask'; tab: string };

/** Opens a project to write to it when nobody else does, otherwise to follow. */
export async function openLock(
  db: Database,
  projectId: string,
  hooks: LockHooks,
): Promise<ProjectLock> {
  const lock = new BrowserLock(db, projectId, hooks);
  await lock.open();
  return lock;
}

class BrowserLock implements ProjectLock {
  claim: string | null = null;
  readonly #db: Database;
  readonly #projectId: string;
  readonly #hooks: LockHooks;
  readonly #tab = newId();
  readonly #channel: BroadcastChannel;
  /** Lets the lock go that is held. */
  #letGo: (() => void) | null = null;
  /** Ends the request that stands in line. */
  #inLine: AbortController | null = null;
  /** Another tab has asked for the project and comes first until then, ms of `performance.now()`. */
  #othersFirst = 0;
  #handingOver = false;
  /** Settles when the browser has ended the last request. */
  #over: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(db: Database, projectId: string, hooks: LockHooks) {
    this.#db = db;
    this.#projectId = projectId;
    this.#hooks = hooks;
    this.#channel = new BroadcastChannel(nameOf(projectId));
    this.#channel.onmessage = ({ data }: MessageEvent<Message>) => this.#receive(data);
  }

  async open(): Promise<void> {
    if (await this.#request({ ifAvailable: true })) return;
    void this.#standInLine();
    // A page that is being reloaded, or closed, is still letting go.
    const patience = performance.now() + LETTING_GO_MS;
    while (this.claim === null && performance.now() < patience) await after(10);
  }

  tell(news: ProjectNews): void {
    if (!this.#closed) this.#channel.postMessage(news satisfies Message);
  }

  async takeOver(): Promise<void> {
    if (this.claim !== null || this.#closed) return;
    this.#othersFirst = 0;
    this.#channel.postMessage({ kind: 'ask', tab: this.#tab } satisfies Message);
    const patience = performance.now() + POLITE_MS;
    while (this.claim === null && performance.now() < patience) await after(20);
    if (this.claim !== null) return;
    this.#inLine?.abort();
    this.#inLine = null;
    if (await this.#request({ steal: true })) this.#hooks.onWriter();
    else void this.#standInLine();
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#inLine?.abort();
    this.#drop();
    this.#channel.close();
    await this.#over;
  }

  #receive(message: Message): void {
    if (message.kind !== 'ask') this.#hooks.onNews(message);
    else if (this.claim !== null) void this.#handOver();
    else this.#othersFirst = performance.now() + POLITE_MS;
  }

  async #handOver(): Promise<void> {
    if (this.#handingOver) return;
    this.#handingOver = true;
    this.#othersFirst = performance.now() + POLITE_MS;
    await Promise.race([this.#hooks.onAsked().catch(() => {}), after(HAND_OVER_MS)]);
    this.#handingOver = false;
    this.lost();
  }

  lost(): void {
    if (this.claim === null) return;
    this.#drop();
    if (this.#closed) return;
    this.#hooks.onFollower();
    void this.#standInLine();
  }

  #drop(): void {
    if (this.claim !== null) holdClaim(this.#db, this.#projectId, null);
    this.claim = null;
    this.#letGo?.();
    this.#letGo = null;
  }

  async #standInLine(): Promise<void> {
    // Without locks there is no line: whoever takes over has it.
    if (this.#inLine !== null || !HAS_LOCKS) return;
    const inLine = new AbortController();
    this.#inLine = inLine;
    try {
      while (!inLine.signal.aborted) {
        const wait = this.#othersFirst - performance.now();
        if (wait > 0) await after(wait);
        if (await this.#request({ signal: inLine.signal })) return this.#hooks.onWriter();
      }
    } catch {
      // The project was deleted, or the database is gone: nothing is left to write to.
    } finally {
      if (this.#inLine === inLine) this.#inLine = null;
    }
  }

  /** Resolves once the lock is held and the project claimed; false when it was not to be had. */
  #request(options: LockOptions): Promise<boolean> {
    return new Promise((resolve, reject) => {
      // Assigned below, before any callback runs.
      let letGo = (): void => {};
      const held = new Promise<void>((release) => {
        letGo = release;
      });
      const use = async (lock: Lock | null): Promise<void> => {
        const mayComeFirst = options.steal === true || performance.now() >= this.#othersFirst;
        if (lock === null || this.#closed || !mayComeFirst) return resolve(false);
        this.#letGo = letGo;
        const claim = newId();
        try {
          await claimProject(this.#db, this.#projectId, claim);
          await interruptRuns(this.#db, this.#projectId);
        } catch (error) {
          this.#letGo = null;
          return reject(error instanceof Error ? error : new Error(String(error)));
        }
        // Taken away meanwhile, or closed.
        if (this.#letGo !== letGo) {
          holdClaim(this.#db, this.#projectId, null);
          return resolve(false);
        }
        this.claim = claim;
        resolve(true);
        await held;
      };
      const name = nameOf(this.#projectId);
      const over = HAS_LOCKS
        ? navigator.locks.request(name, options, use)
        : use({ name, mode: 'exclusive' });
      this.#over = over.catch(() => {
        resolve(false);
        if (this.#letGo !== letGo) return;
        this.#letGo = null;
        this.lost();
      });
    });
  }
}
