/** Every stage through the real worker, its inputs read from the database. */
import { expect, test } from 'vitest';
import { PRESETS } from '../../src/core/presets';
import { demonstrations } from '../../src/storage/demonstrations';
import { loadCheckpoint } from '../../src/storage/checkpoints';
import { metricRows, runSamples } from '../../src/storage/metrics';
import { getProject } from '../../src/storage/projects';
import { prompts } from '../../src/storage/prompts';
import { getRun, interruptRuns, runInput } from '../../src/storage/runs';
import { addRankings, openWorkerEngine, SFT, upTo, workerTests } from '../worker-session';

const at = workerTests({ backend: 'wasm' });
const PPO = { num_iterations: 3, rollout_batch_size: 4, response_length: 6, num_ppo_epochs: 2 };
const ONE_EPOCH = { ...SFT, num_train_epochs: 1 };

test('pretraining makes the base that SFT then starts from, with its own tokenizer', async () => {
  const { db, projectId, client } = at;
  const sentence = 'The little cat sat on the mat and the dog looked at the bird in the tree. ';
  const text = Array.from({ length: 24 }, (_, i) => `${i} ${sentence.repeat(3)}`).join('\n\n');
  const config = { max_steps: 3, per_device_train_batch_size: 2, eval_steps: 1 };
  const base = await at.train('pretrain', config, text);
  expect((await getProject(db, projectId)).runs.base).toBe(base.id);
  expect((await runInput(db, base.id)).data).toMatchObject({ stage: 'pretrain', seed: 3 });
  expect(await at.steps(base.id)).toEqual(upTo(3));
  expect((await runSamples(db, base.id))[0]!.samples[0]!.prompt).toMatch(/^0 The little/);

  const sft = await at.train('sft', ONE_EPOCH);
  expect(sft.parentId).toBe(base.id);
  const { manifest } = await loadCheckpoint(db, sft.checkpointId!);
  const own = (await loadCheckpoint(db, base.checkpointId!)).manifest;
  expect(manifest.modelConfig).toEqual(own.modelConfig);
  expect(manifest.modelConfig.vocab_size).toBeLessThan(PRESETS.nano.vocab_size);
  expect(manifest.state['tokenizer']).toEqual(own.state['tokenizer']);
  const options = { prompt: 'The little', n: 2, maxNewTokens: 4, temperature: 1, seed: 1 };
  const written = await client.call('complete', {
    projectId,
    options: { ...options, model: 'base' },
  });
  const known = own.modelConfig.vocab_size;
  expect(written.flatMap(({ tokens }) => tokens).every((token) => token < known)).toBe(true);
});

test('what is held out is what is marked, and nothing else', async () => {
  const { db, projectId } = at;
  const marked = await at.train('sft', { ...ONE_EPOCH, eval_steps: 1 });
  expect(marked.totalSteps).toBe(3);
  expect((await metricRows(db, marked.id)).every(({ eval_loss }) => eval_loss! > 0)).toBe(true);
  const all = await demonstrations.list(db, projectId);
  await demonstrations.put(
    db,
    all.map((one) => ({ ...one, heldOut: false })),
  );
  const none = await at.train('sft', { ...ONE_EPOCH, eval_steps: 1, held_out_ratio: 0.5 });
  // Seven demonstrations in batches of two.
  expect(none.totalSteps).toBe(4);
  expect((await metricRows(db, none.id)).some((row) => 'eval_loss' in row)).toBe(false);
});

test('reward model and PPO: from the rankings and prompts that are stored, cut off and resumed', async () => {
  const { db, projectId, client } = at;
  const item = { prompt: 'Tell me about a cat.', completion: 'The cat is happy.' };
  await expect(client.call('score', { projectId, items: [item] })).rejects.toMatchObject({
    code: 'missing',
    field: 'reward',
  });
  await at.train('sft', SFT);
  await expect(
    client.call('startRun', { projectId, stage: 'reward', config: {} }),
  ).resolves.toBeDefined();
  await expect.poll(() => at.newest()?.run.status).toBe('failed');
  expect(at.newest()).toMatchObject({ isModel: false, failure: { field: 'rankings' } });
  await addRankings(at);

  const reward = await at.train('reward', {
    per_device_train_batch_size: 2,
    num_train_epochs: 6,
    held_out_ratio: 0,
    learning_rate: 3e-3,
  });
  expect((await getProject(db, projectId)).runs.reward).toBe(reward.id);
  expect((await getRun(db, reward.id)).rewardScale).not.toBe(1);
  const rejected = { ...item, completion: 'Go away.' };
  const [good, bad] = await client.call('score', { projectId, items: [item, rejected] });
  expect(good).toBeGreaterThan(bad!);
  // Demonstrations score 0 on average; their order in the request changes nothing.
  const shown = await demonstrations.list(db, projectId);
  const scores = await client.call('score', { projectId, items: shown });
  expect(Math.abs(scores.reduce((a, b) => a + b, 0) / scores.length)).toBeLessThan(1e-3);
  const again = await client.call('score', { projectId, items: shown.toReversed() });
  again.toReversed().forEach((score, i) => expect(score).toBeCloseTo(scores[i]!, 4));

  await prompts.append(db, projectId, [{ text: 'Who is there?' }, { text: 'What is a frog?' }]);
  const whole = await at.train('ppo', PPO);
  expect((await runInput(db, whole.id)).data).toMatchObject({
    start: { runId: (await getProject(db, projectId)).runs.sft },
    reward: { runId: reward.id, id: reward.checkpointId },
    prompts: ['Who is there?', 'What is a frog?'],
  });
  expect(await at.steps(whole.id)).toEqual(upTo(3));
  const rows = await metricRows(db, whole.id);
  for (const row of rows) expect(row['val/ratio_first']).toBeCloseTo(1, 4);
  expect(rows[0]!['objective/kl']).toBeCloseTo(0, 5);
  expect(rows[2]!['objective/kl']).not.toBe(0);
  expect((await runSamples(db, whole.id)).map(({ step }) => step)).toEqual(upTo(3));

  const { runId } = await client.call('startRun', { projectId, stage: 'ppo', config: PPO });
  await client.call('pause', {});
  client.restart();
  expect((await interruptRuns(db, projectId)).map(({ id }) => id)).toEqual([runId]);
  await openWorkerEngine(client);
  await client.call('resumeRun', { runId });
  await at.status('done');
  expect(await metricRows(db, runId)).toEqual(rows);
  expect(await at.weights(runId)).toEqual(await at.weights(whole.id));
});

