/** Several tabs in one page: real locks, channels and databases behave between them as between tabs. */
import { expect, onTestFinished, test, vi } from 'vitest';
import type { Project } from '../../src/core/domain';
import { NO_MODELS } from '../../src/core/stage-models';
import { createStore } from '../../src/state/idb-store';
import { OpenProject } from '../../src/state/open-project.svelte';
import type { ProjectStore, WorkerLink } from '../../src/state/ports';
import { Preferences } from '../../src/state/preferences.svelte';
import { saveCheckpoint } from '../../src/storage/checkpoints';
import { copyBase } from '../../src/storage/copied-base';
import { saveImportedBase } from '../../src/storage/imported-base';
import { appendMetrics, metricRows, truncateMetrics } from '../../src/storage/metrics';
import { openDatabase } from '../../src/storage/open';
import { deleteProject, updateProject } from '../../src/storage/projects';
import { demonstrations } from '../../src/storage/demonstrations';
import { createRun, getRun, interruptRuns, updateRun } from '../../src/storage/runs';
import type { Database } from '../../src/storage/schema';
import { claimProject, holdClaim } from '../../src/storage/writer';
import { PRESETS } from '../../src/core/presets';
import { without } from '../../src/core/without';
import { INPUT, projectWithRun, testDatabase } from './storage-database';

const aProject = (id: string): Project => ({
  id,
  name: 'Tabs',
  base: 'nano',
  seed: 1,
  page: 'base',
  settings: {},
  runs: { ...NO_MODELS },
  seq: 1,
  createdAt: 0,
  updatedAt: 0,
});

/** What the training worker of a tab is asked; it never has anything under way. */
function aLink() {
  const calls: string[] = [];
  const link = {
    call: async (name: string) => {
      calls.push(name);
      return null;
    },
    onEvent: () => () => {},
    restart: () => {},
  } as unknown as WorkerLink;
  return { link, calls };
}

interface Tab {
  open: OpenProject;
  store: ProjectStore;
  db: Database;
  said: string[];
  show(id: string): Promise<void>;
  add(prompt: string): Promise<void>;
  prompts(): string[];
}

/** A tab on the same database as others with that name. */
async function aTab(name: string): Promise<Tab> {
  const db = await testDatabase(name);
  const store = createStore(db);
  const said: string[] = [];
  const { link } = aLink();
  const open = new OpenProject(() => ({
    link,
    preferences: new Preferences(null),
    bases: () => [],
    engineReady: async () => {},
    notify: (_kind, text) => said.push(text),
    onRecord: () => {},
    onWork: () => {},
  }));
  onTestFinished(() => open.leave());
  return {
    open,
    store,
    db,
    said,
    show: (id) => open.show(store, id),
    async add(prompt) {
      open.state!.addPrompts(prompt);
      await open.state!.flush();
    },
    prompts: () => open.state!.prompts.map(({ text }) => text),
  };
}

async function tabs(count: number): Promise<{ id: string; tabs: Tab[] }> {
  const name = `test-${crypto.randomUUID()}`;
  const all: Tab[] = [];
  for (let i = 0; i < count; i++) all.push(await aTab(name));
  const id = crypto.randomUUID();
  await all[0]!.store.commit({ projects: new Map([[id, aProject(id)]]) }, id);
  for (const tab of all) await tab.show(id);
  return { id, tabs: all };
}

const READ_ONLY = { code: 'read-only' };

/** Whatever it is asked to store before it lets go never comes to an end. */
const hang = (tab: Tab): void => {
  vi.spyOn(tab.open.state!, 'handOver').mockReturnValue(new Promise(() => {}));
};

test('the second tab follows: it shows what the first one stores, and stores nothing', async () => {
  const { tabs: all } = await tabs(2);
  const [writer, follower] = all as [Tab, Tab];
  expect(all.map(({ open }) => open.state!.writable)).toEqual([true, false]);
  await writer.add('Who is there?');
  await expect.poll(() => follower.prompts()).toEqual(['Who is there?']);
  writer.open.state!.setSetting('sft', 'num_train_epochs', 7);
  writer.open.state!.rename('Renamed');
  await writer.open.state!.flush();
  await expect
    .poll(() => [
      follower.open.state!.settings('sft').num_train_epochs,
      follower.open.state!.record.name,
    ])
    .toEqual([7, 'Renamed']);
  expect(() => follower.open.state!.addPrompts('No')).toThrow(expect.objectContaining(READ_ONLY));
  follower.open.state!.goto('people');
  expect(follower.open.state!.page).toBe('people');
  await follower.open.state!.flush();
  expect((await follower.store.loadProject(follower.open.state!.record.id)).project.page).toBe(
    'base',
  );
});

test('take over: politely, with everything stored that was in line, in under three seconds', async () => {
  const { id, tabs: all } = await tabs(3);
  const [first, , third] = all as [Tab, Tab, Tab];
  first.open.state!.addPrompts('Typed just before');
  const begun = performance.now();
  await third.open.takeOver();
  expect(performance.now() - begun).toBeLessThan(3000);
  expect(all.map(({ open }) => open.state!.writable)).toEqual([false, false, true]);
  expect(third.prompts()).toEqual(['Typed just before']);
  expect(() => first.open.state!.addPrompts('No')).toThrow(expect.objectContaining(READ_ONLY));
  await third.add('From the third');
  for (const tab of all) {
    await expect.poll(() => tab.prompts()).toEqual(['Typed just before', 'From the third']);
  }
  expect(first.said.join()).toMatch(/taken this project over/);
  expect((await first.store.loadProject(id)).prompts).toHaveLength(2);
});

