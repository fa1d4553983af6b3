/** Runs and the data they were started on. Written by the worker only. */
import type { Run } from '../core/domain';
import { PlaygroundError } from '../core/errors';
import type { StageData } from '../core/run-data';
import { modelName } from '../core/stage-models';
import { nextSeq, ofProject, projectTable, type Draft } from './project-table';
import type { Database, RunInput } from './schema';
import { read, write } from './transaction';
import { requireWriter } from './writer';

export const runs = projectTable('runs', 'the run');

/** Creates a run together with what it is started on. */
export async function createRun(
  db: Database,
  projectId: string,
  draft: Draft<Run>,
  data: StageData,
): Promise<Run> {
  return write(db, ['projects', 'runs', 'inputs'], 'the run', async (tx) => {
    await requireWriter(tx, projectId);
    const seq = await nextSeq(tx, 'runs', projectId);
    const run: Run = { ...draft, id: crypto.randomUUID(), projectId, seq };
    await Promise.all([
      tx.objectStore('runs').put(run),
      tx.objectStore('inputs').put({ runId: run.id, projectId, data }),
    ]);
    return run;
  });
}

/**
 * Changes some fields of a run; with `becomesModel` the project's pointer for its stage moves to
 * this run in the same transaction. Returns the run as stored.
 * @throws PlaygroundError `not-found` when the run was deleted meanwhile
 */
export async function updateRun(
  db: Database,
  id: string,
  change: Partial<Omit<Run, 'id' | 'projectId' | 'seq'>>,
  options: { becomesModel?: boolean } = {},
): Promise<Run> {
  return write(db, ['runs', 'projects'], 'the run', async (tx) => {
    const stored = await tx.objectStore('runs').get(id);
    if (stored === undefined) throw noRun();
    const project = await requireWriter(tx, stored.projectId);
    const run: Run = { ...stored, ...change };
    await tx.objectStore('runs').put(run);
    if (options.becomesModel === true && project !== undefined) {
      await tx.objectStore('projects').put({
        ...project,
        runs: { ...project.runs, [modelName(run.stage)]: run.id },
      });
    }
    return run;
  });
}

/** @throws PlaygroundError `not-found` */
export async function getRun(db: Database, id: string): Promise<Run> {
  const run = await runs.get(db, id);
  if (run === undefined) throw noRun();
  return run;
}

/**
 * What the run was started on.
 * @throws PlaygroundError `not-found`
 */
export async function runInput(db: Database, runId: string): Promise<RunInput> {
  const input = await read('the data of the run', () => db.get('inputs', runId));
  if (input !== undefined) return input;
  throw new PlaygroundError({
    code: 'not-found',
    message: 'What this run was started on is not stored here, so it cannot be resumed.',
    remedy: 'Start the stage afresh.',
  });
}

/** What the runs of a project were started on. */
export async function projectInputs(db: Database, projectId: string): Promise<RunInput[]> {
  return read('the data of the runs', () => db.getAllFromIndex('inputs', 'byProject', projectId));
}

/**
 * Runs of a project that were under way when their page went away are 'interrupted' from now on. To
 * be called by whoever has just claimed the project, before any run is started. Returns those runs.
 */
export async function interruptRuns(db: Database, projectId: string): Promise<Run[]> {
  return write(db, ['projects', 'runs'], 'the runs', async (tx) => {
    await requireWriter(tx, projectId);
    const table = tx.objectStore('runs');
    const cut = (await table.index('byProject').getAll(ofProject(projectId)))
      .filter(({ status }) => status === 'running' || status === 'paused')
      .map((run): Run => ({ ...run, status: 'interrupted' }));
    await Promise.all(cut.map((run) => table.put(run)));
    return cut;
  });
}

export const noRun = (): PlaygroundError =>
  new PlaygroundError({
    code: 'not-found',
    message: 'This run is not stored here; it was deleted with its project.',
  });
