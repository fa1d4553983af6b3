/** A project in the database and a real worker beside it, new for each test. */
import { afterEach, beforeEach, expect } from 'vitest';
import type { DeviceVerdict } from '../src/core/device-report';
import type { Run, Stage } from '../src/core/domain';
import { demonstrations } from '../src/storage/demonstrations';
import { runCheckpoints } from '../src/storage/checkpoints';
import { metricRows } from '../src/storage/metrics';
import { openDatabase } from '../src/storage/open';
import { createProject, deleteProject } from '../src/storage/projects';
import { rankings } from '../src/storage/rankings';
import type { Database } from '../src/storage/schema';
import { WorkerClient } from '../src/worker/client';
import type { EngineInfo, WorkerEvent } from '../src/worker/protocol';

export const baseUrl = new URL('/', location.href).href;
let remembered: DeviceVerdict | null = null;
type TestedBackend = 'webgpu' | 'wasm';
let forceBackend: TestedBackend = 'webgpu';
/** Opens the engine as the page does: with the verdict of the time before. */
export async function openWorkerEngine(client: WorkerClient): Promise<EngineInfo> {
  const info = await client.call('init', { baseUrl, remembered, forceBackend });
  remembered = info.verdict;
  return info;
}

/** Six demonstrations in batches of two, four times: 12 steps. */
export const SFT = { num_train_epochs: 4, per_device_train_batch_size: 2, eval_steps: 1000 };
export const SFT_STEPS = 12;
const ANIMALS = ['cat', 'dog', 'fish', 'bird', 'frog', 'bee', 'owl'];

export interface WorkerTest {
  db: Database;
  projectId: string;
  client: WorkerClient;
  events: WorkerEvent[];
  /** The newest run event. */
  newest(): (WorkerEvent & { kind: 'run' }) | undefined;
  /** Starts a stage and waits until it ends or rests, in `wanted` and without an error. */
  train(stage: Stage, config: Record<string, unknown>, text?: string): Promise<Run>;
  status(wanted: string): Promise<void>;
  /** Steps of the rows that are stored. */
  steps(runId: string): Promise<(number | undefined)[]>;
  /** Names, shapes and hashes of the newest checkpoint. */
  weights(runId: string): Promise<unknown>;
}

export interface WorkerTestOptions {
  start?: () => Worker;
  /** Where what is tested is what the worker does with stages and storage: WebAssembly is at hand at once. */
  backend?: TestedBackend;
}

/** Call it once in a file; what it returns is filled before each test. */
export function workerTests({ start, backend = 'webgpu' }: WorkerTestOptions = {}): WorkerTest {
  const test = {} as WorkerTest;
  forceBackend = backend;
  beforeEach(async () => {
    const db = await openDatabase();
    const { id: projectId } = await createProject(db, { name: 'Worker', base: 'nano', seed: 3 });
    const client = new WorkerClient(start);
    const events: WorkerEvent[] = [];
    const newest = () => events.findLast((event) => event.kind === 'run');
    const status = async (wanted: string): Promise<void> => {
      await expect.poll(() => newest()?.run.status, { timeout: 90_000 }).not.toBe('running');
      // A failure shows its own message.
      expect([newest()?.run.status, newest()?.run.error]).toEqual([wanted, null]);
    };
    Object.assign(test, {
      db,
      projectId,
      client,
      events,
      newest,
      status,
      train: async (stage, config, text) => {
        const request = { projectId, stage, config };
        await client.call('startRun', text === undefined ? request : { ...request, text });
        await status('done');
        return newest()!.run;
      },
      steps: async (runId) => (await metricRows(db, runId)).map(({ step }) => step),
      weights: async (runId) => (await runCheckpoints(db, runId)).at(-1)!.tensors,
    } satisfies WorkerTest);
    await demonstrations.append(
      db,
      projectId,
      ANIMALS.map((animal) => ({
        prompt: `Tell me about a ${animal}.`,
        completion: `The ${animal} is happy.`,
        heldOut: animal === 'owl',
      })),
    );
    client.onEvent((event) => events.push(event));
    await openWorkerEngine(client);
  });

  afterEach(async () => {
    test.client.close();
    await deleteProject(test.db, test.projectId);
    test.db.close();
  });
  return test;
}

/** Rankings that prefer "is happy" to the rest. */
export async function addRankings({ db, projectId }: WorkerTest): Promise<void> {
  await rankings.append(
    db,
    projectId,
    ANIMALS.map((animal, i) => ({
      setId: null,
      prompt: `Tell me about a ${animal}.`,
      completions: [`The ${animal} is happy.`, 'Go away.', `A ${animal} was in the shed.`, 'No.'],
      ranks: i === 0 ? [1, 4, 1, 4] : [1, 3, 2, 4],
      outcome: 'ranked',
      labeler: 'test',
      simulated: false,
      flags: [],
      order: [0, 1, 2, 3],
    })),
  );
}

/** Steps 1 to `last`. */
export const upTo = (last: number): number[] => Array.from({ length: last }, (_, i) => i + 1);
