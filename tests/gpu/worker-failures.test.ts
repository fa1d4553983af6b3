/** What a run does when its numbers stop being numbers. */
import { expect, test } from 'vitest';
import type { Run } from '../../src/core/domain';
import { loadCheckpoint, runCheckpoints, saveCheckpoint } from '../../src/storage/checkpoints';
import { metricRows } from '../../src/storage/metrics';
import { getProject } from '../../src/storage/projects';
import { createRun, getRun, updateRun } from '../../src/storage/runs';
import { SFT, upTo, workerTests } from '../worker-session';

const at = workerTests();

/**
 * Allowed settings under which Adam divides by almost nothing: β2 = 0 makes the second moment the
 * square of the newest gradient alone, while the first still remembers the older ones.
 */
const EXPLODING = {
  ...SFT,
  num_train_epochs: 40,
  learning_rate: 0.1,
  warmup_ratio: 0,
  adam_beta1: 0.999,
  adam_beta2: 0,
  max_grad_norm: 0,
};
const ASK = { prompt: 'Tell me about a cat.', n: 2, maxNewTokens: 4, temperature: 1, seed: 1 };

async function failed(): Promise<Run> {
  await expect.poll(() => at.newest()?.run.status, { timeout: 90_000 }).toBe('failed');
  return at.newest()!.run;
}

test('NaN stops the run, names the step, and the last good checkpoint is the model', async () => {
  const { db, projectId, client } = at;
  await at.train('sft', SFT);
  await client.call('startRun', { projectId, stage: 'sft', config: EXPLODING });
  const run = await failed();
  const { isModel, failure } = at.newest()!;
  expect(isModel).toBe(true);
  expect(failure).toMatchObject({
    code: 'non-finite',
    message: expect.stringMatching(
      /^Step (\d+): .* went back to its checkpoint of step 1, which is the SFT model now\.$/,
    ) as string,
  });
  const bad = Number(/^Step (\d+)/.exec(failure!.message)![1]);
  const seen = at.events.filter((event) => event.kind === 'step' && event.runId === run.id);
  expect(bad).toBe(seen.length + 1);

  const good = (await runCheckpoints(db, run.id)).at(-1)!;
  expect(good.step).toBe(1);
  const rows = await metricRows(db, run.id);
  expect(rows.map(({ step }) => step)).toEqual([1]);
  expect(await getRun(db, run.id)).toMatchObject({
    status: 'failed',
    step: 1,
    finalRow: rows[0],
    checkpointId: good.id,
    error: failure!.message,
  });
  expect((await getProject(db, projectId)).runs.sft).toBe(run.id);
  const [answer] = await client.call('complete', { projectId, options: { ...ASK, model: 'sft' } });
  expect(answer!.logprobs.every(Number.isFinite)).toBe(true);
  // The engine is as it was: the next run goes well.
  await at.train('sft', SFT);
});

test('NaN in the first step leaves the model that was there', async () => {
  const { db, projectId, client } = at;
  const good = await at.train('sft', SFT);
  // A base whose weights are finite, but whose logits are not.
  const { manifest, tensors } = await loadCheckpoint(db, good.checkpointId!);
  const base = await createRun(
    db,
    projectId,
    { ...good, stage: 'pretrain' },
    {
      stage: 'pretrain',
      seed: 1,
      texts: [],
      samplePrompts: [],
    },
  );
  const norm = tensors.get('policy/model.norm.weight')!;
  norm.data.fill(3e38);
  const { modelConfig, state } = manifest;
  const poisoned = { projectId, runId: base.id, stage: 'pretrain' as const, step: 1 };
  await saveCheckpoint(db, { ...poisoned, modelConfig, state, tensors });
  await updateRun(db, base.id, { status: 'done' }, { becomesModel: true });

  await client.call('startRun', { projectId, stage: 'sft', config: SFT });
  const run = await failed();
  expect(at.newest()).toMatchObject({ isModel: false, failure: { code: 'non-finite' } });
  expect(run).toMatchObject({ checkpointId: null, step: 0 });
  expect(run.error).toMatch(/^Step 1: .*what was there before it is unchanged\.$/);
  expect((await getProject(db, projectId)).runs.sft).toBe(good.id);
  const options = { ...ASK, model: 'sft' as const };
  expect(await client.call('complete', { projectId, options })).toHaveLength(2);
});

test('NaN after a pause goes back to what the pause stored', async () => {
  const { db, projectId, client } = at;
  const config = { ...EXPLODING, warmup_ratio: 1, num_train_epochs: 4, learning_rate: 0.1 };
  const { runId } = await client.call('startRun', { projectId, stage: 'sft', config });
  await client.call('step', {});
  await client.call('step', {});
  const { step } = await getRun(db, runId);
  expect(step).toBeGreaterThan(1);
  await client.call('resume', {});
  await expect
    .poll(() => at.newest()?.run.status, { timeout: 90_000 })
    .not.toMatch(/running|paused/);
  const run = await failed();
  expect(run.step).toBe(step);
  expect(await at.steps(runId)).toEqual(upTo(step));
  expect(run.finalRow?.step).toBe(step);
});