test('DPO and best-of-n: on what is stored, without and with a reward model', async () => {
  const { db, projectId, client, events } = at;
  const measure = () => client.call('bestOfN', { projectId });
  await at.train('sft', SFT);
  await addRankings(at);
  await expect(measure()).rejects.toMatchObject({ code: 'missing', field: 'reward' });
  const settings = { num_train_epochs: 1, per_device_train_batch_size: 2, eval_steps: 2 };
  const alone = await at.train('dpo', settings);
  expect((await getProject(db, projectId)).runs).toMatchObject({ dpo: alone.id, ppo: null });
  const rows = await metricRows(db, alone.id);
  expect(rows[0]!['loss']).toBeCloseTo(Math.LN2, 4);
  expect(rows[0]).toHaveProperty(['objective/kl']);
  expect(rows[0]).not.toHaveProperty(['objective/scores']);

  const reward = await at.train('reward', { held_out_ratio: 0 });
  await prompts.append(db, projectId, [{ text: 'Who is there?' }, { text: 'What is a frog?' }]);
  const ppo = await at.train('ppo', PPO);
  const whole = await at.train('dpo', settings);
  const { sft } = (await getProject(db, projectId)).runs;
  expect((await runInput(db, whole.id)).data).toMatchObject({
    start: { runId: sft },
    reward: { runId: reward.id },
    prompts: ['Who is there?', 'What is a frog?'],
    // as the PPO run wrote, not as its settings or defaults say
    rollouts: { rollout_batch_size: 4, response_length: 6, temperature: 1 },
  });
  const scored = await metricRows(db, whole.id);
  expect(scored[0]).toHaveProperty(['objective/scores']);
  // the reward model is asked, not learnt from
  expect(scored.map(({ loss }) => loss)).toEqual(rows.map(({ loss }) => loss));
  expect(await at.weights(whole.id)).toEqual(await at.weights(alone.id));

  const options = { prompt: 'Who?', n: 1, maxNewTokens: 4, temperature: 1, seed: 1 };
  const answers = await client.call('compare', { ...options, projectId, prompts: ['Who?'] });
  expect(answers[0]!.map(({ model }) => model)).toEqual(['base', 'sft', 'dpo', 'ppo']);
  expect(
    (await client.call('complete', { projectId, options: { ...options, model: 'dpo' } })).length,
  ).toBe(1);

  const first = measure();
  await expect(
    client.call('startRun', { projectId, stage: 'sft', config: SFT }),
  ).rejects.toMatchObject({ code: 'busy' });
  await expect(measure()).rejects.toMatchObject({ code: 'busy' });
  const record = await first;
  expect(record).toMatchObject({ prompts: 2, completions: 16, inputHash: ppo.inputHash });
  expect(record.points.map(({ n }) => n)).toEqual([1, 2, 4, 8, 16]);
  expect(await measure()).toEqual(record);
  expect(events).toContainEqual(
    expect.objectContaining({ kind: 'progress', what: 'best-of-n', done: 2, total: 2 }),
  );
});

test('the same question to a model has the same answers, and each model its own', async () => {
  const { projectId, client } = at;
  const options = {
    prompt: 'Tell me about a cat.',
    n: 3,
    maxNewTokens: 6,
    temperature: 1,
    seed: 5,
  };
  const ask = (model: 'base' | 'sft' | 'ppo', change: Partial<typeof options> = {}) =>
    client.call('complete', { projectId, options: { ...options, ...change, model } });
  await expect(ask('sft')).rejects.toMatchObject({ code: 'missing', field: 'sft' });
  await at.train('sft', SFT);
  const first = await ask('sft');
  expect(first).toHaveLength(3);
  for (const { tokens, logprobs, finish } of first) {
    expect(tokens.length).toBeGreaterThan(0);
    expect(tokens.length).toBeLessThanOrEqual(6);
    expect(logprobs).toHaveLength(tokens.length);
    expect(logprobs.every((nats) => nats <= 0)).toBe(true);
    if (finish === 'length') expect(tokens).toHaveLength(6);
  }
  expect(await ask('sft')).toEqual(first);
  expect(await ask('sft', { seed: 6 })).not.toEqual(first);
  expect(await ask('base')).not.toEqual(first);
});
