/**
 * Metric rows and samples of runs, by step. A row written again for the same step replaces the
 * earlier one, so a resumed run never has two rows for a step.
 */
import type { MetricRow, Sample } from '../core/domain';
import type { Database } from './schema';
import { read, write } from './transaction';
import { requireWriter } from './writer';

/** Every key [runId, step]: an array sorts after every number. */
export const ofRun = (runId: string, afterStep?: number): IDBKeyRange =>
  afterStep === undefined
    ? IDBKeyRange.bound([runId], [runId, []])
    : IDBKeyRange.bound([runId, afterStep], [runId, []], true);

export interface StepRecords {
  rows: readonly { step: number; row: MetricRow }[];
  samples: readonly { step: number; samples: Sample[] }[];
}

/** Stores a batch of rows and samples in one strict transaction. */
export async function appendMetrics(
  db: Database,
  run: { id: string; projectId: string },
  batch: StepRecords,
): Promise<void> {
  if (batch.rows.length === 0 && batch.samples.length === 0) return;
  const owner = { runId: run.id, projectId: run.projectId };
  await write(db, ['projects', 'metrics', 'samples'], 'the metrics', async (tx) => {
    await requireWriter(tx, run.projectId);
    await Promise.all([
      ...batch.rows.map((record) => tx.objectStore('metrics').put({ ...owner, ...record })),
      ...batch.samples.map((record) => tx.objectStore('samples').put({ ...owner, ...record })),
    ]);
  });
}

/** All rows of a run, by step. */
export async function metricRows(db: Database, runId: string): Promise<MetricRow[]> {
  const records = await read('the metrics', () => db.getAll('metrics', ofRun(runId)));
  return records.map((record) => record.row);
}

/** The step of the last row of a run; 0 when there is none. */
export async function lastMetricStep(db: Database, runId: string): Promise<number> {
  return read('the metrics', async () => {
    const { store } = db.transaction('metrics');
    const last = await store.openKeyCursor(ofRun(runId), 'prev');
    return last === null ? 0 : last.key[1];
  });
}

/** All samples of a run, by step. */
export async function runSamples(
  db: Database,
  runId: string,
): Promise<{ step: number; samples: Sample[] }[]> {
  const records = await read('the samples', () => db.getAll('samples', ofRun(runId)));
  return records.map(({ step, samples }) => ({ step, samples }));
}

/** Removes what came after `step`: a resumed run writes it again. */
export async function truncateMetrics(db: Database, runId: string, step: number): Promise<void> {
  await write(db, ['projects', 'runs', 'metrics', 'samples'], 'the metrics', async (tx) => {
    const run = await tx.objectStore('runs').get(runId);
    if (run !== undefined) await requireWriter(tx, run.projectId);
    await Promise.all([
      tx.objectStore('metrics').delete(ofRun(runId, step)),
      tx.objectStore('samples').delete(ofRun(runId, step)),
    ]);
  });
}
