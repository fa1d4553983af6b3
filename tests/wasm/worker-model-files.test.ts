/** Models in and out through the real worker: Hugging Face folders, kept in the database. */
import { unzipSync } from 'fflate';
import { expect, test } from 'vitest';
import { IMPORTED } from '../../src/core/stage-models';
import { readSafetensors } from '../../src/formats/safetensors';
import { copyBase } from '../../src/storage/copied-base';
import { loadCheckpoint } from '../../src/storage/checkpoints';
import { createProject, deleteProject, getProject } from '../../src/storage/projects';
import { getRun } from '../../src/storage/runs';
import { modelFolder } from '../gpu/model-folder';
import { addRankings, SFT, workerTests } from '../worker-session';

const t = workerTests({ backend: 'wasm' });
const text = new TextDecoder();

async function importFolder(name: string): Promise<string> {
  const files = await modelFolder(name);
  const request = { projectId: t.projectId, name, files };
  return (await t.client.call('importBase', request)).runId;
}

async function exported(model: 'base' | 'sft' | 'reward' | 'ppo', projectId = t.projectId) {
  const zip = await t.client.call('exportModel', { projectId, model });
  const files = unzipSync(new Uint8Array(await zip.arrayBuffer()));
  const json = (name: string) => JSON.parse(text.decode(files[name])) as Record<string, unknown>;
  return {
    zip,
    json,
    card: text.decode(files['README.md']),
    weights: readSafetensors(files['model.safetensors']!, 'model.safetensors'),
    blobs: Object.entries(files).map(([path, bytes]) => ({
      path,
      blob: new Blob([bytes]),
    })),
  };
}

const complete = (projectId: string, model: 'base' | 'sft') =>
  t.client.call('complete', {
    projectId,
    options: { model, prompt: 'goat', n: 1, maxNewTokens: 6, temperature: 1, seed: 4 },
  });

test('an imported model is the base, survives export and import unchanged, and can be trained', async () => {
  const runId = await importFolder('gqa-untied-bf16-sharded');
  expect((await getProject(t.db, t.projectId)).runs.base).toBe(runId);
  expect(t.newest()).toMatchObject({ isModel: true, run: { id: runId, status: 'done' } });
  const run = await getRun(t.db, runId);
  const { manifest, tensors } = await loadCheckpoint(t.db, run.checkpointId!);
  const { hidden_size, num_hidden_layers } = manifest.modelConfig;
  expect(run.config).toEqual({
    [IMPORTED]: 'gqa-untied-bf16-sharded',
    hidden_size,
    num_hidden_layers,
  });
  const written = await complete(t.projectId, 'base');

  const out = await exported('base');
  expect(out.json('config.json')).toMatchObject({
    architectures: ['LlamaForCausalLM'],
    tie_word_embeddings: false,
  });
  // Markdown signs are escaped in the card
  expect(out.card).toContain('Base: gqa\\-untied\\-bf16\\-sharded');
  expect(out.weights.size).toBe(tensors.size);
  for (const [name, { shape, data }] of out.weights) {
    expect(tensors.get(`policy/${name}`), name).toEqual({ shape, data });
  }

  const again = await t.client.call('importBase', {
    projectId: t.projectId,
    name: 'again',
    files: out.blobs,
  });
  const copy = await loadCheckpoint(t.db, (await getRun(t.db, again.runId)).checkpointId!);
  expect(copy.tensors).toEqual(tensors);
  expect(await complete(t.projectId, 'base')).toEqual(written);

  const sft = await t.train('sft', SFT);
  expect(sft.parentId).toBe(again.runId);
  expect((await exported('sft')).json('config.json')['vocab_size']).toBe(
    copy.manifest.modelConfig.vocab_size,
  );
});

test('another project starts on an imported base without a copy of its tensors', async () => {
  const runId = await importFolder('mqa-tied-f16');
  const chunks = await t.db.count('chunks');
  const other = await createProject(t.db, { name: 'Other', base: 'scratch', seed: 9 });
  await copyBase(t.db, runId, other.id);
  expect(await t.db.count('chunks')).toBe(chunks);
  const written = await complete(t.projectId, 'base');
  await t.client.call('forget', { projectId: t.projectId });
  await deleteProject(t.db, t.projectId);
  // The chunks that both name stay.
  expect(await complete(other.id, 'base')).toEqual(written);
  await deleteProject(t.db, other.id);
  expect(await t.db.count('chunks')).toBeLessThan(chunks);
  await expect(copyBase(t.db, runId, other.id)).rejects.toMatchObject({
    code: 'argument',
    field: 'base',
  });
});

test('a reward model is exported as the page scores: logit − reward_offset', async () => {
  await t.train('sft', SFT);
  await addRankings(t);
  const run = await t.train('reward', { held_out_ratio: 0 });
  const { json, card, weights } = await exported('reward');
  const config = json('config.json');
  expect(config).toMatchObject({ architectures: ['LlamaForSequenceClassification'] });
  const { tensors } = await loadCheckpoint(t.db, run.checkpointId!);
  const bias = tensors.get('model/score.bias')!.data[0]!;
  expect(config['reward_offset']).toBeCloseTo((run.rewardShift - bias) * run.rewardScale, 5);
  expect(weights.get('score.weight')!.data[3]).toBeCloseTo(
    tensors.get('model/score.weight')!.data[3]! * run.rewardScale,
    6,
  );
  expect(card).toContain('Rankings by people: 7');
});

test('a folder that does not fit is refused, and nothing is stored', async () => {
  const files = (await modelFolder('mqa-tied-f16')).filter(({ path }) => !path.includes('config'));
  const chunks = await t.db.count('chunks');
  await expect(
    t.client.call('importBase', { projectId: t.projectId, name: 'broken', files }),
  ).rejects.toMatchObject({ code: 'input' });
  expect(await t.db.count('chunks')).toBe(chunks);
  expect((await getProject(t.db, t.projectId)).runs.base).toBeNull();
  await expect(
    t.client.call('exportModel', { projectId: t.projectId, model: 'ppo' }),
  ).rejects.toMatchObject({ code: 'missing', field: 'ppo' });
});
