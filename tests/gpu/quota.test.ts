/** Every place that writes to the database fails once for want of room, keeps what was there, and recovers. */
import { afterEach, expect, test, vi } from 'vitest';
import { PRESETS } from '../../src/core/presets';
import { without } from '../../src/core/without';
import { createStore } from '../../src/state/idb-store';
import { addProject, readProject } from '../../src/state/project-bundle';
import { loadCheckpoint, runCheckpoints, saveCheckpoint } from '../../src/storage/checkpoints';
import { copyBase } from '../../src/storage/copied-base';
import { demonstrations } from '../../src/storage/demonstrations';
import { saveImportedBase } from '../../src/storage/imported-base';
import { appendMetrics } from '../../src/storage/metrics';
import { createProject, updateProject } from '../../src/storage/projects';
import { createRun, getRun, interruptRuns, updateRun } from '../../src/storage/runs';
import type { Database } from '../../src/storage/schema';
import { deleteOldCheckpoints, storageUsage } from '../../src/storage/usage';
import { claimProject } from '../../src/storage/writer';
import { INPUT, projectWithRun, testDatabase, weightsOf } from './storage-database';

afterEach(() => vi.restoreAllMocks());

function abortAfter(request: IDBRequest, { transaction }: IDBObjectStore): void {
  const error = new DOMException('no room', 'QuotaExceededError');
  request.addEventListener('success', () => {
    Object.defineProperty(transaction, 'error', { value: error, configurable: true });
    transaction.abort();
  });
}

/** The ways in which browsers run out of room in the middle of a transaction. */
const FAILURES = {
  'the put throws': (store: IDBObjectStore): never => {
    throw new DOMException(`no room in ${store.name}`, 'QuotaExceededError');
  },
  'the transaction is aborted and its requests are never answered': (
    store: IDBObjectStore,
    put: () => IDBRequest,
  ): IDBRequest => {
    abortAfter(put(), store);
    // A request to everyone who looks at it, and silent for ever.
    return Object.setPrototypeOf(new EventTarget(), IDBRequest.prototype) as IDBRequest;
  },
  'the commit fails after every request has succeeded': (
    store: IDBObjectStore,
    put: () => IDBRequest,
  ): IDBRequest => {
    const request = put();
    abortAfter(request, store);
    return request;
  },
};

/** From now on nothing more can be put; returns what makes room again. */
function fill(failure: keyof typeof FAILURES): () => void {
  const { put }: { put: (...args: unknown[]) => IDBRequest } = IDBObjectStore.prototype as never;
  const spy = vi.spyOn(IDBObjectStore.prototype, 'put').mockImplementation(function (
    this: IDBObjectStore,
    ...args: [unknown, IDBValidKey?]
  ) {
    return FAILURES[failure](this, () => put.apply(this, args)) as IDBRequest<IDBValidKey>;
  });
  return () => spy.mockRestore();
}

const contents = (db: Database): Promise<unknown[]> =>
  Promise.all([...db.objectStoreNames].map((table) => db.getAll(table)));

/** A project with a run that has two checkpoints, and everything that can be written to it. */
async function writeSites() {
  const db = await testDatabase();
  const { projectId, runId, checkpoint } = await projectWithRun(db);
  for (const step of [1, 2]) await saveCheckpoint(db, checkpoint(step, weightsOf(['a', [step]])));
  const base = {
    projectId,
    seed: 1,
    name: 'other',
    modelConfig: PRESETS.nano,
    tokenizer: {},
    tensors: async function* () {
      yield ['a', { shape: [2], data: Float32Array.of(7, 8) }] as [string, never];
    },
  };
  const imported = await saveImportedBase(db, {
    ...base,
    tensors: async function* () {
      yield ['b', { shape: [1], data: Float32Array.of(5) }] as [string, never];
    },
  });
  const draft = without(await getRun(db, runId), 'id', 'projectId', 'seq');
  const bundle = await readProject(db, projectId);
  const row = { prompt: 'a', completion: 'b', heldOut: false };
  const sites: Record<string, () => Promise<unknown>> = {
    'the page’s work': () =>
      createStore(db).commit(
        { demonstrations: new Map([['d', { ...row, id: 'd', projectId, seq: 1 }]]) },
        projectId,
      ),
    'a new project': () => createProject(db, { name: 'x', base: 'nano', seed: 1 }),
    'a project’s base': () => updateProject(db, projectId, { base: 'tiny' }),
    'a base of another project': () => copyBase(db, imported.id, projectId),
    'an imported base': () => saveImportedBase(db, base),
    'an imported project': () => addProject(db, bundle, 'copy'),
    'a record': () => demonstrations.append(db, projectId, [row]),
    'an edited record': () => demonstrations.put(db, [{ ...row, id: 'e', projectId, seq: 2 }]),
    'a new run': () => createRun(db, projectId, draft, INPUT),
    'a run’s status': () => updateRun(db, runId, { step: 5 }, { becomesModel: true }),
    metrics: () =>
      appendMetrics(db, { id: runId, projectId }, { rows: [{ step: 9, row: {} }], samples: [] }),
    'a checkpoint': () => saveCheckpoint(db, checkpoint(3, weightsOf(['a', [3]]))),
    'a checkpoint of known tensors': () => saveCheckpoint(db, checkpoint(4, weightsOf(['a', [3]]))),
    'interrupted runs': () => interruptRuns(db, projectId),
    'a claim': () => claimProject(db, projectId, 'tab'),
  };
  return { db, projectId, runId, sites };
}

