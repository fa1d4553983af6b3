import { deleteDB } from 'idb';
import { afterEach } from 'vitest';
import type { WeightMap } from '../../src/core/domain';
import { PRESETS } from '../../src/core/presets';
import type { StageData } from '../../src/core/run-data';
import type { NewCheckpoint } from '../../src/storage/checkpoints';
import { openDatabase } from '../../src/storage/open';
import { createProject } from '../../src/storage/projects';
import { createRun } from '../../src/storage/runs';
import type { Database, TableName } from '../../src/storage/schema';

const opened: Database[] = [];

/** A database of its own, removed after the test. */
export async function testDatabase(name = `test-${crypto.randomUUID()}`): Promise<Database> {
  const db = await openDatabase({ name });
  opened.push(db);
  return db;
}

afterEach(async () => {
  const names = new Set(opened.map(({ name }) => name));
  for (const db of opened.splice(0)) db.close();
  for (const name of names) await deleteDB(name);
});

export const weightsOf = (...entries: [string, number[]][]): WeightMap =>
  new Map(
    entries.map(([name, data]) => [name, { shape: [data.length], data: Float32Array.from(data) }]),
  );

/** What the run of `projectWithRun` was started on. */
export const INPUT: StageData = {
  stage: 'sft',
  seed: 1,
  start: { kind: 'shipped', id: 'nano', runId: 'nano' },
  demonstrations: [],
  samplePrompts: ['a'],
};

/** A project with one run. */
export async function projectWithRun(db: Database): Promise<{
  projectId: string;
  runId: string;
  checkpoint: (step: number, tensors: WeightMap) => NewCheckpoint;
}> {
  const { id: projectId } = await createProject(db, { name: 'Cats', base: 'nano', seed: 1 });
  const run = await createRun(
    db,
    projectId,
    {
      stage: 'sft',
      config: {},
      seed: 1,
      status: 'running',
      step: 0,
      totalSteps: 9,
      inputHash: '',
      parentId: 'nano',
      checkpointId: null,
      finalRow: null,
      error: null,
      rewardShift: 0,
      rewardScale: 1,
      startedAt: 0,
    },
    INPUT,
  );
  return {
    projectId,
    runId: run.id,
    checkpoint: (step, tensors) => ({
      projectId,
      runId: run.id,
      stage: 'sft',
      step,
      modelConfig: PRESETS.nano,
      tensors,
      state: { step },
    }),
  };
}

/** Number of records in each table. */
export async function tableSizes(db: Database): Promise<Record<string, number>> {
  const names: TableName[] = [...db.objectStoreNames];
  return Object.fromEntries(
    await Promise.all(names.map(async (name) => [name, await db.count(name)] as const)),
  );
}
