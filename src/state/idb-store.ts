/** The page's side of the database: the repositories of src/storage behind one interface. */
import type { Project } from '../core/domain';
import { readOnly } from '../core/read-only';
import { copyBase, storedBase } from '../storage/copied-base';
import { metricRows, runSamples } from '../storage/metrics';
import { addProject, readProject } from './project-bundle';
import { deleteProject, getProject, listProjects, updateProject } from '../storage/projects';
import { loadOpened } from '../storage/opened-project';
import { noProject } from '../storage/project-record';
import type { Database } from '../storage/schema';
import { write } from '../storage/transaction';
import { deleteOldCheckpoints, storageUsage } from '../storage/usage';
import { requireWriter, revised } from '../storage/writer';
import type { Changes, LockHooks, ProjectStore } from './ports';
import { openLock } from './project-lock';

const PAGE_TABLES = ['projects', 'demonstrations', 'prompts', 'sets', 'rankings'] as const;

/** The transaction of a connection that was begun last. */
const underWay = new WeakMap<Database, { abort(): void }>();

/** All page tables in one strict transaction; `runs` of a project stay as the worker left them. */
function commit(db: Database, changes: Changes, projectId: string): Promise<number> {
  return write(db, [...PAGE_TABLES], 'your work', async (tx) => {
    underWay.set(db, tx);
    const before = await requireWriter(tx, projectId);
    const changed = changes.projects?.get(projectId) ?? before;
    if (changed === undefined) throw noProject();
    const stored = revised(before, { ...changed, runs: before?.runs ?? changed.runs });
    await tx.objectStore('projects').put(stored);
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
    return stored.revision ?? 0;
  });
}

/**
 * Nothing is read first, not the claim either: a page that goes away hears of no answer, and only a
 * transaction that was told to commit outlives it.
 */
function commitAtOnce(
  db: Database,
  changes: Changes,
  { claim, revision }: { claim: string; revision: number },
): void {
  try {
    // It has the same changes, would end with the page, and keeps this one waiting until then.
    underWay.get(db)?.abort();
  } catch {
    // It is committed already.
  }
  try {
    const tx = db.transaction([...PAGE_TABLES], 'readwrite', { durability: 'strict' });
    tx.done.catch(() => {});
    for (const table of PAGE_TABLES) {
      const store = tx.objectStore(table);
      for (const [id, record] of changes[table] ?? []) {
        const stored =
          table === 'projects' ? { ...(record as Project), claim, revision: revision + 1 } : record;
        const request = record === null ? store.delete(id) : store.put(stored as never);
        request.catch(() => {});
      }
    }
    tx.commit();
  } catch {
    // The database is closed: nothing is left to write to.
  }
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

async function alone<T>(db: Database, projectId: string, work: () => Promise<T>): Promise<T> {
  const hooks: LockHooks = {
    onWriter: () => {},
    onFollower: () => {},
    onAsked: async () => {},
    onNews: () => {},
  };
  const opened = await openLock(db, projectId, hooks);
  try {
    if (opened.claim === null) throw readOnly();
    return await work();
  } finally {
    await opened.close();
  }
}

/** @param db an open database */
export function createStore(db: Database): ProjectStore {
  return {
    listProjects: () => listProjects(db),
    lock: (id, hooks) => openLock(db, id, hooks),
    alone: (id, work) => alone(db, id, work),
    loadProject: (id) => loadOpened(db, id),
    commit: (changes, projectId) => commit(db, changes, projectId),
    commitAtOnce: (changes, project) => commitAtOnce(db, changes, project),
    setBase: async (id, { base, runId }) => {
      await updateProject(db, id, { base, runs: { base: runId } });
    },
    hasBase: async (runId) => (await storedBase(db, runId)) !== null,
    copyBase: async (runId, projectId) => {
      await copyBase(db, runId, projectId);
      return getProject(db, projectId);
    },
    deleteProject: (id) => deleteProject(db, id),
    usage: () => storageUsage(db),
    deleteOldCheckpoints: (id) => deleteOldCheckpoints(db, id),
    loadRows: (runId) => metricRows(db, runId),
    loadSamples: (runId) => runSamples(db, runId),
    loadBundle: (id) => readProject(db, id),
    saveBundle: (bundle, name) => addProject(db, bundle, name),
  };
}