const PATIENCE_MS = 5000;

/** Rejects as the write does, or when it has given no answer for so long. */
function answered(writing: Promise<unknown>): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error('no answer')), PATIENCE_MS);
    void writing.then(resolve, reject).finally(() => clearTimeout(late));
  });
}

/** A write that finds no room says so in time and in plain words, and what was there is untouched. */
async function expectRefusal(
  db: Database,
  [name, site]: [string, () => Promise<unknown>],
  failure: keyof typeof FAILURES,
): Promise<void> {
  const before = await contents(db);
  const makeRoom = fill(failure);
  try {
    await expect(answered(site()), name).rejects.toMatchObject({
      code: 'storage',
      message: expect.stringMatching(
        /^There is no room left to store .+ is untouched\.$/,
      ) as string,
      remedy: expect.stringContaining('Export this project') as string,
    });
  } finally {
    makeRoom();
  }
  expect(await contents(db), name).toEqual(before);
}

for (const failure of Object.keys(FAILURES) as (keyof typeof FAILURES)[]) {
  test(`no room: ${failure}`, async () => {
    const { db, runId, sites } = await writeSites();
    for (const named of Object.entries(sites)) {
      await expectRefusal(db, named, failure);
      await named[1]();
    }
    const [manifest] = (await runCheckpoints(db, runId)).slice(-1);
    expect((await loadCheckpoint(db, manifest!.id)).tensors).toEqual(weightsOf(['a', [3]]));
  });
}

test('the same watch sees a write that hides the failure, one that changes something first, one that waits for ever and one in other words', async () => {
  const { db, sites } = await writeSites();
  const write = sites['an edited record']!;
  const careless: [string, () => Promise<unknown>, RegExp][] = [
    ['hides', () => write().catch(() => null), /promise resolved "null"/],
    ['changes', () => db.clear('checkpoints').then(write), /to deeply equal/],
    ['waits', () => write().catch(() => new Promise(() => {})), /no answer/],
    ['mumbles', () => write().catch(() => Promise.reject(new Error('full'))), /full/],
  ];
  for (const [name, site, seen] of careless) {
    await expect(expectRefusal(db, [name, site], 'the put throws')).rejects.toThrow(seen);
  }
});

test('a large write asks for room first, and writes nothing where there is too little', async () => {
  const { db, sites } = await writeSites();
  const before = await contents(db);
  const estimate = vi
    .spyOn(navigator.storage, 'estimate')
    .mockResolvedValue({ usage: 96e6, quota: 100e6 });
  const put = vi.spyOn(IDBObjectStore.prototype, 'put');
  for (const name of ['a checkpoint', 'an imported base']) {
    await expect(sites[name]!(), name).rejects.toMatchObject({ code: 'storage', field: 'quota' });
  }
  expect(put).not.toHaveBeenCalled();
  // Text still has the room that is kept for it.
  await sites['a record']!();
  estimate.mockResolvedValue({ usage: 50e6, quota: 100e6 });
  await sites['a checkpoint']!();
  expect(await contents(db)).not.toEqual(before);
});

test('the storage report counts what is there, and old checkpoints can go', async () => {
  const { db, projectId, runId, sites } = await writeSites();
  const [usage] = await storageUsage(db);
  // Two checkpoints of one float each, and a base of one.
  expect(usage).toMatchObject({ id: projectId, checkpointBytes: 8, baseBytes: 4 });
  expect(usage!.recordBytes).toBeGreaterThan(100);
  // The run is under way: what it needs to go on stays.
  expect(usage!.oldBytes).toBe(4);
  expect(await deleteOldCheckpoints(db, projectId)).toBe(1);
  expect((await runCheckpoints(db, runId)).map(({ step }) => step)).toEqual([2]);
  expect((await storageUsage(db))[0]).toMatchObject({ checkpointBytes: 4, oldBytes: 0 });
  // A run that has ended and is no model needs nothing.
  await updateRun(db, runId, { status: 'failed' });
  expect((await storageUsage(db))[0]!.oldBytes).toBe(4);
  await updateRun(db, runId, { status: 'done' }, { becomesModel: true });
  expect((await storageUsage(db))[0]!.oldBytes).toBe(0);
  await sites['a checkpoint']!();
  expect((await getRun(db, runId)).checkpointId).not.toBeNull();
});
