/** The worker's commands: what each does, and the one run that may be under way. */
import { stageConfig } from '../core/config';
import type { Run } from '../core/domain';
import { PlaygroundError } from '../core/errors';
import type { StageData } from '../core/run-data';
import { onDeviceLost, openEngine } from '../engine/backend';
import { settleVariants, verdictKey } from '../engine/device-verdict';
import { sweepChunks } from '../storage/checkpoints';
import type { ImportLimits } from '../formats/hugging-face/import-memory';
import { embedOwnFiles } from '../formats/own-files';
import { openDatabase } from '../storage/open';
import { getProject } from '../storage/projects';
import { createRun, getRun, runInput, updateRun } from '../storage/runs';
import { holdClaim } from '../storage/writer';
import { bestOfN } from './best-of-n';
import { Gate } from './gate';
import { Experiments } from './experiments';
import { deviceReport, type DeviceFacts } from './device-report';
import { Lesson } from './lesson';
import { compare, complete, generateCandidates, score } from './inference-commands';
import { collectInput } from './inputs';
import { exportModel, importBase, importLimits } from './model-files';
import { ModelShelf } from './models';
import type { CommandName, Commands } from './protocol';
import { cutsOf } from './run-cuts';
import { RunLoop, type EventBody, type RunLoopParts } from './run-loop';

export type Handlers = {
  [K in CommandName]: (request: Commands[K]['request']) => Promise<Commands[K]['result']>;
};

