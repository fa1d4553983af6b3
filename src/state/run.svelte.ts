/**
 * The runs of one project as the page sees them: which one is under way, how far it is, and what it
 * has logged. The worker writes runs and metrics; this class follows its events.
 */
import type { MetricRow, Run, Stage } from '../core/domain';
import { PlaygroundError, type ErrorDetails } from '../core/errors';
import type { WorkerEvent } from '../worker/protocol';
import { plainMap } from './plain-collections';
import type { ProjectStore, RunSamples, WorkerLink } from './ports';

/** Rows that arrive within this time are shown together, so that a fast GPU cannot swamp the page. */
const SHOW_EVERY_MS = 60;

/** Rows and samples of one run. */
class RunLog {
  rows: readonly MetricRow[] = $state.raw([]);
  samples: readonly RunSamples[] = $state.raw([]);
  #loaded: Promise<void> | undefined;
  #waiting: MetricRow[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #store: ProjectStore;
  readonly #runId: string;

  constructor(store: ProjectStore, runId: string) {
    this.#store = store;
    this.#runId = runId;
  }

  /** Resolves when what is stored has been read; the first call reads it. */
  load(): Promise<void> {
    if (this.#loaded === undefined) {
      const store = this.#store;
      this.#loaded = Promise.all([
        store.loadRows(this.#runId),
        store.loadSamples(this.#runId),
      ]).then(([rows, samples]) => {
        // Events may have come while the stored rows were being read.
        this.rows = mergeSteps(rows, this.rows);
        this.samples = mergeSteps(samples, this.samples);
      });
      this.#loaded.catch(() => {});
    }
    return this.#loaded;
  }

  /** Reads what is stored once more: it goes before what has only been heard of. */
  async reload(): Promise<void> {
    const [rows, samples] = await Promise.all([
      this.#store.loadRows(this.#runId),
      this.#store.loadSamples(this.#runId),
    ]);
    this.rows = [...rows, ...afterLast(rows, this.rows)];
    this.samples = [...samples, ...afterLast(samples, this.samples)];
  }

  addRow(row: MetricRow): void {
    this.#waiting.push(row);
    this.#timer ??= setTimeout(() => this.show(), SHOW_EVERY_MS);
  }

  show(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#waiting.length === 0) return;
    this.rows = mergeSteps(this.rows, this.#waiting);
    this.#waiting = [];
  }

  cutAfter(step: number): void {
    this.rows = upTo(step, this.rows);
    this.samples = upTo(step, this.samples);
  }

  addSamples(entry: RunSamples): void {
    this.samples = mergeSteps(this.samples, [entry]);
  }
}

function upTo<T extends { step?: number }>(last: number, list: readonly T[]): readonly T[] {
  const kept = list.filter(({ step }) => step === undefined || step <= last);
  return kept.length === list.length ? list : kept;
}

const afterLast = <T extends { step?: number }>(stored: readonly T[], heard: readonly T[]): T[] => {
  const last = stored.at(-1)?.step ?? -1;
  return heard.filter(({ step }) => step !== undefined && step > last);
};

/** Two lists by step; where both have a step (a resumed run repeats some) the later list counts. */
export function mergeSteps<T extends { step?: number }>(
  earlier: readonly T[],
  later: readonly T[],
): readonly T[] {
  const first = later[0]?.step;
  if (first === undefined) return earlier;
  return [...earlier.filter(({ step }) => step !== undefined && step < first), ...later];
}

interface Waiting {
  resolve: (run: Run) => void;
  reject: (error: unknown) => void;
}

export interface RunContext {
  store: ProjectStore;
  link: WorkerLink;
  projectId: string;
  /** Called before the page shows a run as over; what it changes is stored by the worker. */
  onModel(run: Run): void;
  onProblem(error: PlaygroundError): void;
}

const isActive = (run: Run): boolean => run.status === 'running' || run.status === 'paused';

export class RunState {
  runs: readonly Run[] = $state.raw([]);
  /** The run under way, null when there is none. */
  readonly active: Run | null = $derived(this.runs.find(isActive) ?? null);
  step = $state(0);
  totalSteps = $state(0);
  msLeft = $state(0);
  tokensPerSecond = $state(0);
  /** Wall clock of the newest checkpoint of this run, ms since the epoch. */
  checkpointAt: number | null = $state(null);
  readonly #context: RunContext;
  readonly #logs = plainMap<string, RunLog>();
  readonly #waiting = plainMap<string, Waiting[]>();
  readonly #failures = plainMap<string, ErrorDetails>();

  /**
   * @param runs as stored; any still 'running' there was cut off, for this page runs nothing yet, unless
   *   it is `following` another one
   */
  constructor(context: RunContext, runs: readonly Run[], { following = false } = {}) {
    this.#context = context;
    this.runs = following
      ? runs
      : runs.map((run) => (isActive(run) ? { ...run, status: 'interrupted' } : run));
    if (this.active !== null) ({ step: this.step, totalSteps: this.totalSteps } = this.active);
    // Svelte does not track state that a reaction made itself, so a log must exist before a component
    // asks for it.
    for (const run of runs) this.#logOf(run.id);
  }

  get stage(): Stage | null {
    return this.active?.stage ?? null;
  }
  get status(): 'idle' | 'running' | 'paused' {
    return this.active === null ? 'idle' : this.active.status === 'paused' ? 'paused' : 'running';
  }

