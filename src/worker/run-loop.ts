/**
 * Drives one run: pulls its stage, stores rows and checkpoints, and tells the page. Pausing is not
 * pulling, stepping is pulling once.
 */
import type { StageConfigs } from '../core/config';
import type { ModelConfig, Run, RunStatus, Stage } from '../core/domain';
import { PlaygroundError, toErrorDetails, type ErrorDetails } from '../core/errors';
import type { StageData } from '../core/run-data';
import { MODEL_WORDS } from '../core/stage-models';
import type { StageEvent, StageSnapshot } from '../rlhf/stage';
import { loadCheckpoint, saveCheckpoint } from '../storage/checkpoints';
import { metricRows, truncateMetrics } from '../storage/metrics';
import { updateRun } from '../storage/runs';
import type { Database } from '../storage/schema';
import { checkpointPause } from './checkpoint-pause';
import type { Gate } from './gate';
import { startStage } from './inputs';
import type { ModelShelf } from './models';
import type { WorkerEvent } from './protocol';
import { StepRecorder } from './step-recorder';
import { Transport } from './transport';

/** How much the newest step counts in the pace that `msLeft` is computed from. */
const PACE_WEIGHT = 0.2;
/** Numbers that no healthy step leaves infinite. */
const WATCHED = ['loss', 'grad_norm', 'loss/policy_avg', 'loss/value_avg', 'objective/kl'];

type Distribute<T> = T extends unknown ? Omit<T, 'type' | 'seq'> : never;
/** An event before it has its place in the sequence. */
export type EventBody = Distribute<WorkerEvent>;

export interface RunLoopParts {
  db: Database;
  shelf: ModelShelf;
  gate: Gate;
  emit: (event: EventBody) => void;
}

export class RunLoop {
  readonly transport = new Transport();
  /** Resolves when the run has ended, however it did; never rejects. */
  readonly ended: Promise<void>;
  private run: Run;
  private readonly parts: RunLoopParts;
  private readonly data: StageData;
  private readonly recorder: StepRecorder;
  /** The step that is being taken, or was taken last. */
  private stepInHand = 1;
  /** -1 while nothing has been stored. */
  private checkpointedStep = -1;
  private checkpointedAt = performance.now();
  private checkpointMs = checkpointPause(0);
  /** The checkpoint that is being stored while training goes on; `stored` waits for it. */
  private storing: Promise<void> | null = null;
  private storeFailure: unknown = null;
  private msPerStep: number | null = null;

  constructor(parts: RunLoopParts, run: Run, data: StageData) {
    this.parts = parts;
    this.run = run;
    this.data = data;
    this.recorder = new StepRecorder(parts.db, run);
    this.ended = this.drive();
  }

  get current(): Run {
    return this.run;
  }

  /** The page has been told that it ended; `ended` follows once its tensors are freed. */
  get over(): boolean {
    return this.run.status !== 'running' && this.run.status !== 'paused';
  }

  private async drive(): Promise<void> {
    let last: StageEvent | null = null;
    let events: AsyncGenerator<StageEvent, unknown> | null = null;
    const { gate } = this.parts;
    try {
      const started = await gate.run(() => this.start());
      events = started.events;
      const { model } = started;
      for (;;) {
        if (this.transport.stopping || this.transport.leaving) break;
        if (this.transport.pausing) {
          await this.rest(last, model);
          continue;
        }
        if (this.run.status !== 'running') await this.setStatus('running');
        const begun = performance.now();
        const stage = events;
        this.stepInHand = (last?.step ?? Math.max(0, this.checkpointedStep)) + 1;
        const next = await gate.run(() => stage.next());
        this.transport.taken();
        if (next.done === true) break;
        last = next.value;
        this.took(last, performance.now() - begun);
        if (this.storeFailure !== null) await this.stored();
        if (this.isDue(last)) await this.checkpoint(last, model);
        await nextTask();
      }
      await this.finish(last, model);
    } catch (thrown) {
      await this.failed(toErrorDetails(thrown));
    } finally {
      // Ends the generator early too, so that it frees its tensors.
      if (events !== null) await gate.run(() => events!.return(undefined)).catch(() => undefined);
      this.transport.release();
    }
  }

