/** The page's side of the database: the repositories of src/storage behind one interface. */
import type { Project } from '../core/domain';
import { copyBase, storedBase } from '../storage/copied-base';
import { demonstrations } from '../storage/demonstrations';
import { metricRows, runSamples } from '../storage/metrics';
import { addProject, readProject } from './project-bundle';
import { deleteProject, getProject, listProjects, updateProject } from '../storage/projects';
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
    await inPortions(changes.demonstrations, (id, record) => {
      const table = tx.objectStore('demonstrations');
      return record === null ? table.delete(id) : table.put(record);
    });
    await inPortions(changes.prompts, (id, record) => {
      const table = tx.objectStore('prompts');
      return record === null ? table.delete(id) : table.put(record);
    });
    await inPortions(changes.sets, (id, record) => {
      const table = tx.objectStore('sets');
      return record === null ? table.delete(id) : table.put(record);
    });
    await inPortions(changes.rankings, (id, record) => {
      const table = tx.objectStore('rankings');
      return record === null ? table.delete(id) : table.put(record);
    });
  });
}

/** Records are copied when they are handed over: some milliseconds at a time. */
const PORTION = 250;

/** Waits for the database alone, so that the transaction stays one. */
async function inPortions<T>(
  rows: ReadonlyMap<string, T> = new Map<string, T>(),
  store: (id: string, record: T) => Promise<unknown>,
): Promise<void> {
  let waiting: Promise<unknown>[] = [];
  for (const [id, record] of rows) {
    waiting.push(store(id, record));
    if (waiting.length < PORTION) continue;
    await Promise.all(waiting);
    waiting = [];
  }
  await Promise.all(waiting);
}

/** Held by the first tab for as long as it lives. */
const WRITER_LOCK = 'rlhf-playground.first-tab';

/** Whether no other tab of this page is open; the answer stays reserved until this one closes. */
function isFirstTab(): Promise<boolean> {
  return new Promise((resolve) => {
    const held = navigator.locks.request(WRITER_LOCK, { ifAvailable: true }, (lock) => {
      resolve(lock !== null);
      return lock === null ? undefined : new Promise<void>(() => {});
    });
    held.catch(() => resolve(true));
  });
}

/** @param db an open database; runs that the last page left under way are marked as interrupted */
export async function openStore(db: Database): Promise<ProjectStore> {
  // Runs that another tab has under way are alive.
  if (await isFirstTab()) await interruptRuns(db);
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
    setBase: async (id, { base, runId }) => {
      await updateProject(db, id, { base, runs: { base: runId } });
    },
    hasBase: async (runId) => (await storedBase(db, runId)) !== null,
    copyBase: async (runId, projectId) => {
      await copyBase(db, runId, projectId);
      return getProject(db, projectId);
    },
    deleteProject: (id) => deleteProject(db, id),
    loadRows: (runId) => metricRows(db, runId),
    loadSamples: (runId) => runSamples(db, runId),
    loadBundle: (id) => readProject(db, id),
    saveBundle: (bundle, name) => addProject(db, bundle, name),
  };
}
