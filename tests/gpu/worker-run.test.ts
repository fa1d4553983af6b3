import { afterEach, beforeEach, expect, test } from 'vitest';
import { demonstrations } from '../../src/storage/demonstrations';
import { runCheckpoints } from '../../src/storage/checkpoints';
import { metricRows } from '../../src/storage/metrics';
import { openDatabase } from '../../src/storage/open';
import { createProject, deleteProject, getProject } from '../../src/storage/projects';
import { getRun, interruptRuns } from '../../src/storage/runs';
import type { Database } from '../../src/storage/schema';
import { WorkerClient } from '../../src/worker/client';
import type { WorkerEvent } from '../../src/worker/protocol';

const baseUrl = new URL('/', location.href).href;
const config = { num_train_epochs: 4, per_device_train_batch_size: 2, eval_steps: 1000 };
const STEPS = 12;

let db: Database;
let projectId: string;
let client: WorkerClient;
let events: WorkerEvent[];

beforeEach(async () => {
  db = await openDatabase();
  ({ id: projectId } = await createProject(db, { name: 'Worker', base: 'nano', seed: 3 }));
  await demonstrations.append(
    db,
    projectId,
    ['cat', 'dog', 'fish', 'bird', 'frog', 'bee', 'owl'].map((animal) => ({
      prompt: `Tell me about a ${animal}.`,
      completion: `The ${animal} is happy.`,
      heldOut: animal === 'owl',
    })),
  );
  client = new WorkerClient();
  events = [];
  client.onEvent((event) => events.push(event));
  await client.call('init', { baseUrl });
});

afterEach(async () => {
  client.close();
  await deleteProject(db, projectId);
  db.close();
});

/** Waits for the run in hand to end or rest; a failure shows its own message. */
async function status(wanted: string): Promise<void> {
  const newest = () => events.findLast((event) => event.kind === 'run')?.run;
  await expect.poll(() => newest()?.status, { timeout: 90_000 }).not.toBe('running');
  expect([newest()?.status, newest()?.error]).toEqual([wanted, null]);
}

async function weightsHash(runId: string): Promise<unknown> {
  const newest = (await runCheckpoints(db, runId)).at(-1)!;
  return newest.tensors;
}

test('a run pauses, steps once, survives its worker and ends as if nothing had happened', async () => {
  const whole = await client.call('startRun', { projectId, stage: 'sft', config });
  await expect(client.call('startRun', { projectId, stage: 'sft', config })).rejects.toMatchObject({
    code: 'busy',
  });
  await status('done');
  expect((await getProject(db, projectId)).runs.sft).toBe(whole.runId);
  expect((await metricRows(db, whole.runId)).map(({ step }) => step)).toEqual(
    Array.from({ length: STEPS }, (_, i) => i + 1),
  );

  const cut = await client.call('startRun', { projectId, stage: 'sft', config });
  await client.call('pause', {});
  const paused = await getRun(db, cut.runId);
  expect(paused.status).toBe('paused');
  await client.call('step', {});
  const stepped = await getRun(db, cut.runId);
  expect(stepped.step).toBe(paused.step + 1);
  expect((await runCheckpoints(db, cut.runId)).at(-1)!.step).toBe(stepped.step);

  client.restart();
  expect((await interruptRuns(db)).map(({ id }) => id)).toEqual([cut.runId]);
  await client.call('init', { baseUrl });
  await client.call('resumeRun', { runId: cut.runId });
  await status('done');
  expect((await metricRows(db, cut.runId)).map(({ step }) => step)).toEqual(
    Array.from({ length: STEPS }, (_, i) => i + 1),
  );
  expect(await weightsHash(cut.runId)).toEqual(await weightsHash(whole.runId));
});

test('stopping keeps what was learnt, and models answer; what is missing is named', async () => {
  await expect(
    client.call('startRun', { projectId, stage: 'ppo', config: {} }),
  ).rejects.toMatchObject({ code: 'missing', field: 'sft' });
  await expect(
    client.call('startRun', { projectId, stage: 'sft', config: { learning_rate: -1 } }),
  ).rejects.toMatchObject({ code: 'config', field: 'learning_rate' });
  const { runId } = await client.call('startRun', { projectId, stage: 'sft', config });
  await client.call('step', {});
  await client.call('stop', {});
  const run = await getRun(db, runId);
  expect(run.status).toBe('stopped');
  expect(run.step).toBeLessThan(STEPS);
  const compared = await client.call('compare', {
    projectId,
    prompt: 'Tell me about a cat.',
    maxNewTokens: 8,
    temperature: 1,
    seed: 1,
  });
  expect(compared.map(({ model, score }) => [model, score])).toEqual([
    ['base', null],
    ['sft', null],
  ]);
  const [base, sft] = compared;
  expect(sft!.tokenKl!.every((nats) => nats === 0)).toBe(true);
  expect(base!.tokenKl!.some((nats) => nats !== 0)).toBe(true);
  const sets = await client.call('generateCandidates', {
    projectId,
    prompts: [{ id: 'p', text: 'Tell me about a dog.' }],
    k: 4,
    temperature: 1,
    maxNewTokens: 8,
    seed: 1,
  });
  expect(sets[0]!.completions).toHaveLength(4);
  expect(sets[0]!.order.toSorted()).toEqual([0, 1, 2, 3]);
  expect(sets[0]!.sourceRunId).toBe(runId);
});
