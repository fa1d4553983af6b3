/** A project as a file and back, through real databases. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { without } from '../../src/core/without';
import { readProjectFile, writeProjectFile } from '../../src/formats/project-file';
import { addProject, readProject } from '../../src/state/project-bundle';
import { loadCheckpoint, saveCheckpoint, sweepChunks } from '../../src/storage/checkpoints';
import { CHUNK_BYTES, sha256 } from '../../src/storage/chunks';
import { demonstrations } from '../../src/storage/demonstrations';
import { appendMetrics } from '../../src/storage/metrics';
import { complete } from '../../src/storage/project-record';
import { createProject, deleteProject, updateProject } from '../../src/storage/projects';
import { prompts } from '../../src/storage/prompts';
import { rankings } from '../../src/storage/rankings';
import { createRun, getRun, updateRun } from '../../src/storage/runs';
import type { Database, TableName } from '../../src/storage/schema';
import { sets } from '../../src/storage/sets';
import { generatedProject } from '../unit/formats/generated-project';
import { keepCounts, soakAmount, soakSeed } from './soak';
import { projectWithRun, tableSizes, testDatabase, weightsOf } from './storage-database';

/** Every table has records; the SFT run has three checkpoints, of which two are kept. */
async function fullProject(db: Database): Promise<{ projectId: string; runId: string }> {
  const { projectId, runId, checkpoint } = await projectWithRun(db);
  const shown = await demonstrations.append(db, projectId, [
    { prompt: 'Hi', completion: 'Ho', heldOut: true },
    { prompt: 'lone \ud800', completion: '', heldOut: false },
  ]);
  const [prompt] = await prompts.append(db, projectId, [{ text: 'Who?' }]);
  const [set] = await sets.append(db, projectId, [
    {
      promptId: prompt!.id,
      prompt: 'Who?',
      completions: [{ text: 'me', tokens: [5, 2], logprobs: [-0, -1e-7], finish: 'eos' }],
      order: [0],
      sourceRunId: runId,
      temperature: 0.7,
      seed: 9,
    },
  ]);
  const [ranking] = await rankings.append(db, projectId, [
    {
      setId: set!.id,
      prompt: 'Who?',
      completions: ['me', 'you'],
      ranks: [1, 2],
      outcome: 'ranked',
      labeler: 'Ada',
      simulated: false,
      flags: [[], ['insult']],
      order: [1, 0],
    },
  ]);
  const first = without(ranking!, 'id', 'projectId', 'seq');
  await rankings.append(db, projectId, [{ ...first, ranks: [2, 1], repeatOf: ranking!.id }]);
  await appendMetrics(
    db,
    { id: runId, projectId },
    {
      rows: [
        { step: 1, row: { step: 1, loss: 0.1 + 0.2, 'objective/non_score_reward': -0 } },
        { step: 2, row: { step: 2, loss: Number.NaN } },
      ],
      samples: [
        {
          step: 1,
          samples: [
            {
              prompt: 'Hi',
              text: 'Ho',
              tokens: ['H', 'o'],
              logprobs: [-0, -0.5],
              refLogprobs: [-0.25, -0.5],
              score: null,
              kl: -0,
              finish: 'length',
            },
          ],
        },
      ],
    },
  );
  const long = new Float32Array(CHUNK_BYTES / 4 + 3).map((_, i) => Math.fround(Math.sin(i)));
  for (const step of [1, 2, 3]) {
    await saveCheckpoint(
      db,
      checkpoint(
        step,
        new Map([
          ...weightsOf(['policy/w', [step, -0, 1e-45]]),
          ['optimizer/m/w', { shape: [1, long.length], data: long }],
        ]),
      ),
      { step, finalRow: { step, loss: Number.POSITIVE_INFINITY } },
    );
  }
  const done = await updateRun(db, runId, { status: 'done' }, { becomesModel: true });
  const start = { kind: 'checkpoint', id: done.checkpointId!, runId } as const;
  await createRun(
    db,
    projectId,
    { ...done, stage: 'reward', parentId: runId, checkpointId: null, finalRow: null },
    { stage: 'reward', seed: 1, start, demonstrations: shown, rankings: [ranking!] },
  );
  await updateProject(db, projectId, {
    page: 'ppo',
    settings: { sft: { learning_rate: 1e-3 } },
    origin: 'the-first',
    drafts: [
      {
        labeler: 'Ada',
        setId: set!.id,
        assigned: [null],
        flags: [[]],
        ratings: [{}],
        comment: '',
        unsure: false,
      },
    ],
  });
  return { projectId, runId };
}

