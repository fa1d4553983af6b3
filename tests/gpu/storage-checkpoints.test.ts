import { expect, test } from 'vitest';
import {
  loadCheckpoint,
  runCheckpoints,
  saveCheckpoint,
  sweepChunks,
} from '../../src/storage/checkpoints';
import { CHUNK_BYTES, chunkTensors } from '../../src/storage/chunks';
import { deleteProject } from '../../src/storage/projects';
import { getRun } from '../../src/storage/runs';
import { projectWithRun, tableSizes, testDatabase, weightsOf } from './storage-database';

test('a checkpoint comes back bit for bit, over several chunks, and the run points at it', async () => {
  const db = await testDatabase();
  const { runId, checkpoint } = await projectWithRun(db);
  const data = new Float32Array(CHUNK_BYTES / 4 + 5).map((_, i) => Math.fround(Math.sin(i)));
  const tensors = new Map([
    ['policy/a', { shape: [data.length], data }],
    ['optimizer/m/a', { shape: [1, 2], data: Float32Array.of(-0, 1e-40) }],
  ]);
  const { manifest } = await saveCheckpoint(db, checkpoint(3, tensors));
  expect(manifest.tensors[0]!.chunks).toHaveLength(2);
  const loaded = await loadCheckpoint(db, manifest.id);
  expect(loaded.tensors).toEqual(tensors);
  expect(Object.is(loaded.tensors.get('optimizer/m/a')!.data[0], -0)).toBe(true);
  expect(loaded.manifest.state).toEqual({ step: 3 });
  expect([...(await loadCheckpoint(db, manifest.id, 'policy/')).tensors.keys()]).toEqual([
    'policy/a',
  ]);
  expect((await getRun(db, runId)).checkpointId).toBe(manifest.id);
});

test('two checkpoints of a run are kept, equal bytes once, and loose chunks go', async () => {
  const db = await testDatabase();
  const { runId, checkpoint } = await projectWithRun(db);
  const same: [string, number[]] = ['policy/frozen', [7, 8]];
  for (const step of [1, 2, 3]) {
    await saveCheckpoint(db, checkpoint(step, weightsOf(same, ['policy/w', [step]])));
  }
  expect((await runCheckpoints(db, runId)).map(({ step, seq }) => [step, seq])).toEqual([
    [2, 2],
    [3, 3],
  ]);
  // frozen, w of step 2, w of step 3
  expect(await db.count('chunks')).toBe(3);
  await db.put('chunks', { hash: 'left by a kill', bytes: new ArrayBuffer(4) });
  expect(await sweepChunks(db)).toBe(1);
  expect(await db.count('chunks')).toBe(3);
});

test('a chunk that another tab sweeps away meanwhile is stored all the same', async () => {
  const db = await testDatabase();
  const { checkpoint } = await projectWithRun(db);
  const next = checkpoint(1, weightsOf(['policy/w', [1]]));
  // Left behind by a kill: it is found, so it need not be written, and then it is gone.
  for (const [hash, bytes] of (await chunkTensors(next.tensors)).chunks) {
    await db.put('chunks', { hash, bytes });
  }
  const swept: number[] = [];
  const besideAnotherTab = new Proxy(db, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      const method = value.bind(target) as (...args: unknown[]) => unknown;
      if (name !== 'getKey') return method;
      return async (...args: unknown[]) => {
        const found = await method(...args);
        swept.push(await sweepChunks(db));
        return found;
      };
    },
  });
  const { manifest } = await saveCheckpoint(besideAnotherTab, next);
  expect(swept).toEqual([1]);
  expect((await loadCheckpoint(db, manifest.id)).tensors).toEqual(next.tensors);
});

test('a checkpoint that fails leaves the old one and its run as they were', async () => {
  const db = await testDatabase();
  const { runId, projectId, checkpoint } = await projectWithRun(db);
  const good = await saveCheckpoint(db, checkpoint(1, weightsOf(['policy/w', [1]])));
  // The state cannot be cloned, so the manifest fails after the chunks have been stored.
  const torn = { ...checkpoint(2, weightsOf(['policy/w', [2]])), state: { run: () => 0 } };
  await expect(saveCheckpoint(db, torn, { step: 2 })).rejects.toMatchObject({ code: 'storage' });
  const nan = checkpoint(2, weightsOf(['policy/w', [Number.NaN]]));
  await expect(saveCheckpoint(db, nan)).rejects.toMatchObject({
    code: 'non-finite',
    field: 'policy/w',
  });
  const run = await getRun(db, runId);
  expect([run.checkpointId, run.step]).toEqual([good.manifest.id, 0]);
  expect((await loadCheckpoint(db, good.manifest.id)).tensors.get('policy/w')!.data[0]).toBe(1);
  await deleteProject(db, projectId);
  await expect(saveCheckpoint(db, checkpoint(3, weightsOf()))).rejects.toMatchObject({
    code: 'not-found',
  });
});

test('changed bytes are refused, naming the tensor', async () => {
  const db = await testDatabase();
  const { checkpoint } = await projectWithRun(db);
  const { manifest } = await saveCheckpoint(db, checkpoint(1, weightsOf(['policy/w', [1]])));
  const hash = manifest.tensors[0]!.chunks[0]!;
  await db.put('chunks', { hash, bytes: Float32Array.of(2).buffer });
  await expect(loadCheckpoint(db, manifest.id)).rejects.toMatchObject({
    code: 'storage',
    field: 'policy/w',
  });
});

test('deleting a project leaves nothing of it, and nothing of others is touched', async () => {
  const db = await testDatabase();
  const first = await projectWithRun(db);
  const shared: [string, number[]] = ['policy/frozen', [7, 8]];
  await saveCheckpoint(db, first.checkpoint(1, weightsOf(shared)));
  const before = await tableSizes(db);
  const second = await projectWithRun(db);
  await saveCheckpoint(db, second.checkpoint(1, weightsOf(shared, ['policy/own', [1]])));
  const { projectId, runId } = second;
  for (const table of ['demonstrations', 'prompts', 'sets', 'rankings'] as const) {
    await db.put(table, { id: table, projectId, seq: 1 } as never);
  }
  await db.put('metrics', { runId, projectId, step: 1, row: { step: 1 } });
  await db.put('samples', { runId, projectId, step: 1, samples: [] });
  await deleteProject(db, projectId);
  expect(await tableSizes(db)).toEqual(before);
});