  /** The generator, continuing from the run's checkpoint if it has one. */
  private async start(): ReturnType<typeof startStage> {
    const { db, shelf } = this.parts;
    let resume: StageSnapshot | undefined;
    if (this.run.checkpointId !== null) {
      const { manifest, tensors } = await loadCheckpoint(db, this.run.checkpointId);
      resume = { step: manifest.step, tensors, state: manifest.state };
      this.checkpointedStep = manifest.step;
    }
    await truncateMetrics(db, this.run.id, resume?.step ?? 0);
    // The configuration was completed and checked when the run was created.
    const config = this.run.config as unknown as StageConfigs[Stage];
    return startStage(db, shelf, this.data, config, resume);
  }

  /** The last step counts always: pulling on would free the tensors that its snapshot reads. */
  private isDue({ step, totalSteps }: StageEvent): boolean {
    if (step === totalSteps) return true;
    if (this.storing !== null) return false;
    const first = this.checkpointedStep < 0;
    return first || performance.now() - this.checkpointedAt >= this.checkpointMs;
  }

  private took(event: StageEvent, ms: number): void {
    const { step, totalSteps, row, tokens, samples } = event;
    const { id: runId, stage } = this.run;
    requireFinite(event);
    this.run = { ...this.run, step, totalSteps, finalRow: row };
    this.msPerStep =
      this.msPerStep === null ? ms : this.msPerStep + PACE_WEIGHT * (ms - this.msPerStep);
    this.recorder.add(event);
    this.parts.emit({
      kind: 'step',
      runId,
      stage,
      step,
      totalSteps,
      row,
      tokensPerSecond: (tokens * 1000) / Math.max(ms, 1e-3),
      msLeft: this.msPerStep * (totalSteps - step),
    });
    if (samples !== undefined) this.parts.emit({ kind: 'samples', runId, stage, step, samples });
  }

  /** Everything stored, then asleep until the transport wants something. */
  private async rest(last: StageEvent | null, model: SavedModel | null): Promise<void> {
    if (this.run.status !== 'paused') {
      await this.recorder.flush();
      if (last !== null) await this.checkpoint(last, model);
      await this.stored();
      await this.setStatus('paused');
    }
    await this.transport.sleep();
  }

  private async finish(last: StageEvent | null, model: SavedModel | null): Promise<void> {
    await this.recorder.flush();
    if (last !== null) await this.checkpoint(last, model);
    await this.stored();
    if (this.transport.leaving)
      await this.storeStatus('interrupted', { isModel: false, failure: null });
    else await this.setStatus(this.transport.stopping ? 'stopped' : 'done');
  }

  /** Resolves once the model is copied to the host; it is stored while training goes on. */
  private async checkpoint(event: StageEvent, model: SavedModel | null): Promise<void> {
    await this.stored();
    if (event.step === this.checkpointedStep) return;
    const begun = performance.now();
    const snapshot = await this.parts.gate.run(() => event.snapshot());
    this.storing = this.store(event, snapshot, model).then(
      () => {
        this.storing = null;
        this.checkpointMs = checkpointPause(performance.now() - begun);
      },
      (thrown: unknown) => {
        this.storing = null;
        this.storeFailure = thrown;
      },
    );
  }

  /** Resolves when no checkpoint is being stored. @throws what kept the last one from it, once */
  private async stored(): Promise<void> {
    await this.storing;
    const failure = this.storeFailure;
    this.storeFailure = null;
    if (failure !== null) throw failure as Error;
  }

  private async store(
    event: StageEvent,
    { tensors, state }: StageSnapshot,
    model: SavedModel | null,
  ): Promise<void> {
    const { db, emit } = this.parts;
    // Rows first: a run that resumes has the curve up to where it goes on.
    await this.recorder.flush();
    // The tokenizer goes with the weights: a base that is changed later has other tokens.
    const tokenizer = state['tokenizer'] ?? model?.tokenizer;
    const modelConfig = model?.modelConfig ?? (state['modelConfig'] as ModelConfig);
    const { stage, rewardShift, rewardScale } = this.run;
    const { manifest, run } = await saveCheckpoint(
      db,
      {
        projectId: this.run.projectId,
        runId: this.run.id,
        stage,
        step: event.step,
        modelConfig,
        tensors,
        state: { ...state, tokenizer },
      },
      {
        step: event.step,
        totalSteps: event.totalSteps,
        finalRow: event.row,
        rewardShift: numberOr(state['rewardShift'], rewardShift),
        rewardScale: numberOr(state['rewardScale'], rewardScale),
      },
    );
    // Training has gone on: of the stored run only what belongs to the checkpoint is news.
    const { checkpointId } = run;
    this.run = {
      ...this.run,
      checkpointId,
      rewardShift: run.rewardShift,
      rewardScale: run.rewardScale,
    };
    this.checkpointedStep = event.step;
    this.checkpointedAt = performance.now();
    emit({
      kind: 'checkpoint',
      runId: run.id,
      step: event.step,
      bytes: manifest.bytes,
      at: Date.now(),
    });
  }

