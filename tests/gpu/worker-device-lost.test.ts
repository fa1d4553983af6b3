import { expect, test } from 'vitest';
import { runCheckpoints } from '../../src/storage/checkpoints';
import { getProject } from '../../src/storage/projects';
import { getRun } from '../../src/storage/runs';
import { openWorkerEngine, SFT, SFT_STEPS, upTo, workerTests } from '../worker-session';

const at = workerTests({
  start: () =>
    new Worker(new URL('./worker-losing-device.ts', import.meta.url), { type: 'module' }),
});

test('a lost device interrupts the run, is told, and the run ends in a fresh worker as if nothing had happened', async () => {
  const { db, projectId, client, events } = at;
  const whole = await at.train('sft', SFT);

  const { runId } = await client.call('startRun', { projectId, stage: 'sft', config: SFT });
  await client.call('step', {});
  await client.call('step', {});
  const { step, checkpointId } = await getRun(db, runId);
  const channel = new BroadcastChannel('lose-device');
  await client.call('resume', {});
  channel.postMessage(null);
  channel.close();
  await expect
    .poll(() => at.newest()?.run.status, { timeout: 30_000 })
    .not.toMatch(/running|paused/);
  expect(at.newest()).toMatchObject({
    run: { status: 'interrupted' },
    isModel: false,
    failure: { code: 'device-lost' },
  });
  expect(events.filter(({ kind }) => kind === 'engine-error')[0]).toMatchObject({
    error: { code: 'device-lost', message: expect.stringMatching(/GPU was lost/) as string },
  });
  expect((await getProject(db, projectId)).runs.sft).toBe(whole.id);
  expect((await runCheckpoints(db, runId)).map(({ id }) => id)).toContain(checkpointId);
  // Nothing can be asked of the dead engine, and that is said.
  const options = { model: 'sft' as const, prompt: 'Hi', n: 1, maxNewTokens: 2 };
  await expect(
    client.call('complete', { projectId, options: { ...options, temperature: 1, seed: 1 } }),
  ).rejects.toMatchObject({ code: 'device-lost' });

  client.restart();
  await openWorkerEngine(client);
  await client.call('resumeRun', { runId });
  await at.status('done');
  expect(step).toBeGreaterThan(0);
  expect(await at.steps(runId)).toEqual(upTo(SFT_STEPS));
  // Where it was cut off is kept, for the chart.
  const { cuts } = await getRun(db, runId);
  expect(cuts).toMatchObject([{ why: 'device-lost' }]);
  expect(cuts![0]!.from).toBeGreaterThanOrEqual(step);
  expect(cuts![0]!.at).toBeGreaterThanOrEqual(cuts![0]!.from);
  expect(await at.weights(runId)).toEqual(await at.weights(whole.id));
});
