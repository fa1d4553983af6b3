import { expect, test, vi } from 'vitest';
import { runCheckpoints, saveCheckpoint } from '../../src/storage/checkpoints';
import { demonstrations } from '../../src/storage/demonstrations';
import { appendMetrics, metricRows, runSamples, truncateMetrics } from '../../src/storage/metrics';
import { openDatabase } from '../../src/storage/open';
import { createProject, getProject, listProjects, updateProject } from '../../src/storage/projects';
import { getRun, interruptRuns, runInput, runs, updateRun } from '../../src/storage/runs';
import { write } from '../../src/storage/transaction';
import { INPUT, projectWithRun, testDatabase, weightsOf } from './storage-database';

const draft = (prompt: string) => ({ prompt, completion: 'x', heldOut: false });

test('records come back in the order of seq after closing and opening again', async () => {
  const db = await testDatabase();
  const { projectId } = await projectWithRun(db);
  const first = await demonstrations.append(db, projectId, [draft('b'), draft('a')]);
  await demonstrations.append(db, projectId, [draft('c')]);
  await demonstrations.append(db, 'other', [draft('not ours')]);
  await demonstrations.put(db, [{ ...first[0]!, completion: 'edited' }]);
  db.close();
  const again = await testDatabase(db.name);
  const listed = await demonstrations.list(again, projectId);
  expect(listed.map(({ prompt, completion, seq }) => [prompt, completion, seq])).toEqual([
    ['b', 'edited', 1],
    ['a', 'x', 2],
    ['c', 'x', 3],
  ]);
  await demonstrations.remove(again, [listed[1]!.id]);
  expect(await demonstrations.list(again, projectId)).toHaveLength(2);
  expect(await listProjects(again)).toHaveLength(1);
});

test('every acknowledged write asks for strict durability', async () => {
  const db = await testDatabase();
  const asked: [string, string][] = [];
  const { transaction: original }: { transaction: (...args: unknown[]) => IDBTransaction } =
    IDBDatabase.prototype as never;
  const spy = vi.spyOn(IDBDatabase.prototype, 'transaction').mockImplementation(function (
    this: IDBDatabase,
    ...args
  ) {
    const tx = original.apply(this, args);
    asked.push([tx.mode, tx.durability]);
    return tx;
  });
  try {
    const { runId, projectId } = await projectWithRun(db);
    await demonstrations.append(db, projectId, [draft('a')]);
    await appendMetrics(
      db,
      { id: runId, projectId },
      { rows: [{ step: 1, row: {} }], samples: [] },
    );
  } finally {
    spy.mockRestore();
  }
  const writes = asked.filter(([mode]) => mode === 'readwrite');
  expect(writes).toEqual([1, 2, 3, 4].map(() => ['readwrite', 'strict']));
});

test('metric rows: in order, replaced by step, cut after a step', async () => {
  const db = await testDatabase();
  const { runId, projectId } = await projectWithRun(db);
  const run = { id: runId, projectId };
  const rows = Array.from({ length: 1000 }, (_, i) => ({ step: i + 1, row: { step: i + 1 } }));
  await appendMetrics(db, run, { rows: rows.toReversed(), samples: [{ step: 999, samples: [] }] });
  await appendMetrics(db, run, { rows: [{ step: 5, row: { step: 5, loss: 2 } }], samples: [] });
  const stored = await metricRows(db, runId);
  expect(stored.map(({ step }) => step)).toEqual(rows.map(({ step }) => step));
  expect(stored[4]).toEqual({ step: 5, loss: 2 });
  expect(await runSamples(db, runId)).toEqual([{ step: 999, samples: [] }]);
  await truncateMetrics(db, runId, 5);
  expect((await metricRows(db, runId)).map(({ step }) => step)).toEqual([1, 2, 3, 4, 5]);
  expect(await runSamples(db, runId)).toEqual([]);
});

