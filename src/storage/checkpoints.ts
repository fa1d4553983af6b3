/**
 * Checkpoints: chunks first, then manifest and run pointer together in one strict transaction. A
 * kill at any moment leaves the old checkpoint or the new one, never a mixture.
 */
import type { CheckpointManifest, ModelConfig, Run, Stage, WeightMap } from '../core/domain';
import { PlaygroundError } from '../core/errors';
import { chunkTensors, putChunks, readTensors } from './chunks';
import type { Database, TableName } from './schema';
import { read, write, type WriteTransaction } from './transaction';
import { requireWriter } from './writer';

/** Checkpoints kept per run: the newest and the one before. */
const KEPT_PER_RUN = 2;

export interface NewCheckpoint {
  projectId: string;
  runId: string;
  stage: Stage;
  step: number;
  modelConfig: ModelConfig;
  tensors: WeightMap;
  /** JSON: survives structured cloning and a project file alike. */
  state: Record<string, unknown>;
}

/**
 * Stores a checkpoint, points its run at it (and applies `change` to the run in the same
 * transaction), and drops the run's checkpoints beyond the two newest.
 * @throws PlaygroundError `non-finite` naming a tensor; `storage`; `not-found` when the run is gone.
 *   The earlier checkpoint stands in each case.
 */
export async function saveCheckpoint(
  db: Database,
  checkpoint: NewCheckpoint,
  change: Partial<Omit<Run, 'id' | 'projectId' | 'seq' | 'checkpointId'>> = {},
): Promise<{ manifest: CheckpointManifest; run: Run }> {
  const { tensors, ...rest } = checkpoint;
  const chunked = await chunkTensors(tensors);
  await putChunks(db, chunked.chunks);
  const tables: TableName[] = ['projects', 'runs', 'checkpoints', 'chunks'];
  return write(db, tables, 'the checkpoint', async (tx) => {
    await requireWriter(tx, checkpoint.projectId);
    const stored = await tx.objectStore('runs').get(checkpoint.runId);
    if (stored === undefined) {
      throw new PlaygroundError({
        code: 'not-found',
        message: 'The run was deleted while its checkpoint was being stored.',
      });
    }
    // Another tab may have swept chunks that no manifest named yet.
    for (const [hash, bytes] of chunked.chunks) {
      const key = await tx.objectStore('chunks').getKey(hash);
      if (key === undefined) await tx.objectStore('chunks').put({ hash, bytes });
    }
    const earlier = await ofRun(tx, checkpoint.runId);
    const manifest: CheckpointManifest = {
      ...rest,
      id: crypto.randomUUID(),
      tensors: chunked.tensors,
      bytes: chunked.bytes,
      seq: (earlier.at(-1)?.seq ?? 0) + 1,
    };
    const run: Run = { ...stored, ...change, checkpointId: manifest.id };
    await tx.objectStore('checkpoints').put(manifest);
    await tx.objectStore('runs').put(run);
    await removeCheckpoints(tx, earlier.slice(0, Math.max(0, earlier.length + 1 - KEPT_PER_RUN)));
    return { manifest, run };
  });
}

/** @throws PlaygroundError `not-found` */
export async function checkpointManifest(db: Database, id: string): Promise<CheckpointManifest> {
  const manifest = await read('the checkpoint', () => db.get('checkpoints', id));
  if (manifest !== undefined) return manifest;
  throw new PlaygroundError({
    code: 'not-found',
    message: 'This checkpoint is no longer stored.',
    remedy: 'Train the stage again.',
  });
}

/**
 * A checkpoint with its tensors, every byte checked against its hash.
 * @param prefix only tensors whose name starts with it ('policy/' leaves the optimizer out)
 */
export async function loadCheckpoint(
  db: Database,
  id: string,
  prefix = '',
): Promise<{ manifest: CheckpointManifest; tensors: WeightMap }> {
  const manifest = await checkpointManifest(db, id);
  const tensors = await readTensors(
    (hash) => db.get('chunks', hash),
    manifest.tensors,
    (name) => name.startsWith(prefix),
  );
  return { manifest, tensors };
}

/** The checkpoints of a run that are kept, oldest first. */
export async function runCheckpoints(db: Database, runId: string): Promise<CheckpointManifest[]> {
  return read('the checkpoints', () =>
    db.getAllFromIndex('checkpoints', 'byRun', IDBKeyRange.bound([runId], [runId, []])),
  );
}

/** Removes manifests and the chunks that no other manifest names. */
export async function removeCheckpoints(
  tx: WriteTransaction,
  gone: readonly CheckpointManifest[],
): Promise<void> {
  if (gone.length === 0) return;
  await Promise.all(gone.map(({ id }) => tx.objectStore('checkpoints').delete(id)));
  const kept = chunksOf(await tx.objectStore('checkpoints').getAll());
  const loose = [...chunksOf(gone)].filter((hash) => !kept.has(hash));
  await Promise.all(loose.map((hash) => tx.objectStore('chunks').delete(hash)));
}

/** Removes chunks that no manifest names: what a kill between chunks and manifest left behind. */
export async function sweepChunks(db: Database): Promise<number> {
  return write(db, ['checkpoints', 'chunks'], 'the checkpoints', async (tx) => {
    const kept = chunksOf(await tx.objectStore('checkpoints').getAll());
    const loose = (await tx.objectStore('chunks').getAllKeys()).filter((hash) => !kept.has(hash));
    await Promise.all(loose.map((hash) => tx.objectStore('chunks').delete(hash)));
    return loose.length;
  });
}

/** Those of `manifests` that name a chunk which is not stored (any more). */
export async function incompleteManifests(
  tx: WriteTransaction,
  manifests: readonly CheckpointManifest[],
): Promise<CheckpointManifest[]> {
  const stored = new Set(await tx.objectStore('chunks').getAllKeys());
  return manifests.filter((manifest) =>
    [...chunksOf([manifest])].some((hash) => !stored.has(hash)),
  );
}

/** What an import ends with when its chunks went missing time after time. */
export const keptRemoving = (): PlaygroundError =>
  new PlaygroundError({
    code: 'storage',
    message: 'Another tab kept removing what was being stored. Nothing was imported.',
    remedy: 'Close the other tabs of this page and try again.',
  });

const ofRun = (tx: WriteTransaction, runId: string): Promise<CheckpointManifest[]> =>
  tx
    .objectStore('checkpoints')
    .index('byRun')
    .getAll(IDBKeyRange.bound([runId], [runId, []]));

/** Hashes of all chunks that they name. */
export const chunksOf = (manifests: readonly CheckpointManifest[]): Set<string> =>
  new Set(manifests.flatMap(({ tensors }) => tensors.flatMap(({ chunks }) => chunks)));