test('a tab that cannot let go in time loses the project and can no longer write when it wakes up', async () => {
  const { id, tabs: all } = await tabs(2);
  const [hung, other] = all as [Tab, Tab];
  await hung.add('Stored');
  hang(hung);
  const claim = await (async () => {
    const stored = await hung.db.get('projects', id);
    return stored!.claim!;
  })();
  const begun = performance.now();
  await other.open.takeOver();
  expect(performance.now() - begun).toBeLessThan(3000);
  expect(other.open.state!.writable).toBe(true);
  await other.add('By the other');
  // What its worker or an event that was waiting would do now.
  const late = await testDatabase(hung.db.name);
  holdClaim(late, id, claim);
  await expect(
    createStore(late).commit({ projects: new Map([[id, aProject(id)]]) }, id),
  ).rejects.toMatchObject(READ_ONLY);
  expect((await other.store.loadProject(id)).project.page).toBe('base');
  await expect.poll(() => hung.prompts()).toEqual(['Stored', 'By the other']);
  expect(hung.open.state!.writable).toBe(false);
});

test('when the writer goes, one of those that follow writes, and what it left under way is interrupted', async () => {
  const { id, tabs: all } = await tabs(3);
  const run = await createRun(
    // As its worker would, under its claim.
    all[0]!.db,
    id,
    {
      stage: 'sft',
      config: {},
      seed: 1,
      status: 'running',
      step: 0,
      totalSteps: 9,
      inputHash: '',
      parentId: null,
      checkpointId: null,
      finalRow: null,
      error: null,
      rewardShift: 0,
      rewardScale: 1,
      startedAt: 0,
    },
    INPUT,
  );
  await all[0]!.open.leave();
  await expect.poll(() => all.slice(1).filter(({ open }) => open.state!.writable).length).toBe(1);
  expect((await getRun(all[1]!.db, run.id)).status).toBe('interrupted');
  const writer = all.slice(1).find(({ open }) => open.state!.writable)!;
  expect(writer.open.state!.runs.map(({ status }) => status)).toEqual(['interrupted']);
});

test('two tabs that ask at once: one of them gets it, and nothing is lost', async () => {
  const { tabs: all } = await tabs(3);
  await all[0]!.add('Before');
  await Promise.allSettled([all[1]!.open.takeOver(), all[2]!.open.takeOver()]);
  await expect.poll(() => all.filter(({ open }) => open.state!.writable).length).toBe(1);
  const writer = all.find(({ open }) => open.state!.writable)!;
  await writer.add('After');
  for (const tab of all) await expect.poll(() => tab.prompts()).toEqual(['Before', 'After']);
});

test('other projects are nobody’s: they can be renamed and deleted, unless a tab has them open', async () => {
  const { id, tabs: all } = await tabs(2);
  const [writer, follower] = all as [Tab, Tab];
  await expect(
    follower.store.alone(id, () => follower.store.deleteProject(id)),
  ).rejects.toMatchObject(READ_ONLY);
  await writer.open.leave();
  await follower.open.leave();
  await follower.store.alone(id, () => follower.store.deleteProject(id));
  await expect(follower.show(id)).rejects.toMatchObject({ code: 'not-found' });
});

test('every write of page and worker is refused without the claim, and changes nothing', async () => {
  const db = await testDatabase();
  const { projectId, runId, checkpoint } = await projectWithRun(db);
  await appendMetrics(db, { id: runId, projectId }, { rows: [{ step: 1, row: {} }], samples: [] });
  await claimProject(db, projectId, 'mine');
  const other = await openDatabase({ name: db.name });
  onTestFinished(() => other.close());
  const contents = async () =>
    Promise.all([...db.objectStoreNames].map((table) => db.getAll(table)));
  const base = (on: Database) =>
    saveImportedBase(on, {
      projectId,
      seed: 1,
      name: 'other',
      modelConfig: PRESETS.nano,
      tokenizer: {},
      // None: chunks alone belong to no project.
      tensors: async function* () {},
    });
  const row = { prompt: 'a', completion: 'b', heldOut: false };
  const draft = without(await getRun(db, runId), 'id', 'projectId', 'seq');
  const writes: Record<string, (on: Database) => Promise<unknown>> = {
    commit: (on) => createStore(on).commit({}, projectId),
    updateProject: (on) => updateProject(on, projectId, { name: 'x' }),
    append: (on) => demonstrations.append(on, projectId, [row]),
    put: (on) => demonstrations.put(on, [{ ...row, id: 'd', projectId, seq: 9 }]),
    remove: (on) => demonstrations.remove(on, ['d']),
    createRun: (on) => createRun(on, projectId, draft, INPUT),
    updateRun: (on) => updateRun(on, runId, { step: 5 }),
    appendMetrics: (on) =>
      appendMetrics(on, { id: runId, projectId }, { rows: [{ step: 2, row: {} }], samples: [] }),
    saveCheckpoint: (on) => saveCheckpoint(on, checkpoint(2, new Map())),
    importBase: base,
    copyBase: (on) => copyBase(on, runId, projectId),
    truncateMetrics: (on) => truncateMetrics(on, runId, 0),
    interruptRuns: (on) => interruptRuns(on, projectId),
    deleteProject: (on) => deleteProject(on, projectId),
  };
  await demonstrations.put(db, [{ ...row, id: 'd', projectId, seq: 9 }]);
  const before = await contents();
  for (const [name, refused] of Object.entries(writes)) {
    await expect(refused(other), name).rejects.toMatchObject(READ_ONLY);
  }
  expect(await contents()).toEqual(before);
  // With the claim each of them does what it should (a base can only be copied from a base).
  for (const [name, allowed] of Object.entries(writes)) {
    if (name !== 'copyBase') await allowed(db);
  }
  expect(await metricRows(db, runId)).toEqual([]);
  expect(await contents()).not.toEqual(before);
});