test('a run keeps its data, is interrupted when it was cut off, and becomes the model', async () => {
  const db = await testDatabase();
  const { runId, projectId } = await projectWithRun(db);
  expect((await runInput(db, runId)).data).toEqual(INPUT);
  await expect(runInput(db, 'gone')).rejects.toMatchObject({ code: 'not-found' });
  expect((await interruptRuns(db, projectId)).map(({ id }) => id)).toEqual([runId]);
  expect((await runs.list(db, projectId))[0]!.status).toBe('interrupted');
  expect(await interruptRuns(db, projectId)).toEqual([]);
  await updateRun(db, runId, { status: 'done' }, { becomesModel: true });
  // The page changes another field at the same time: the pointer stays.
  const project = await updateProject(db, projectId, { name: 'Dogs' });
  expect([project.name, project.runs.sft]).toEqual(['Dogs', runId]);
  await expect(updateRun(db, 'gone', {})).rejects.toMatchObject({ code: 'not-found' });
});

test('a write that fails keeps nothing, and says why in plain words', async () => {
  const db = await testDatabase();
  const { projectId } = await projectWithRun(db);
  const full = write(db, ['demonstrations'], 'the ranking', async (tx) => {
    const record = { ...draft('kept?'), id: '1', projectId, seq: 1 };
    await tx.objectStore('demonstrations').put(record);
    throw new DOMException('disk', 'QuotaExceededError');
  });
  await expect(full).rejects.toMatchObject({
    code: 'storage',
    message: 'There is no room left to store the ranking. Everything stored before is untouched.',
  });
  expect(await demonstrations.list(db, projectId)).toEqual([]);
  db.close();
  await expect(demonstrations.list(db, projectId)).rejects.toMatchObject({ code: 'storage' });
});

test('order and clean-up follow the sequence numbers, whatever the clock says', async () => {
  const db = await testDatabase();
  let now = Date.UTC(2040, 0, 1);
  // Every look at it is a year earlier.
  const clock = vi.spyOn(Date, 'now').mockImplementation(() => (now -= 365 * 86_400_000));
  try {
    const { projectId, runId, checkpoint } = await projectWithRun(db);
    await createProject(db, { name: 'Later', base: 'nano', seed: 1 });
    const listed = await listProjects(db);
    expect(listed.map(({ name }) => name)).toEqual(['Cats', 'Later']);
    expect(listed[0]!.createdAt).toBeGreaterThan(listed[1]!.createdAt);
    for (const prompt of ['a', 'b', 'c']) {
      await demonstrations.append(db, projectId, [draft(prompt)]);
      const step = prompt.charCodeAt(0);
      await saveCheckpoint(db, checkpoint(step, weightsOf(['policy/w', [step]])), { step });
    }
    const shown = await demonstrations.list(db, projectId);
    expect(shown.map(({ prompt }) => prompt)).toEqual(['a', 'b', 'c']);
    // The two newest are kept, not the two with the latest times.
    const kept = await runCheckpoints(db, runId);
    expect(kept.map(({ step }) => step)).toEqual([98, 99]);
    expect((await getRun(db, runId)).checkpointId).toBe(kept[1]!.id);
  } finally {
    clock.mockRestore();
  }
});

test('an older tab lets a newer release open the database', async () => {
  let replaced = false;
  const name = `test-${crypto.randomUUID()}`;
  await openDatabase({ name, onReplaced: () => (replaced = true) });
  await new Promise<void>((resolve, reject) => {
    const request = indexedDB.open(name, 99);
    request.onsuccess = () => {
      request.result.close();
      resolve();
    };
    request.onerror = () => reject(new Error(String(request.error)));
  });
  expect(replaced).toBe(true);
  await expect(openDatabase({ name })).rejects.toMatchObject({ code: 'storage' });
  indexedDB.deleteDatabase(name);
});

test('a project that an older release stored has a place for every kind of model', async () => {
  const db = await testDatabase();
  const { projectId } = await projectWithRun(db);
  await write(db, ['projects'], 'the project', async (tx) => {
    const { runs: stored, ...rest } = (await tx.objectStore('projects').get(projectId))!;
    const { base, sft, reward, ppo } = { ...stored, sft: 'kept' };
    await tx.objectStore('projects').put({ ...rest, runs: { base, sft, reward, ppo } as never });
  });
  const runs = { base: null, sft: 'kept', reward: null, ppo: null, dpo: null };
  expect((await getProject(db, projectId)).runs).toEqual(runs);
  expect((await listProjects(db))[0]!.runs).toEqual(runs);
  const { runs: updated } = await updateProject(db, projectId, { runs: { ppo: 'new' } });
  expect(updated).toEqual({ ...runs, ppo: 'new' });
});
