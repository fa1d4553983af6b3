/** What every release has left in people's browsers opens today, or is left alone. */
import { openDB } from 'idb';
import { afterEach, expect, test } from 'vitest';
import { readProjectFile, writeProjectFile } from '../../src/formats/project-file';
import { readProject } from '../../src/state/project-bundle';
import { loadCheckpoint } from '../../src/storage/checkpoints';
import { openDatabase } from '../../src/storage/open';
import { listProjects } from '../../src/storage/projects';
import { rawCopy } from '../../src/storage/raw-copy';
import { DATABASE_NAME, DATABASE_VERSION } from '../../src/storage/schema';
import { parseRaw, removeDatabase, restoreRaw, type RawProfile } from './raw-profile';

const FROZEN: Record<string, string> = import.meta.glob('../profiles/*.jsonl', {
  query: '?raw',
  import: 'default',
  eager: true,
});
const profiles = Object.entries(FROZEN).map(
  ([path, text]) => [path.split('/').at(-1)!, text] as const,
);
const made: string[] = [];

async function restored(profile: RawProfile): Promise<string> {
  const name = await restoreRaw(profile);
  made.push(name);
  return name;
}

const rawOf = async (name: string): Promise<string> => (await rawCopy(name)).text();

/** Every record of the profile stands in the database, and no other. */
async function expectAsItWas(name: string, profile: RawProfile): Promise<void> {
  const after = parseRaw(await rawOf(name));
  for (const [table, { lines }] of profile.tables) {
    expect(after.tables.get(table)?.lines, table).toEqual(lines);
  }
}

afterEach(async () => {
  for (const name of made.splice(0)) await removeDatabase(name);
});

test('every version of the schema has a frozen profile', () => {
  const versions = new Set(profiles.map(([, text]) => parseRaw(text).head.version));
  expect([...versions].sort()).toEqual(Array.from({ length: DATABASE_VERSION }, (_, i) => i + 1));
});

test.each(profiles)('%s opens, with every record as it was', async (_, text) => {
  const profile = parseRaw(text);
  for (const { lines } of profile.tables.values()) expect(lines.length).toBeGreaterThan(0);
  const name = await restored(profile);
  // Another name would hide what people have stored.
  expect(profile.head.database).toBe(DATABASE_NAME);
  // The copy that a person could have saved is the frozen one.
  expect((await rawOf(name)).replace(name, profile.head.database)).toBe(text);

  const db = await openDatabase({ name });
  const [project] = await listProjects(db);
  const bundle = await readProject(db, project!.id);
  expect(bundle.project.name).toBe('Ziegen 🐐');
  expect(bundle.runs.map(({ stage, status }) => [stage, status])).toEqual([
    ['sft', 'done'],
    ['reward', 'interrupted'],
  ]);
  expect(bundle.project.runs.sft).toBe(bundle.runs[0]!.id);
  expect(bundle.metrics.map(({ rows }) => rows.map(({ loss }) => loss))).toEqual(
    Array(2).fill([1, 1 / 2, 1 / 3]),
  );
  const { tensors } = await loadCheckpoint(db, bundle.runs[1]!.checkpointId!);
  expect([...tensors.get('policy/model.norm.weight')!.data]).toEqual([
    3,
    -0,
    Math.fround(1e-45),
    Math.fround(0.1),
  ]);
  // Everything is valid by today's rules.
  const file = await writeProjectFile(bundle);
  await readProjectFile(new Uint8Array(await file.arrayBuffer()));
  db.close();
  await expectAsItWas(name, profile);
});

const newest = (): RawProfile => parseRaw(profiles.at(-1)![1]);

test('what a newer release wrote is refused, untouched, and can be saved raw', async () => {
  const profile = newest();
  profile.head.version = DATABASE_VERSION + 1;
  const name = await restored(profile);
  const before = await rawOf(name);
  await expect(openDatabase({ name })).rejects.toMatchObject({
    code: 'storage',
    message: expect.stringMatching(/newer release/) as string,
    remedy: expect.stringMatching(/raw copy/) as string,
  });
  expect(await rawOf(name)).toBe(before);
  expect(before).toContain('Ziegen 🐐');
});

test.each([
  ['a table', (profile: RawProfile) => profile.tables.delete('runs'), /the table runs is missing/],
  [
    'an index',
    (profile: RawProfile) => profile.tables.get('checkpoints')!.shape.indexes.pop(),
    /the index byRun of checkpoints is missing/,
  ],
])('%s that is missing is named, and nothing is changed', async (_, damage, message) => {
  const profile = newest();
  damage(profile);
  const name = await restored(profile);
  const before = await rawOf(name);
  await expect(openDatabase({ name })).rejects.toMatchObject({
    code: 'storage',
    field: 'schema',
    message: expect.stringMatching(message) as string,
  });
  expect(await rawOf(name)).toBe(before);
});

test('a migration that changes a record is seen by the same comparison', async () => {
  const profile = newest();
  const name = await restored(profile);
  const careless = await openDB(name, DATABASE_VERSION + 1, {
    upgrade(_upgrading, _from, _to, tx) {
      const runs = tx.objectStore('runs');
      void runs.getAll().then(([run]: { seed: number }[]) => {
        return runs.put({ ...run, seed: run!.seed + 1 });
      });
    },
  });
  careless.close();
  await expect(expectAsItWas(name, profile)).rejects.toThrow(/^runs: /);
});

test('a migration that fails half-way leaves the old version whole', async () => {
  const profile = newest();
  const name = await restored(profile);
  const before = await rawOf(name);
  const failing = openDB(name, DATABASE_VERSION + 1, {
    upgrade(upgrading, _from, _to, tx) {
      upgrading.deleteObjectStore('demonstrations');
      tx.done.catch(() => undefined);
      tx.abort();
    },
  });
  await expect(failing).rejects.toThrow();
  expect(await rawOf(name)).toBe(before);
  (await openDatabase({ name })).close();
});
