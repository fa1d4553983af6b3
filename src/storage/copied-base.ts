import type { CheckpointManifest, Run } from '../core/domain';
import { PlaygroundError } from '../core/errors';
import { nextSeq } from './project-table';
import type { Database } from './schema';
import { read, write } from './transaction';
import { requireWriter } from './writer';

/** A pretraining run that has a model: a base for other projects too; null for anything else. */
export async function storedBase(db: Database, runId: string): Promise<Run | null> {
  const run = await read('the base model', () => db.get('runs', runId));
  return run?.stage === 'pretrain' && run.checkpointId !== null ? run : null;
}

/**
 * Puts a project on the base of another one. Tensors are not copied: both checkpoints name the same
 * chunks.
 * @throws PlaygroundError `argument` when the base is not (or no longer) there
 */
export async function copyBase(db: Database, runId: string, projectId: string): Promise<void> {
  await write(db, ['projects', 'runs', 'checkpoints'], 'the base model', async (tx) => {
    const run = await tx.objectStore('runs').get(runId);
    const manifest =
      run?.checkpointId == null
        ? undefined
        : await tx.objectStore('checkpoints').get(run.checkpointId);
    const project = await requireWriter(tx, projectId);
    if (run?.stage !== 'pretrain' || manifest === undefined || project === undefined) {
      throw new PlaygroundError({
        code: 'argument',
        field: 'base',
        message: `The base model "${runId}" is not stored here.`,
        remedy: 'It was deleted with its project; import or pretrain it again.',
      });
    }
    const copy: Run = {
      ...run,
      id: crypto.randomUUID(),
      projectId,
      checkpointId: crypto.randomUUID(),
      status: 'done',
      seq: await nextSeq(tx, 'runs', projectId),
    };
    const copied: CheckpointManifest = {
      ...manifest,
      id: copy.checkpointId!,
      projectId,
      runId: copy.id,
      seq: 1,
    };
    await tx.objectStore('runs').put(copy);
    await tx.objectStore('checkpoints').put(copied);
    await tx.objectStore('projects').put({
      ...project,
      runs: { ...project.runs, base: copy.id },
    });
  });
}
