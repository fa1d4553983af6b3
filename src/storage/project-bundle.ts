/** A whole project as plain records: for export, import and duplicate. */
import type {
  CandidateSet,
  CheckpointManifest,
  Demonstration,
  MetricRow,
  Project,
  Prompt,
  Ranking,
  Run,
  WeightMap,
} from '../core/domain';
import { PlaygroundError } from '../core/errors';
import { checkpointManifest } from './checkpoints';
import { chunkTensors, putChunks, readTensors } from './chunks';
import { demonstrations } from './demonstrations';
import { metricRows } from './metrics';
import { getProject, nextProjectSeq } from './projects';
import { prompts } from './prompts';
import { rankings } from './rankings';
import { runs } from './runs';
import type { Database, TableName } from './schema';
import { sets } from './sets';
import { write } from './transaction';

/** The same shape as the project file's. */
export interface ProjectBundle {
  project: Project;
  demonstrations: Demonstration[];
  prompts: Prompt[];
  sets: CandidateSet[];
  rankings: Ranking[];
  runs: Run[];
  metrics: { runId: string; rows: MetricRow[] }[];
  checkpoints: { manifest: CheckpointManifest; tensors: WeightMap }[];
}

/** Everything of a project; of each run the newest checkpoint. */
export async function readProject(db: Database, id: string): Promise<ProjectBundle> {
  const bundle: ProjectBundle = {
    project: await getProject(db, id),
    demonstrations: await demonstrations.list(db, id),
    prompts: await prompts.list(db, id),
    sets: await sets.list(db, id),
    rankings: await rankings.list(db, id),
    runs: await runs.list(db, id),
    metrics: [],
    checkpoints: [],
  };
  for (const run of bundle.runs) {
    bundle.metrics.push({ runId: run.id, rows: await metricRows(db, run.id) });
    if (run.checkpointId === null) continue;
    const manifest = await checkpointManifest(db, run.checkpointId);
    const tensors = await readTensors(db, manifest.tensors, () => true);
    bundle.checkpoints.push({ manifest, tensors });
  }
  return bundle;
}

/**
 * Stores a bundle as a project of its own and returns the project as stored. Ids are kept when they
 * are free, so that wiping and importing gives the same project; otherwise all are made new. Runs
 * that were under way arrive as interrupted. All or nothing.
 * @param options.fresh new ids in any case (duplicate); `name` replaces the project's name
 */
export async function addProject(
  db: Database,
  bundle: ProjectBundle,
  options: { fresh?: boolean; name?: string } = {},
): Promise<Project> {
  const taken = options.fresh === true || (await anyIdTaken(db, bundle));
  const source = taken ? withNewIds(bundle) : bundle;
  const chunked: { manifest: CheckpointManifest; chunks: Map<string, ArrayBuffer> }[] = [];
  for (const { manifest, tensors } of source.checkpoints) {
    const { chunks, ...parts } = await chunkTensors(tensors);
    await putChunks(db, chunks);
    chunked.push({ manifest: { ...manifest, ...parts }, chunks });
  }
  const tables: TableName[] = [
    'projects',
    'demonstrations',
    'prompts',
    'sets',
    'rankings',
    'runs',
    'metrics',
    'checkpoints',
    'chunks',
  ];
  return write(db, tables, 'the project', async (tx) => {
    const projectId = source.project.id;
    const project: Project = {
      ...source.project,
      name: options.name ?? source.project.name,
      seq: await nextProjectSeq(tx),
    };
    await tx.objectStore('projects').put(project);
    for (const table of ['demonstrations', 'prompts', 'sets', 'rankings'] as const) {
      await Promise.all(source[table].map((record) => tx.objectStore(table).put(record)));
    }
    for (const run of source.runs) {
      const cut = run.status === 'running' || run.status === 'paused';
      await tx.objectStore('runs').put(cut ? { ...run, status: 'interrupted' } : run);
    }
    for (const { runId, rows } of source.metrics) {
      await Promise.all(
        rows.map((row) => {
          const step = row['step'];
          if (step === undefined) throw noStep(runId);
          return tx.objectStore('metrics').put({ runId, projectId, step, row });
        }),
      );
    }
    for (const { manifest, chunks } of chunked) {
      await tx.objectStore('checkpoints').put(manifest);
      for (const [hash, bytes] of chunks) {
        const key = await tx.objectStore('chunks').getKey(hash);
        if (key === undefined) await tx.objectStore('chunks').put({ hash, bytes });
      }
    }
    return project;
  });
}

async function anyIdTaken(db: Database, bundle: ProjectBundle): Promise<boolean> {
  if ((await db.getKey('projects', bundle.project.id)) !== undefined) return true;
  for (const table of ['demonstrations', 'prompts', 'sets', 'rankings', 'runs'] as const) {
    for (const { id } of bundle[table]) {
      if ((await db.getKey(table, id)) !== undefined) return true;
    }
  }
  for (const { manifest } of bundle.checkpoints) {
    if ((await db.getKey('checkpoints', manifest.id)) !== undefined) return true;
  }
  return false;
}

/** The bundle under new ids, every reference following. Ids that name nothing in it stay. */
function withNewIds(bundle: ProjectBundle): ProjectBundle {
  const renamed = new Map<string, string>();
  const { project } = bundle;
  for (const { id } of [
    project,
    ...bundle.demonstrations,
    ...bundle.prompts,
    ...bundle.sets,
    ...bundle.rankings,
    ...bundle.runs,
    ...bundle.checkpoints.map(({ manifest }) => manifest),
  ]) {
    renamed.set(id, crypto.randomUUID());
  }
  const now = (id: string): string => renamed.get(id) ?? id;
  const maybe = (id: string | null): string | null => (id === null ? null : now(id));
  const projectId = now(project.id);
  return {
    project: {
      ...project,
      id: projectId,
      runs: {
        base: maybe(project.runs.base),
        sft: maybe(project.runs.sft),
        reward: maybe(project.runs.reward),
        ppo: maybe(project.runs.ppo),
      },
    },
    demonstrations: bundle.demonstrations.map((x) => ({ ...x, id: now(x.id), projectId })),
    prompts: bundle.prompts.map((x) => ({ ...x, id: now(x.id), projectId })),
    sets: bundle.sets.map((x) => ({
      ...x,
      id: now(x.id),
      projectId,
      promptId: now(x.promptId),
      sourceRunId: now(x.sourceRunId),
    })),
    rankings: bundle.rankings.map((x) => ({
      ...x,
      id: now(x.id),
      projectId,
      setId: maybe(x.setId),
    })),
    runs: bundle.runs.map((x) => ({
      ...x,
      id: now(x.id),
      projectId,
      parentId: maybe(x.parentId),
      checkpointId: maybe(x.checkpointId),
    })),
    metrics: bundle.metrics.map(({ runId, rows }) => ({ runId: now(runId), rows })),
    checkpoints: bundle.checkpoints.map(({ manifest, tensors }) => ({
      manifest: { ...manifest, id: now(manifest.id), projectId, runId: now(manifest.runId) },
      tensors,
    })),
  };
}

const noStep = (runId: string): PlaygroundError =>
  new PlaygroundError({
    code: 'format',
    field: 'step',
    message: `A metric row of run ${runId} has no step.`,
  });