/** @param emit sends an event to the page */
export function createSession(emit: (event: EventBody) => void): Handlers {
  let opened: RunLoopParts | null = null;
  let loop: RunLoop | null = null;
  let stopWatching: (() => void) | null = null;
  /** Set while a run is being prepared, before it has a loop, and while something is measured. */
  let occupied = false;
  let limits: ImportLimits | null = null;
  let facts: DeviceFacts | null = null;
  const lesson = new Lesson(emit);
  const experiments = new Experiments();

  const parts = (): RunLoopParts => {
    if (opened !== null) return opened;
    throw new PlaygroundError({ code: 'engine', message: 'The engine has not been opened yet.' });
  };
  const requireIdle = (): void => {
    if (loop === null && !occupied && !lesson.isRunning) return;
    throw new PlaygroundError({
      code: 'busy',
      message: 'A run is under way; one can train at a time.',
      remedy: 'Stop it or wait until it has finished.',
    });
  };
  const requireLoop = (): RunLoop => {
    if (loop !== null) return loop;
    throw new PlaygroundError({ code: 'missing', message: 'No run is under way.' });
  };
  /** Does `work` with the place taken, so that two starts at once cannot both succeed. */
  const alone = async <T>(work: () => Promise<T>): Promise<T> => {
    // A run that has just told the page of its end may still be freeing its tensors.
    if (loop?.over === true) await loop.ended;
    requireIdle();
    occupied = true;
    try {
      return await work();
    } finally {
      occupied = false;
    }
  };
  const begin = (prepare: () => Promise<{ run: Run; data: StageData }>): Promise<string> =>
    alone(async () => {
      const { run, data } = await prepare();
      emit({ kind: 'run', run, isModel: false, failure: null });
      const begun = new RunLoop(parts(), run, data);
      loop = begun;
      void begun.ended.then(() => {
        loop = null;
      });
      return run.id;
    });

  return {
    async init({ forceBackend, baseUrl, remembered = null, thorough = false, files }) {
      embedOwnFiles(files ?? null);
      requireIdle();
      // What is being computed ends on the engine that it began on.
      const earlier = opened;
      opened = null;
      await earlier?.gate.run(async () => {});
      earlier?.db.close();
      stopWatching?.();
      const db = await openDatabase({
        onReplaced: () =>
          emit({
            kind: 'engine-error',
            error: {
              code: 'storage',
              message: 'A newer release of the playground was opened in another tab.',
              remedy: 'Reload this tab.',
            },
          }),
        onTerminated: () =>
          emit({
            kind: 'engine-error',
            error: {
              code: 'storage',
              message: 'The browser closed the connection to the database.',
              remedy: 'Reload the page; what was saved is still there.',
            },
          }),
      });
      const compared = !thorough && remembered?.key === verdictKey(null);
      const engine = await openEngine({
        ...(forceBackend !== undefined && { force: forceBackend }),
        ...(compared && { fallback: remembered.fallback }),
      });
      stopWatching = onDeviceLost((error) =>
        emit({ kind: 'engine-error', error: error.toDetails() }),
      );
      const settled = await settleVariants(engine, { remembered, thorough });
      await sweepChunks(db);
      limits = importLimits(engine.limits);
      facts = { engine, ...settled, speed: null };
      opened = { db, shelf: new ModelShelf(db, baseUrl), gate: new Gate(), emit };
      const { backend, adapter, fallbackReason } = engine;
      return { backend, adapter, fallbackReason, verdict: settled.verdict };
    },

    async deviceReport({ measure }) {
      const { gate } = parts();
      if (measure) requireIdle();
      return gate.run(() => deviceReport(facts!, measure));
    },

    async startRun({ projectId, claim = null, stage, config, text = '' }) {
      const { db, shelf } = parts();
      holdClaim(db, projectId, claim);
      const runId = await begin(async () => {
        const complete = stageConfig(stage, config);
        const project = await getProject(db, projectId);
        const collected = await collectInput(db, shelf, projectId, stage, text);
        const run = await createRun(
          db,
          projectId,
          {
            stage,
            config: { ...complete },
            seed: project.seed,
            status: 'running',
            step: 0,
            totalSteps: 0,
            inputHash: collected.inputHash,
            parentId: collected.parentId,
            checkpointId: null,
            finalRow: null,
            error: null,
            rewardShift: 0,
            rewardScale: 1,
            startedAt: Date.now(),
          },
          collected.data,
        );
        return { run, data: collected.data };
      });
      return { runId };
    },

    async resumeRun({ runId, claim = null }) {
      const { db } = parts();
      if (loop?.current.id === runId) {
        loop.transport.play();
        return { runId };
      }
      await begin(async () => {
        const stored = await getRun(db, runId);
        holdClaim(db, stored.projectId, claim);
        if (stored.status === 'done') {
          throw new PlaygroundError({
            code: 'argument',
            field: 'runId',
            message: 'This run has finished; there is nothing left to resume.',
          });
        }
        const { data } = await runInput(db, runId);
        const cuts = await cutsOf(db, stored);
        const run = await updateRun(db, runId, { status: 'running', error: null, ...cuts });
        return { run, data };
      });
      return { runId };
    },

    async pause() {
      await requireLoop().transport.pause();
      return null;
    },
    async resume() {
      requireLoop().transport.play();
      return null;
    },
    async step() {
      await requireLoop().transport.step();
      return null;
    },
    async stop() {
      const running = requireLoop();
      void running.transport.stop();
      await running.ended;
      return null;
    },

    async release({ projectId }) {
      if (loop?.current.projectId !== projectId) return null;
      const running = loop;
      void running.transport.leave();
      await running.ended;
      return null;
    },

    complete: (request) => complete(parts(), request),
    compare: (request) => compare(parts(), request),
    generateCandidates: (request) => generateCandidates(parts(), request),
    score: (request) => score(parts(), request),
    bestOfN: (request) => alone(() => bestOfN(parts(), request)),
    experiment: (request) => alone(() => experiments.run(parts(), request)),
    async stopExperiment() {
      await experiments.stop();
      return null;
    },

    async importBase(request) {
      const { db, shelf } = parts();
      requireIdle();
      holdClaim(db, request.projectId, request.claim ?? null);
      return importBase({ db, shelf, emit, limits: limits! }, request);
    },
    exportModel: (request) => exportModel(parts(), request),

    async lesson(request) {
      const { gate } = parts();
      requireIdle();
      await lesson.run(request, gate);
      return null;
    },
    async stopLesson() {
      await lesson.stop();
      return null;
    },

    async forget({ projectId }) {
      const { shelf, gate } = parts();
      if (loop?.current.projectId === projectId) {
        const running = loop;
        void running.transport.stop();
        await running.ended;
      }
      await experiments.stop();
      await gate.run(() => shelf.forget(projectId));
      return null;
    },
  };
}
