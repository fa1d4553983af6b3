import type { Project } from '../core/domain';
import { NO_MODELS } from '../core/stage-models';
import { removeCheckpoints } from './checkpoints';
import { complete, noProject } from './project-record';
import { ofProject } from './project-table';
import type { Database, TableName } from './schema';
import { read, write, type WriteTransaction } from './transaction';
import { requireWriter, revised } from './writer';

const PROJECT_TABLES = ['demonstrations', 'prompts', 'sets', 'rankings', 'runs'] as const;
const RUN_TABLES = ['inputs', 'metrics', 'samples'] as const;

/** All projects, in the order they were made. */
export async function listProjects(db: Database): Promise<Project[]> {
  const stored = await read('the projects', () => db.getAllFromIndex('projects', 'bySeq'));
  return stored.map(complete);
}

/** @throws PlaygroundError `not-found` */
export async function getProject(db: Database, id: string): Promise<Project> {
  const project = await read('the project', () => db.get('projects', id));
  if (project === undefined) throw noProject();
  return complete(project);
}

/** Makes an empty project and returns it. */
export async function createProject(
  db: Database,
  draft: Pick<Project, 'name' | 'base' | 'seed'>,
): Promise<Project> {
  return write(db, ['projects'], 'the project', async (tx) => {
    const now = Date.now();
    const project: Project = {
      name: draft.name,
      base: draft.base,
      seed: draft.seed,
      id: crypto.randomUUID(),
      page: 'base',
      settings: {},
      runs: { ...NO_MODELS },
      seq: await nextProjectSeq(tx as unknown as WriteTransaction),
      createdAt: now,
      updatedAt: now,
    };
    await tx.objectStore('projects').put(project);
    return project;
  });
}

/**
 * Changes some fields of a project. It reads and writes in one transaction, because the worker
 * moves `runs` when a run ends. Returns the project as stored.
 * @throws PlaygroundError `not-found`
 */
export async function updateProject(
  db: Database,
  id: string,
  change: Partial<Omit<Project, 'id' | 'seq' | 'createdAt' | 'updatedAt' | 'runs'>> & {
    runs?: Partial<Project['runs']>;
  },
): Promise<Project> {
  return write(db, ['projects'], 'the project', async (tx) => {
    const stored = await requireWriter(tx as unknown as WriteTransaction, id);
    if (stored === undefined) throw noProject();
    const project = revised(stored, {
      ...stored,
      ...change,
      runs: { ...complete(stored).runs, ...change.runs },
      updatedAt: Date.now(),
    });
    await tx.objectStore('projects').put(project);
    return complete(project);
  });
}

/** Removes a project and everything that belongs to it, in one transaction. */
export async function deleteProject(db: Database, id: string): Promise<void> {
  const tables: TableName[] = [
    'projects',
    ...PROJECT_TABLES,
    ...RUN_TABLES,
    'checkpoints',
    'chunks',
  ];
  await write(db, tables, 'the project', async (tx) => {
    await requireWriter(tx, id);
    await tx.objectStore('projects').delete(id);
    for (const table of PROJECT_TABLES) {
      const keys = await tx.objectStore(table).index('byProject').getAllKeys(ofProject(id));
      await Promise.all(keys.map((key) => tx.objectStore(table).delete(key)));
    }
    for (const table of ['metrics', 'samples'] as const) {
      const keys = await tx.objectStore(table).index('byProject').getAllKeys(id);
      await Promise.all(keys.map((key) => tx.objectStore(table).delete(key)));
    }
    const inputs = await tx.objectStore('inputs').index('byProject').getAllKeys(id);
    await Promise.all(inputs.map((key) => tx.objectStore('inputs').delete(key)));
    await removeCheckpoints(tx, await tx.objectStore('checkpoints').index('byProject').getAll(id));
  });
}

/** The seq after that of the last project. */
export async function nextProjectSeq(tx: WriteTransaction): Promise<number> {
  const last = await tx.objectStore('projects').index('bySeq').openKeyCursor(null, 'prev');
  return last === null ? 1 : last.key + 1;
}
