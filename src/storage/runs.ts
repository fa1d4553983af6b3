/** Runs and the data they were started on. Written by the worker only. */
import type { Run } from '../core/domain';
import { PlaygroundError } from '../core/errors';
import { nextSeq, projectTable, type Draft } from './project-table';
import type { Database, RunInput } from './schema';
import { read, write } from './transaction';

export const runs = projectTable('runs', 'the run');

/** Creates a run together with what it is started on. */
export async function createRun(
  db: Database,
  projectId: string,
  draft: Draft<Run>,
  data: unknown,
): Promise<Run> {
  return write(db, ['runs', 'inputs'], 'the run', async (tx) => {
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
    const run: Run = { ...stored, ...change };
    await tx.objectStore('runs').put(run);
    if (options.becomesModel === true) {
      const project = await tx.objectStore('projects').get(run.projectId);
      if (project !== undefined) {
        const name = run.stage === 'pretrain' ? 'base' : run.stage;
        await tx.objectStore('projects').put({
          ...project,
          runs: { ...project.runs, [name]: run.id },
        });
      }
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

/** What the run was started on; undefined for imported runs. */
export async function runInput(db: Database, runId: string): Promise<RunInput | undefined> {
  return read('the data of the run', () => db.get('inputs', runId));
}

/**
 * Runs that were under way when the page or the browser went away are 'interrupted' from now on.
 * To be called once, before any run is started, by whoever holds the project's writer lock.
 * Returns those runs.
 */
export async function interruptRuns(db: Database): Promise<Run[]> {
  return write(db, ['runs'], 'the runs', async (tx) => {
    const table = tx.objectStore('runs');
    const cut = (await table.getAll())
      .filter(({ status }) => status === 'running' || status === 'paused')
      .map((run): Run => ({ ...run, status: 'interrupted' }));
    await Promise.all(cut.map((run) => table.put(run)));
    return cut;
  });
}

const noRun = (): PlaygroundError =>
  new PlaygroundError({
    code: 'not-found',
    message: 'This run is not stored here; it was deleted with its project.',
  });
