/** A whole project as plain records: for export, import and duplicate. */
import type { CheckpointManifest, Project } from '../core/domain';
import { PlaygroundError } from '../core/errors';
import type { ProjectBundle } from '../formats/project-file';
import { checkpointManifest } from '../storage/checkpoints';
import { chunkTensors, putChunks, readTensors } from '../storage/chunks';
import { demonstrations } from '../storage/demonstrations';
import { metricRows } from '../storage/metrics';
import { getProject, nextProjectSeq } from '../storage/projects';
import { prompts } from '../storage/prompts';
import { rankings } from '../storage/rankings';
import { runs } from '../storage/runs';
import type { Database, TableName } from '../storage/schema';
import { newId } from './ids';
import { sets } from '../storage/sets';
import { write } from '../storage/transaction';

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
 * Stores a bundle as another project under new ids and returns it. Runs that were under way arrive
 * as interrupted. All or nothing.
 */
export async function addProject(
  db: Database,
  bundle: ProjectBundle,
  name: string,
): Promise<Project> {
  const source = withNewIds(bundle);
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
      name,
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
    renamed.set(id, newId());
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