  /** The newest run of all, if it was cut off and can go on from a checkpoint. */
  readonly canResume: Run | null = $derived.by(() => {
    if (this.active !== null) return null;
    const newest = this.runs.reduce<Run | null>(
      (last, run) => (last === null || run.seq > last.seq ? run : last),
      null,
    );
    return newest?.status === 'interrupted' && newest.checkpointId !== null ? newest : null;
  });

  byId(id: string | null): Run | null {
    return this.runs.find((run) => run.id === id) ?? null;
  }

  /** What a run has logged; its stored rows are read on first use. */
  log(runId: string): RunLog {
    const log = this.#logOf(runId);
    void log.load();
    return log;
  }

  #logOf(runId: string): RunLog {
    let log = this.#logs.get(runId);
    if (log === undefined) {
      log = new RunLog(this.#context.store, runId);
      this.#logs.set(runId, log);
    }
    return log;
  }

  /**
   * Resolves when the run is over and its model stands.
   * @throws PlaygroundError with the reason why the run failed
   */
  finished(runId: string): Promise<Run> {
    const run = this.byId(runId);
    if (run !== null && !isActive(run)) {
      return run.status === 'failed' ? Promise.reject(this.#failure(run)) : Promise.resolve(run);
    }
    return new Promise((resolve, reject) => {
      this.#waiting.set(runId, [...(this.#waiting.get(runId) ?? []), { resolve, reject }]);
    });
  }

  /** @throws PlaygroundError `busy` */
  requireIdle(): void {
    if (this.active === null) return;
    throw new PlaygroundError({
      code: 'busy',
      message: `A ${this.active.stage} run is under way.`,
      remedy: 'Wait for it to end, or stop it first.',
    });
  }

  /** @throws PlaygroundError `missing` when nothing is under way */
  async command(name: 'pause' | 'resume' | 'step' | 'stop'): Promise<void> {
    if (this.active === null) {
      throw new PlaygroundError({
        code: 'missing',
        message: 'No run is under way.',
        remedy: 'Start a stage first.',
      });
    }
    await this.#context.link.call(name, {});
  }

  /** Takes what the worker says; events of other projects' runs are not for us. */
  handle(event: WorkerEvent): void {
    switch (event.kind) {
      case 'run':
        if (event.run.projectId !== this.#context.projectId) break;
        if (event.failure !== null) this.#failures.set(event.run.id, event.failure);
        if (event.isModel) this.#context.onModel(event.run);
        this.#putRun(event.run);
        if (event.failure?.code === 'storage' && event.run.status === 'interrupted') {
          this.#context.onProblem(new PlaygroundError(event.failure));
        }
        break;
      case 'step':
        if (this.active?.id !== event.runId) break;
        this.step = event.step;
        this.totalSteps = event.totalSteps;
        this.msLeft = event.msLeft;
        this.tokensPerSecond = event.tokensPerSecond;
        this.log(event.runId).addRow(event.row);
        break;
      case 'samples':
        if (this.byId(event.runId) === null) break;
        this.log(event.runId).addSamples({ step: event.step, samples: event.samples });
        break;
      case 'checkpoint':
        if (this.active?.id === event.runId) this.checkpointAt = event.at;
        break;
      case 'lesson':
      case 'lesson-point':
      case 'progress':
      case 'experiment':
      case 'engine-error':
        break;
    }
  }

  /** An event of the tab that writes to the project. */
  follow(event: WorkerEvent): void {
    this.handle(event);
    const id = event.kind === 'run' ? event.run.id : event.kind === 'checkpoint' ? event.runId : '';
    // By then every row has been stored, those too that came before this tab was listening.
    if (this.#logs.has(id)) void this.log(id).reload();
  }

  /** The runs as another tab has stored them. */
  followRuns(runs: readonly Run[]): void {
    for (const run of runs) if (run !== this.byId(run.id)) this.#putRun(run);
  }

  /** The worker is gone and its run with it. */
  interrupt(): void {
    const run = this.active;
    if (run !== null) this.#putRun({ ...run, status: 'interrupted' });
  }

  #putRun(run: Run): void {
    const before = this.byId(run.id);
    if (isActive(run) && (before === null || !isActive(before))) {
      this.step = run.step;
      this.totalSteps = run.totalSteps;
      this.msLeft = 0;
      this.tokensPerSecond = 0;
      this.checkpointAt = null;
    }
    this.#logOf(run.id);
    this.runs =
      before === null
        ? [...this.runs, run]
        : this.runs.map((other) => (other.id === run.id ? run : other));
    if (isActive(run)) return;
    this.#logs.get(run.id)?.show();
    // One that was taken back to a checkpoint has no rows after it.
    if (run.status === 'failed') this.#logs.get(run.id)?.cutAfter(run.step);
    const waiting = this.#waiting.get(run.id) ?? [];
    this.#waiting.delete(run.id);
    const failed = run.status === 'failed' || run.status === 'interrupted';
    for (const { resolve, reject } of waiting) {
      if (failed) reject(this.#failure(run));
      else resolve(run);
    }
    if (run.status === 'failed' && before?.status !== 'failed') {
      this.#context.onProblem(this.#failure(run));
    }
  }

  /** As the worker told it; of a run that ended before this page was opened only the text is left. */
  #failure(run: Run): PlaygroundError {
    const told = this.#failures.get(run.id);
    if (told !== undefined) return new PlaygroundError(told);
    const how = run.status === 'interrupted' ? 'was cut off' : 'failed';
    return new PlaygroundError({
      code: 'engine',
      message: run.error ?? `The ${run.stage} run ${how} at step ${run.step}.`,
    });
  }
}