type Placed = object & { seq?: number; step?: number; id?: string };

/** All tables, in order of the ids' first occurrence, so that two databases can be compared. */
async function contents(db: Database): Promise<unknown> {
  const names = new Map<string, string>();
  const tables: Partial<Record<TableName, unknown[]>> = {};
  const order: TableName[] = ['projects', 'demonstrations', 'prompts', 'sets', 'rankings', 'runs'];
  for (const table of [...order, 'checkpoints', 'inputs', 'metrics', 'samples'] as TableName[]) {
    const records: Placed[] = await db.getAll(table);
    const place = (x: Placed): number => x.seq ?? x.step ?? 0;
    records.sort((a, b) => place(a) - place(b));
    records.forEach(({ id }, i) => {
      if (id !== undefined) names.set(id, `${table} ${i}`);
    });
    tables[table] = records;
  }
  const named = (value: unknown): unknown => {
    if (typeof value === 'string') return names.get(value) ?? value;
    if (Array.isArray(value)) return value.map(named);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, x]) => [key, named(x)]));
  };
  const inputs = named(tables.inputs) as { runId: string }[];
  inputs.sort((a, b) => a.runId.localeCompare(b.runId));
  const chunks = (await db.getAll('chunks')).map(({ hash, bytes }) => [
    hash,
    [...new Uint8Array(bytes)].reduce((sum, byte, i) => (sum * 31 + byte + i) % 1e9, 0),
  ]);
  // What only writing needs stays with a database.
  const projects = named((await db.getAll('projects')).map(complete));
  return { ...(named(tables) as object), projects, inputs, chunks };
}

test('a file holds all that the database holds, and brings it back bit for bit', async () => {
  const here = await testDatabase();
  const { projectId } = await fullProject(here);
  const empty = Object.entries(await tableSizes(here)).filter(([, size]) => size === 0);
  expect(empty).toEqual([]);
  const blob = await writeProjectFile(await readProject(here, projectId));
  const there = await testDatabase();
  const bundle = await readProjectFile(new Uint8Array(await blob.arrayBuffer()));
  const added = await addProject(there, bundle, bundle.project.name);
  // Where nothing of it is stored, it is the project itself that comes back.
  expect(added.id).toBe(projectId);
  expect(await contents(there)).toEqual(await contents(here));
  // And once more beside the original: nothing of it is touched.
  const before = await readProject(here, projectId);
  const again = await addProject(here, bundle, 'again');
  expect(again.id).not.toBe(projectId);
  // A project that began itself is the origin of its copies; one that did not keeps its own.
  expect(again.origin).toBe('the-first');
  const own = { ...bundle, project: without(bundle.project, 'origin') };
  expect((await addProject(here, own, 'copy')).origin).toBe(projectId);
  const after = await readProject(here, projectId);
  expect(after.project).toEqual(before.project);
  expect(after.runs).toEqual(before.runs);
  expect(after.inputs).toEqual(before.inputs);
});

const bytesOf = async (db: Database, projectId: string): Promise<Uint8Array<ArrayBuffer>> => {
  const file = await writeProjectFile(await readProject(db, projectId));
  return new Uint8Array(await file.arrayBuffer());
};

const hashOf = async (db: Database, projectId: string): Promise<string> =>
  sha256((await bytesOf(db, projectId)).buffer);

test('wiped and imported, a project exports the same bytes; a copy beside it does not', async () => {
  const here = await testDatabase();
  const { projectId } = await fullProject(here);
  const file = await bytesOf(here, projectId);
  const before = await sha256(file.buffer);
  const bundle = await readProjectFile(file);
  const copy = await addProject(here, bundle, bundle.project.name);
  expect(await hashOf(here, copy.id)).not.toBe(before);
  await deleteProject(here, projectId);
  await deleteProject(here, copy.id);
  expect(await here.count('runs')).toBe(0);
  // Its place in the list is another one now.
  await createProject(here, { name: 'First', base: 'nano', seed: 1 });
  await addProject(here, await readProjectFile(file), bundle.project.name);
  expect(await hashOf(here, projectId)).toBe(before);
});

