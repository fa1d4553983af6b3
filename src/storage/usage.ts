/** What takes how much of the browser's room, and what of it can go. */
import type { CheckpointManifest, Project, Run } from '../core/domain';
import type { StageData } from '../core/run-data';
import { removeCheckpoints } from './checkpoints';
import { CHUNK_BYTES } from './chunks';
import { complete } from './project-record';
import { ofProject } from './project-table';
import type { Database, RunInput, TableName } from './schema';
import { read, write } from './transaction';
import { requireWriter } from './writer';

export interface ProjectUsage {
  id: string;
  /** Base models that were imported, pretrained here or copied from another project. */
  baseBytes: number;
  /** Every other checkpoint. */
  checkpointBytes: number;
  /** Texts, rankings, settings, metrics and samples, roughly. */
  recordBytes: number;
  /** What deleting the old checkpoints would free: no other project and no newer one needs it. */
  oldBytes: number;
}

const TEXT_TABLES = ['demonstrations', 'prompts', 'sets', 'rankings', 'runs', 'inputs'] as const;
const STEP_TABLES = ['metrics', 'samples'] as const;
/** Records of a step table that are measured for the mean of all. */
const MEASURED = 20;

/** For every project, in the order they were made. */
export async function storageUsage(db: Database): Promise<ProjectUsage[]> {
  return read('the projects', async () => {
    const tables: TableName[] = [...TEXT_TABLES, ...STEP_TABLES, 'projects', 'checkpoints'];
    const tx = db.transaction(tables);
    const manifests = await tx.objectStore('checkpoints').getAll();
    const users = chunkUsers(manifests);
    const usage: ProjectUsage[] = [];
    for (const stored of await tx.objectStore('projects').index('bySeq').getAll()) {
      const { id } = stored;
      let recordBytes = bytesOf(stored);
      for (const table of ['demonstrations', 'prompts', 'sets', 'rankings'] as const) {
        recordBytes += bytesOf(
          await tx.objectStore(table).index('byProject').getAll(ofProject(id)),
        );
      }
      const runs = await tx.objectStore('runs').index('byProject').getAll(ofProject(id));
      const inputs = await tx.objectStore('inputs').index('byProject').getAll(id);
      recordBytes += bytesOf([runs, inputs]);
      for (const table of STEP_TABLES) {
        const index = tx.objectStore(table).index('byProject');
        const some = await index.getAll(id, MEASURED);
        const mean = some.length === 0 ? 0 : bytesOf(some) / some.length;
        recordBytes += Math.round(mean * (await index.count(id)));
      }
      const own = manifests.filter(({ projectId }) => projectId === id);
      const old = oldCheckpoints(complete(stored), runs, inputs, own);
      usage.push({
        id,
        baseBytes: chunkBytes(own.filter(({ stage }) => stage === 'pretrain')),
        checkpointBytes: chunkBytes(own.filter(({ stage }) => stage !== 'pretrain')),
        recordBytes,
        oldBytes: freedBytes(old, users),
      });
    }
    return usage;
  });
}

/**
 * Deletes what `oldBytes` counts: checkpoints that are neither a model of the project nor needed to
 * resume a run. Their runs and curves stay. Returns how many there were.
 * @throws PlaygroundError `read-only`, `storage`
 */
export async function deleteOldCheckpoints(db: Database, projectId: string): Promise<number> {
  const tables: TableName[] = ['projects', 'runs', 'inputs', 'checkpoints', 'chunks'];
  return write(db, tables, 'the checkpoints', async (tx) => {
    const stored = await requireWriter(tx, projectId);
    if (stored === undefined) return 0;
    const runs = await tx.objectStore('runs').index('byProject').getAll(ofProject(projectId));
    const inputs = await tx.objectStore('inputs').index('byProject').getAll(projectId);
    const own = await tx.objectStore('checkpoints').index('byProject').getAll(projectId);
    const old = oldCheckpoints(complete(stored), runs, inputs, own);
    const gone = new Set(old.map(({ id }) => id));
    for (const run of runs) {
      if (run.checkpointId === null || !gone.has(run.checkpointId)) continue;
      await tx.objectStore('runs').put({ ...run, checkpointId: null });
    }
    await removeCheckpoints(tx, old);
    return old.length;
  });
}

/** Those of a project that nothing needs any more. */
function oldCheckpoints(
  project: Project,
  runs: readonly Run[],
  inputs: readonly RunInput[],
  manifests: readonly CheckpointManifest[],
): CheckpointManifest[] {
  const models = new Set(Object.values(project.runs));
  const needed = new Set<string | null>();
  for (const run of runs) {
    const unfinished = ['running', 'paused', 'interrupted'].includes(run.status);
    // Any base can be chosen again.
    if (models.has(run.id) || unfinished || run.stage === 'pretrain') needed.add(run.checkpointId);
    if (!unfinished) continue;
    const data = inputs.find(({ runId }) => runId === run.id)?.data;
    for (const id of data === undefined ? [] : sourcesOf(data)) needed.add(id);
  }
  return manifests.filter(({ id }) => !needed.has(id));
}

/** Checkpoints that a run reads when it resumes. */
function sourcesOf(data: StageData): string[] {
  const { start, reward } = data as { start?: { id: string }; reward?: { id: string } | null };
  return [start?.id, reward?.id].filter((id) => id !== undefined);
}

/** Manifests that name each chunk. */
function chunkUsers(manifests: readonly CheckpointManifest[]): Map<string, Set<string>> {
  const users = new Map<string, Set<string>>();
  for (const manifest of manifests) {
    for (const [hash] of chunkSizes([manifest])) {
      users.set(hash, (users.get(hash) ?? new Set()).add(manifest.id));
    }
  }
  return users;
}

/** Bytes of the chunks that only these manifests name. */
function freedBytes(
  gone: readonly CheckpointManifest[],
  users: ReadonlyMap<string, ReadonlySet<string>>,
): number {
  const ids = new Set(gone.map(({ id }) => id));
  let bytes = 0;
  for (const [hash, size] of chunkSizes(gone)) {
    if ([...(users.get(hash) ?? [])].every((id) => ids.has(id))) bytes += size;
  }
  return bytes;
}

/** Equal chunks count once: they are stored once. */
const chunkBytes = (manifests: readonly CheckpointManifest[]): number =>
  [...chunkSizes(manifests).values()].reduce((sum, size) => sum + size, 0);

/** Bytes of each chunk that they name, by hash. */
export function chunkSizes(manifests: readonly CheckpointManifest[]): Map<string, number> {
  const sizes = new Map<string, number>();
  for (const { tensors } of manifests) {
    for (const { shape, chunks } of tensors) {
      let left = shape.reduce((a, b) => a * b, Float32Array.BYTES_PER_ELEMENT);
      for (const hash of chunks) {
        sizes.set(hash, Math.min(left, CHUNK_BYTES));
        left -= CHUNK_BYTES;
      }
    }
  }
  return sizes;
}

const bytesOf = (records: unknown): number => JSON.stringify(records).length;
