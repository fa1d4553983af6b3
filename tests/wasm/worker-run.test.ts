import { expect, test } from 'vitest';
import { runCheckpoints } from '../../src/storage/checkpoints';
import { appendMetrics, metricRows } from '../../src/storage/metrics';
import { getProject } from '../../src/storage/projects';
import { getRun, interruptRuns } from '../../src/storage/runs';
import { openWorkerEngine, SFT, SFT_STEPS, upTo, workerTests } from '../worker-session';

const at = workerTests({ backend: 'wasm' });

test('a run pauses, steps once, survives its worker and ends as if nothing had happened', async () => {
  const { db, projectId, client } = at;
  const whole = await client.call('startRun', { projectId, stage: 'sft', config: SFT });
  await expect(
    client.call('startRun', { projectId, stage: 'sft', config: SFT }),
  ).rejects.toMatchObject({
    code: 'busy',
  });
  await at.status('done');
  expect((await getProject(db, projectId)).runs.sft).toBe(whole.runId);
  expect(await at.steps(whole.runId)).toEqual(upTo(SFT_STEPS));
  expect(at.events.map(({ seq }) => seq)).toEqual(upTo(at.events.length));

  const cut = await client.call('startRun', { projectId, stage: 'sft', config: SFT });
  await client.call('pause', {});
  const paused = await getRun(db, cut.runId);
  expect(paused.status).toBe('paused');
  // The first step always leaves a checkpoint; the others do because the run rests after them.
  for (let i = 0; i < 3; i++) await client.call('step', {});
  const stepped = await getRun(db, cut.runId);
  expect(stepped.step).toBe(paused.step + 3);
  expect((await runCheckpoints(db, cut.runId)).at(-1)!.step).toBe(stepped.step);

  client.restart();
  expect((await interruptRuns(db, projectId)).map(({ id }) => id)).toEqual([cut.runId]);
  await openWorkerEngine(client);
  at.events.length = 0;
  await client.call('resumeRun', { runId: cut.runId });
  await at.status('done');
  // It goes on where it was, and does not begin again.
  expect(at.events.find((event) => event.kind === 'step')?.step).toBe(stepped.step + 1);
  expect(await at.steps(cut.runId)).toEqual(upTo(SFT_STEPS));
  expect(await at.weights(cut.runId)).toEqual(await at.weights(whole.runId));
  const { cuts } = await getRun(db, cut.runId);
  expect(cuts).toEqual([{ at: stepped.step, from: stepped.step, why: 'closed' }]);
  expect(await getRun(db, whole.runId)).not.toHaveProperty('cuts');
});

test('stopping keeps what was learnt, and models answer; what is missing is named', async () => {
  const { db, projectId, client } = at;
  await expect(
    client.call('startRun', { projectId, stage: 'ppo', config: {} }),
  ).rejects.toMatchObject({ code: 'missing', field: 'sft' });
  await expect(
    client.call('startRun', { projectId, stage: 'sft', config: { learning_rate: -1 } }),
  ).rejects.toMatchObject({ code: 'config', field: 'learning_rate' });
  const { runId } = await client.call('startRun', { projectId, stage: 'sft', config: SFT });
  await client.call('step', {});
  await client.call('stop', {});
  const run = await getRun(db, runId);
  expect(run.status).toBe('stopped');
  expect(run.step).toBeLessThan(SFT_STEPS);
  const compared = await client.call('compare', {
    projectId,
    prompts: ['Tell me about a cat.', 'Who is there?'],
    n: 2,
    maxNewTokens: 8,
    temperature: 1,
    seed: 1,
  });
  expect(compared).toHaveLength(4);
  expect(compared.map((cells) => cells.map(({ model, score }) => [model, score]))).toEqual(
    Array(4).fill([
      ['base', null],
      ['sft', null],
    ]),
  );
  const [base, sft] = compared[3]!;
  expect(base!.tokenKl).toHaveLength(base!.completion.tokens.length);
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

test('of two starts at once one is refused', async () => {
  const { projectId, client } = at;
  const starts = await Promise.allSettled(
    [1, 2].map(() => client.call('startRun', { projectId, stage: 'sft', config: SFT })),
  );
  expect(starts.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  await client.call('stop', {});
});

test('rows that came after the checkpoint are cut when the run goes on from it', async () => {
  const { db, projectId, client } = at;
  const { runId } = await client.call('startRun', { projectId, stage: 'sft', config: SFT });
  await client.call('step', {});
  await client.call('stop', {});
  const { step } = await getRun(db, runId);
  const written = await metricRows(db, runId);
  expect(written).toHaveLength(step);
  // What a kill leaves that came after the last checkpoint.
  const lost = [99, 100].map((n) => ({ step: n, row: { step: n } }));
  await appendMetrics(db, { id: runId, projectId }, { rows: lost, samples: [] });
  await client.call('resumeRun', { runId });
  await at.status('done');
  expect(await at.steps(runId)).toEqual(upTo(SFT_STEPS));
  expect((await metricRows(db, runId)).slice(0, step)).toEqual(written);
});