  private async setStatus(status: 'running' | 'paused' | 'done' | 'stopped'): Promise<void> {
    const ended = status === 'done' || status === 'stopped';
    await this.storeStatus(status, {
      isModel: ended && this.run.checkpointId !== null,
      failure: null,
    });
  }

  /** Stores where the run is, in one transaction with whose model it is, and tells the page. */
  private async storeStatus(
    status: RunStatus,
    { isModel, failure }: { isModel: boolean; failure: ErrorDetails | null },
  ): Promise<void> {
    const { db, emit } = this.parts;
    const { step, totalSteps, finalRow } = this.run;
    this.run = await updateRun(
      db,
      this.run.id,
      { status, error: failure?.message ?? null, step, totalSteps, finalRow },
      { becomesModel: isModel },
    );
    emit({ kind: 'run', run: this.run, isModel, failure });
  }

  /** A lost device leaves the run to be resumed; a number that is not finite takes it back. */
  private async failed(failure: ErrorDetails): Promise<void> {
    const { emit } = this.parts;
    // Only a lost device ends the engine; whatever else stopped this run, the next one may go well.
    if (failure.code === 'device-lost') emit({ kind: 'engine-error', error: failure });
    // Another tab has the project; whatever there is to say of the run is for it to write.
    if (failure.code === 'read-only') {
      this.run = { ...this.run, status: 'interrupted' };
      return emit({ kind: 'run', run: this.run, isModel: false, failure });
    }
    // A full disk ends the run where its last checkpoint is: it can go on once there is room.
    const resumable = failure.code === 'device-lost' || failure.code === 'storage';
    const status = resumable ? 'interrupted' : 'failed';
    try {
      await this.stored().catch(() => {});
      await this.recorder.flush();
      if (failure.code === 'non-finite') await this.goBack(failure);
      else await this.storeStatus(status, { isModel: false, failure });
    } catch (second) {
      // The database itself failed (or the project was deleted): nothing is left to write to.
      const again = toErrorDetails(second).message;
      const message = again === failure.message ? again : `${failure.message} ${again}`;
      this.run = { ...this.run, status, error: message };
      emit({ kind: 'run', run: this.run, isModel: false, failure: { ...failure, message } });
    }
  }

  /** Takes the run back to its last good checkpoint, which is the model of its stage from now on. */
  private async goBack(cause: ErrorDetails): Promise<void> {
    const { db } = this.parts;
    const { id, stage } = this.run;
    const good = this.checkpointedStep;
    const isModel = good > 0;
    if (isModel) {
      await truncateMetrics(db, id, good);
      const finalRow = (await metricRows(db, id)).at(-1) ?? null;
      this.run = { ...this.run, step: good, finalRow };
    }
    const now = isModel
      ? `The run went back to its checkpoint of step ${good}, which is the ${MODEL_WORDS[stage]} now.`
      : `Nothing of this run had been stored yet, so what was there before it is unchanged.`;
    const failure: ErrorDetails = {
      ...cause,
      message: `Step ${this.stepInHand}: ${cause.message} ${now}`,
      remedy: 'Lower the learning rate, then train again.',
    };
    await this.storeStatus('failed', { isModel, failure });
  }
}

type SavedModel = { modelConfig: ModelConfig; tokenizer: unknown };

/** @throws PlaygroundError `non-finite` naming the metric */
function requireFinite({ row }: StageEvent): void {
  for (const name of WATCHED) {
    const value = row[name];
    if (value === undefined || Number.isFinite(value)) continue;
    throw new PlaygroundError({
      code: 'non-finite',
      field: name,
      message: `${name} became ${value}.`,
    });
  }
}

const numberOr = (value: unknown, otherwise: number): number =>
  typeof value === 'number' ? value : otherwise;

/**
 * Lets waiting commands in. A message to oneself, because timers are slowed down to once a minute
 * in hidden tabs and to 4 ms when nested.
 */
function nextTask(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}
