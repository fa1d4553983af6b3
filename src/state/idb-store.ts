/** The page's side of the database: the repositories of src/storage behind one interface. */
import type { CheckpointManifest, Project, WeightMap } from '../core/domain';
import type { ProjectBundle } from '../formats/project-file';
import { loadCheckpoint, runCheckpoints } from '../storage/checkpoints';
import { chunkTensors, putChunks } from '../storage/chunks';
import { demonstrations } from '../storage/demonstrations';
import { metricRows, runSamples } from '../storage/metrics';
import { deleteProject, getProject, listProjects } from '../storage/projects';
import { prompts } from '../storage/prompts';
import { rankings } from '../storage/rankings';
import { interruptRuns, runs } from '../storage/runs';
import type { Database } from '../storage/schema';
import { sets } from '../storage/sets';
import { write } from '../storage/transaction';
import type { Changes, ProjectStore } from './ports';

const PAGE_TABLES = ['projects', 'demonstrations', 'prompts', 'sets', 'rankings'] as const;

/** All page tables in one strict transaction; `runs` of a project stay as the worker left them. */
async function commit(db: Database, changes: Changes): Promise<void> {
  await write(db, [...PAGE_TABLES], 'your work', async (tx) => {
    for (const [id, project] of changes.projects ?? []) {
      const table = tx.objectStore('projects');
      if (project === null) await table.delete(id);
      else {
        const stored: Project | undefined = await table.get(id);
        await table.put({ ...project, runs: stored?.runs ?? project.runs });
      }
    }
    const waiting: Promise<unknown>[] = [];
    for (const [id, record] of changes.demonstrations ?? []) {
      const table = tx.objectStore('demonstrations');
      waiting.push(record === null ? table.delete(id) : table.put(record));
    }
    for (const [id, record] of changes.prompts ?? []) {
      const table = tx.objectStore('prompts');
      waiting.push(record === null ? table.delete(id) : table.put(record));
    }
    for (const [id, record] of changes.sets ?? []) {
      const table = tx.objectStore('sets');
      waiting.push(record === null ? table.delete(id) : table.put(record));
    }
    for (const [id, record] of changes.rankings ?? []) {
      const table = tx.objectStore('rankings');
      waiting.push(record === null ? table.delete(id) : table.put(record));
    }
    await Promise.all(waiting);
  });
}

async function loadBundle(db: Database, projectId: string): Promise<ProjectBundle> {
  const projectRuns = await runs.list(db, projectId);
  const metrics: ProjectBundle['metrics'] = [];
  const checkpoints: { manifest: CheckpointManifest; tensors: WeightMap }[] = [];
  for (const run of projectRuns) {
    metrics.push({ runId: run.id, rows: await metricRows(db, run.id) });
    for (const { id } of await runCheckpoints(db, run.id)) {
      checkpoints.push(await loadCheckpoint(db, id));
    }
  }
  return {
    project: await getProject(db, projectId),
    demonstrations: await demonstrations.list(db, projectId),
    prompts: await prompts.list(db, projectId),
    sets: await sets.list(db, projectId),
    rankings: await rankings.list(db, projectId),
    runs: projectRuns,
    metrics,
    checkpoints,
  };
}

/** Weights first, in transactions of their own; the records that name them last, all or none. */
async function saveBundle(db: Database, bundle: ProjectBundle): Promise<void> {
  const manifests: CheckpointManifest[] = [];
  for (const { manifest, tensors } of bundle.checkpoints) {
    const chunked = await chunkTensors(tensors);
    await putChunks(db, chunked.chunks);
    manifests.push({ ...manifest, tensors: chunked.tensors, bytes: chunked.bytes });
  }
  const projectId = bundle.project.id;
  const tables = [...PAGE_TABLES, 'runs', 'metrics', 'checkpoints'] as const;
  await write(db, [...tables], 'the imported project', async (tx) => {
    await Promise.all([
      tx.objectStore('projects').put(bundle.project),
      ...bundle.demonstrations.map((record) => tx.objectStore('demonstrations').put(record)),
      ...bundle.prompts.map((record) => tx.objectStore('prompts').put(record)),
      ...bundle.sets.map((record) => tx.objectStore('sets').put(record)),
      ...bundle.rankings.map((record) => tx.objectStore('rankings').put(record)),
      ...bundle.runs.map((record) => tx.objectStore('runs').put(record)),
      ...manifests.map((record) => tx.objectStore('checkpoints').put(record)),
      ...bundle.metrics.flatMap(({ runId, rows }) =>
        rows.map((row) =>
          tx.objectStore('metrics').put({ runId, projectId, step: row.step ?? 0, row }),
        ),
      ),
    ]);
  });
}

/** @param db an open database; runs that the last page left under way are marked as interrupted */
export async function openStore(db: Database): Promise<ProjectStore> {
  await interruptRuns(db);
  return {
    listProjects: () => listProjects(db),
    loadProject: async (id) => ({
      demonstrations: await demonstrations.list(db, id),
      prompts: await prompts.list(db, id),
      sets: await sets.list(db, id),
      rankings: await rankings.list(db, id),
      runs: await runs.list(db, id),
    }),
    commit: (changes) => commit(db, changes),
    deleteProject: (id) => deleteProject(db, id),
    loadRows: (runId) => metricRows(db, runId),
    loadSamples: (runId) => runSamples(db, runId),
    loadBundle: (id) => loadBundle(db, id),
    saveBundle: (bundle) => saveBundle(db, bundle),
  };
}
