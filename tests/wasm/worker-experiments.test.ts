/** Experiments as the page asks for them: told step by step, ended when asked, refused beside a run. */
import { expect, test } from 'vitest';
import { stageConfig } from '../../src/core/config';
import type { ElectorateRecord, ExperimentRequest } from '../../src/core/experiments';
import { updateProject } from '../../src/storage/projects';
import { addRankings, SFT, workerTests } from '../worker-session';

const at = workerTests({ backend: 'wasm' });
const settings = {
  reward: { ...stageConfig('reward', { num_train_epochs: 2, held_out_ratio: 0.3 }) },
  ppo: { ...stageConfig('ppo', { rollout_batch_size: 4, response_length: 8 }) },
};
const ask = (experiment: ExperimentRequest) =>
  at.client.call('experiment', { projectId: at.projectId, experiment, settings });
const told = () => at.events.filter((event) => event.kind === 'experiment');

test('trains and judges by group, and says how far it is', async () => {
  await addRankings(at);
  await at.train('sft', SFT);
  const record = (await ask({ name: 'electorate', ppoIterations: 0 })) as ElectorateRecord;
  expect(record.models.map(({ name }) => name)).toEqual(['everyone', 'test']);
  expect(record.judges).toMatchObject([{ name: 'test', rankings: 2 }]);
  expect(record.inputHash).toContain('groups:');
  const steps = told();
  expect(steps.length).toBeGreaterThan(2);
  expect(steps.at(-1)).toMatchObject({ name: 'electorate', done: steps.at(-1)!.total, msLeft: 0 });
  for (const [i, step] of steps.entries()) {
    if (i > 0) expect(step.done).toBeGreaterThan(steps[i - 1]!.done);
  }
});

test('keeps the machine to itself and stops when told, with nothing to keep', async () => {
  await addRankings(at);
  await at.train('sft', SFT);
  const running = ask({ name: 'electorate', ppoIterations: 100 });
  await expect.poll(() => told().length, { timeout: 60_000 }).toBeGreaterThan(1);
  const { client, projectId } = at;
  await expect(
    client.call('startRun', { projectId, stage: 'sft', config: SFT }),
  ).rejects.toMatchObject({ code: 'busy' });
  await expect(ask({ name: 'ask-first', setIds: [] })).rejects.toMatchObject({ code: 'busy' });
  await client.call('stopExperiment', {});
  expect(await running).toBeNull();
  // over: a run can start, and to stop nothing is no mistake
  await client.call('stopExperiment', {});
  await at.train('sft', { ...SFT, num_train_epochs: 1 });
});

test('names what is missing', async () => {
  await expect(ask({ name: 'electorate', ppoIterations: 0 })).rejects.toMatchObject({
    code: 'missing',
    field: 'sft',
  });
  await at.train('sft', { ...SFT, num_train_epochs: 1 });
  await expect(ask({ name: 'electorate', ppoIterations: 0 })).rejects.toMatchObject({
    code: 'missing',
    field: 'rankings',
  });
});

test('a reward run trains on the electorate that it was started with', async () => {
  await addRankings(at);
  await at.train('sft', SFT);
  const config = { num_train_epochs: 1, held_out_ratio: 0 };
  const even = await at.train('reward', config);
  await updateProject(at.db, at.projectId, { electorate: { test: 0 } });
  await at.client.call('startRun', { projectId: at.projectId, stage: 'reward', config });
  await expect.poll(() => at.newest()?.run.status, { timeout: 60_000 }).toBe('failed');
  expect(at.newest()!.failure).toMatchObject({ field: 'electorate' });
  expect(at.newest()!.run.inputHash).not.toBe(even.inputHash);
});