const PROJECTS = soakAmount({ few: 20, full: 1000 });

test(
  'generated projects: exported, imported and exported again they are the same bytes',
  { timeout: 60_000 + PROJECTS * 1000 },
  async () => {
    const db = await testDatabase();
    let exported = 0;
    await fc.assert(
      fc.asyncProperty(generatedProject, async (given) => {
        const { id } = await addProject(db, given, given.project.name);
        const first = await bytesOf(db, id);
        await deleteProject(db, id);
        const { id: again } = await addProject(
          db,
          await readProjectFile(first),
          given.project.name,
        );
        expect(again).toBe(id);
        expect(await hashOf(db, id)).toBe(await sha256(first.buffer));
        await deleteProject(db, id);
        exported++;
      }),
      { numRuns: PROJECTS, seed: soakSeed() },
    );
    await keepCounts('project-round-trips', { projects: exported, identical: exported });
    // Nothing of them is left.
    expect(Object.values(await tableSizes(db)).every((size) => size === 0)).toBe(true);
  },
);

test('a sweep by another tab between the chunks and the records loses nothing', async () => {
  const db = await testDatabase();
  const { projectId } = await fullProject(db);
  const source = await readProject(db, projectId);
  const here = await testDatabase();
  const otherTab = await testDatabase(here.name);
  const swept: number[] = [];
  const [first, second] = source.checkpoints;
  const bundle = {
    ...source,
    checkpoints: [
      first!,
      {
        manifest: second!.manifest,
        load: async () => {
          // The chunks of the first checkpoint are stored, and no manifest names them yet.
          if (swept.length === 0) swept.push(await sweepChunks(otherTab));
          return second!.load();
        },
      },
    ],
  };
  const added = await addProject(here, bundle, 'imported');
  expect(swept[0]).toBeGreaterThan(0);
  const copy = await readProject(here, added.id);
  for (const [i, { manifest }] of copy.checkpoints.entries()) {
    const { tensors } = await loadCheckpoint(here, manifest.id);
    expect(tensors).toEqual(await source.checkpoints[i]!.load());
  }
  // Nothing loose is left either.
  expect(await sweepChunks(otherTab)).toBe(0);
});

test('an import that fails leaves no record behind', async () => {
  const db = await testDatabase();
  const { projectId } = await fullProject(db);
  const source = await readProject(db, projectId);
  const here = await testDatabase();
  const { manifest } = source.checkpoints[1]!;
  const broken = {
    ...source,
    checkpoints: [
      source.checkpoints[0]!,
      { manifest, load: () => Promise.resolve(weightsOf(['policy/w', [Number.NaN]])) },
    ],
  };
  await expect(addProject(here, broken, 'x')).rejects.toMatchObject({ code: 'non-finite' });
  await sweepChunks(here);
  const left = Object.entries(await tableSizes(here)).filter(([, size]) => size > 0);
  expect(left).toEqual([]);
});

test('a run under way is copied as it was at one moment, though it goes on meanwhile', async () => {
  const db = await testDatabase();
  const { projectId, runId, checkpoint } = await projectWithRun(db);
  await saveCheckpoint(db, checkpoint(1, weightsOf(['policy/w', [1]])), { step: 1 });
  const bundle = await readProject(db, projectId);
  for (const step of [2, 3, 4]) {
    await saveCheckpoint(db, checkpoint(step, weightsOf(['policy/w', [step]])), { step });
  }
  const there = await testDatabase();
  await addProject(there, bundle, 'copy');
  const [copied] = await there.getAll('runs');
  expect(copied).toMatchObject({ status: 'interrupted', step: 1 });
  const { tensors } = await loadCheckpoint(there, copied!.checkpointId!);
  expect(tensors.get('policy/w')!.data[0]).toBe(1);
  expect((await getRun(db, runId)).step).toBe(4);
});
