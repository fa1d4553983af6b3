/** Killed at any moment and resumed, a run equals the one that was never killed, bit for bit. */
import { expect, test } from 'vitest';
import type { Run, Stage } from '../../src/core/domain';
import { loadCheckpoint, saveCheckpoint } from '../../src/storage/checkpoints';
import { metricRows, runSamples } from '../../src/storage/metrics';
import { prompts } from '../../src/storage/prompts';
import { getRun, interruptRuns } from '../../src/storage/runs';
import { keepCounts, soakAmount } from './soak';
import { addRankings, openWorkerEngine, SFT, workerTests } from '../worker-session';

const at = workerTests();

const REWARD = { per_device_train_batch_size: 2, num_train_epochs: 4, held_out_ratio: 0 };
const PPO = { num_iterations: 5, rollout_batch_size: 4, response_length: 6, num_ppo_epochs: 2 };
const KILLS = soakAmount({ few: 1, full: 20 });
/** A kill takes a new worker, which compiles its kernels again. */
const PER_KILL_MS = 90_000;

/** What a run leaves, to the last bit: every tensor of its checkpoint by hash, and every number. */
async function outcome(runId: string): Promise<unknown> {
  const { db } = at;
  return {
    weights: await at.weights(runId),
    rows: await metricRows(db, runId),
    samples: await runSamples(db, runId),
  };
}

/** Takes some steps, each with a checkpoint, lets the run go and ends its worker in the middle. */
async function killed(stage: Stage, config: Record<string, unknown>, whole: Run, ms: number) {
  const { db, projectId, client } = at;
  for (;;) {
    const { runId } = await client.call('startRun', { projectId, stage, config });
    const steps = Math.floor(Math.random() * (whole.totalSteps - 1));
    for (let i = 0; i < steps; i++) await client.call('step', {});
    await client.call('resume', {}).catch(() => null);
    await new Promise((done) => setTimeout(done, Math.random() * 2 * ms));
    client.restart();
    const cut = (await interruptRuns(db, projectId)).some(({ id }) => id === runId);
    await openWorkerEngine(client);
    if (cut) return getRun(db, runId);
  }
}

async function trial(stage: Stage, config: Record<string, unknown>): Promise<void> {
  const { client } = at;
  const begun = performance.now();
  const whole = await at.train(stage, config);
  const ms = (performance.now() - begun) / whole.totalSteps;
  const expected = await outcome(whole.id);
  const from: number[] = [];
  for (let i = 0; i < KILLS; i++) {
    const run = await killed(stage, config, whole, ms);
    from.push(run.checkpointId === null ? 0 : run.step);
    await client.call('resumeRun', { runId: run.id });
    await at.status('done');
    expect(await outcome(run.id), `killed after the checkpoint of step ${run.step}`).toEqual(
      expected,
    );
  }
  await keepCounts(`exact-resume-${stage}`, {
    kills: KILLS,
    equal: KILLS,
    whole: whole.totalSteps,
  });
  expect(Math.min(...from)).toBeLessThan(whole.totalSteps);
}

test('SFT', { timeout: KILLS * PER_KILL_MS }, () => trial('sft', SFT));

test('reward model', { timeout: KILLS * PER_KILL_MS }, async () => {
  await addRankings(at);
  await at.train('sft', SFT);
  await trial('reward', REWARD);
});

test('PPO', { timeout: KILLS * PER_KILL_MS }, async () => {
  const { db, projectId } = at;
  await addRankings(at);
  await prompts.append(db, projectId, [{ text: 'Who is there?' }, { text: 'What is a frog?' }]);
  await at.train('sft', SFT);
  await at.train('reward', REWARD);
  await trial('ppo', PPO);
});

test('one bit of one moment of AdamW, and the outcome is seen to be another', async () => {
  const { db, projectId, client } = at;
  const expected = await outcome((await at.train('sft', SFT)).id);
  const interrupted = async (): Promise<Run> => {
    const { runId } = await client.call('startRun', { projectId, stage: 'sft', config: SFT });
    await client.call('step', {});
    client.restart();
    await interruptRuns(db, projectId);
    await openWorkerEngine(client);
    return getRun(db, runId);
  };
  const resumed = async ({ id: runId }: Run): Promise<unknown> => {
    await client.call('resumeRun', { runId });
    await at.status('done');
    return outcome(runId);
  };
  expect(await resumed(await interrupted())).toEqual(expected);

  const run = await interrupted();
  const { manifest, tensors } = await loadCheckpoint(db, run.checkpointId!);
  const { stage, step, modelConfig, state } = manifest;
  const moment = [...tensors].find(([name]) => name.startsWith('optimizer/'))!;
  const bits = new Uint32Array(moment[1].data.buffer, moment[1].data.byteOffset);
  bits[bits.findIndex((word) => word !== 0)]! ^= 1 << 20;
  const changed = { projectId, runId: run.id, stage, step, modelConfig, tensors, state };
  await saveCheckpoint(db, changed);
  expect(await resumed(run)).not.toEqual(expected);
});
