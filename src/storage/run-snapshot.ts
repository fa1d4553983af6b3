import type { CheckpointManifest, Run, WeightMap } from '../core/domain';
import { chunksOf } from './checkpoints';
import { readTensors } from './chunks';
import { noRun } from './runs';
import type { Database } from './schema';
import { read } from './transaction';

/**
 * A run with all its checkpoints as they are at one moment: while it is under way, a checkpoint that
 * is listed now may be gone a little later.
 * @throws PlaygroundError `not-found` when the run was deleted meanwhile
 */
export async function runSnapshot(
  db: Database,
  runId: string,
): Promise<{ run: Run; checkpoints: { manifest: CheckpointManifest; tensors: WeightMap }[] }> {
  const { run, manifests, chunks } = await read('the run', async () => {
    const tx = db.transaction(['runs', 'checkpoints', 'chunks']);
    const found = await tx.objectStore('runs').get(runId);
    const range = IDBKeyRange.bound([runId], [runId, []]);
    const kept = await tx.objectStore('checkpoints').index('byRun').getAll(range);
    const table = tx.objectStore('chunks');
    const records = await Promise.all([...chunksOf(kept)].map((hash) => table.get(hash)));
    return { run: found, manifests: kept, chunks: records };
  });
  if (run === undefined) throw noRun();
  const byHash = new Map(chunks.map((chunk) => [chunk?.hash, chunk]));
  const checkpoints = [];
  for (const manifest of manifests) {
    const chunkOf = (hash: string) => Promise.resolve(byHash.get(hash));
    const tensors = await readTensors(chunkOf, manifest.tensors, () => true);
    checkpoints.push({ manifest, tensors });
  }
  return { run, checkpoints };
}
