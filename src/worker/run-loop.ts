/**
 * Drives one run: pulls its stage, stores rows and checkpoints, and tells the page. Pausing is not
 * pulling, stepping is pulling once.
 */
import type { StageConfigs } from '../core/config';
import type { ModelConfig, Run, RunStatus, Stage } from '../core/domain';
import { PlaygroundError, toErrorDetails } from '../core/errors';
import type { StageEvent, StageSnapshot } from '../rlhf/stage';
import { loadCheckpoint, saveCheckpoint } from '../storage/checkpoints';
import { truncateMetrics } from '../storage/metrics';
import { updateRun } from '../storage/runs';
import type { Database } from '../storage/schema';
import type { Gate } from './gate';
import { startStage, type StageData } from './inputs';
import type { ModelShelf } from './models';
import type { WorkerEvent } from './protocol';
import { StepRecorder } from './step-recorder';
import { Transport } from './transport';

/** What a kill can cost at most, ms of training (and the update in hand). */
const CHECKPOINT_MS = 15_000;
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
  private checkpointedStep = -1;
  private checkpointedAt = performance.now();
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
        if (this.transport.stopping) break;
        if (this.transport.pausing) {
          await this.rest(last, model);
          continue;
        }
        if (this.run.status !== 'running') await this.setStatus('running');
        const begun = performance.now();
        const stage = events;
        const next = await gate.run(() => stage.next());
        this.transport.taken();
        if (next.done === true) break;
        last = next.value;
        await this.took(last, performance.now() - begun);
        if (this.isDue(last)) {
          await this.checkpoint(last, model);
        }
        await nextTask();
      }
      await this.finish(last, model);
    } catch (thrown) {
      await this.failed(thrown, last);
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
    const first = this.checkpointedStep < 0;
    const late = performance.now() - this.checkpointedAt >= CHECKPOINT_MS;
    return first || late || step === totalSteps;
  }

  private async took(event: StageEvent, ms: number): Promise<void> {
    const { step, totalSteps, row, tokens, samples } = event;
    const { id: runId, stage } = this.run;
    requireFinite(event);
    this.run = { ...this.run, step, totalSteps, finalRow: row };
    this.msPerStep =
      this.msPerStep === null ? ms : this.msPerStep + PACE_WEIGHT * (ms - this.msPerStep);
    await this.recorder.add(event);
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
      await this.setStatus('paused');
    }
    await this.transport.sleep();
  }

  private async finish(last: StageEvent | null, model: SavedModel | null): Promise<void> {
    await this.recorder.flush();
    if (last !== null) await this.checkpoint(last, model);
    await this.setStatus(this.transport.stopping ? 'stopped' : 'done');
  }

  private async checkpoint(event: StageEvent, model: SavedModel | null): Promise<void> {
    if (event.step === this.checkpointedStep) return;
    const { db, emit, gate } = this.parts;
    await this.recorder.flush();
    const { tensors, state } = await gate.run(() => event.snapshot());
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
    this.run = run;
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

  private async setStatus(status: RunStatus, error: string | null = null): Promise<void> {
    const { db, emit } = this.parts;
    const { step, totalSteps, finalRow, checkpointId } = this.run;
    const becomesModel = (status === 'done' || status === 'stopped') && checkpointId !== null;
    this.run = await updateRun(
      db,
      this.run.id,
      { status, error, step, totalSteps, finalRow },
      { becomesModel },
    );
    emit({ kind: 'run', run: this.run });
  }

  /** The last good checkpoint is kept; a lost device leaves the run to be resumed. */
  private async failed(thrown: unknown, last: StageEvent | null): Promise<void> {
    const details = toErrorDetails(thrown);
    const { db, emit } = this.parts;
    if (details.code === 'non-finite') {
      const step = last?.step === this.run.step ? this.run.step + 1 : (last?.step ?? 1);
      const back =
        this.checkpointedStep < 0
          ? 'Nothing had been stored yet.'
          : `The checkpoint of step ${this.checkpointedStep} is kept.`;
      details.message = `Step ${step}: ${details.message} ${back}`;
      details.remedy ??= 'Lower the learning rate, then train again.';
    }
    // Only a lost device ends the engine; whatever else stopped this run, the next one may go well.
    if (details.code === 'device-lost') emit({ kind: 'engine-error', error: details });
    try {
      await this.recorder.flush();
      if (details.code === 'non-finite' && this.checkpointedStep >= 0) {
        await truncateMetrics(db, this.run.id, this.checkpointedStep);
        this.run = { ...this.run, step: this.checkpointedStep };
      }
      const status = details.code === 'device-lost' ? 'interrupted' : 'failed';
      await this.setStatus(status, details.message);
    } catch (second) {
      // The database itself failed (or the project was deleted): nothing is left to write to.
      const error = `${details.message} ${toErrorDetails(second).message}`;
      this.run = { ...this.run, status: 'failed', error };
      emit({ kind: 'run', run: this.run });
    }
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
