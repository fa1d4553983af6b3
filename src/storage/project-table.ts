/** What the tables of a project's records have in common: list in order, append, put, remove. */
import type { CandidateSet, Demonstration, Prompt, Ranking, Run } from '../core/domain';
import type { Database, TableName } from './schema';
import { read, write, type WriteTransaction } from './transaction';
import { requireWriter } from './writer';

export interface ProjectRecords {
  demonstrations: Demonstration;
  prompts: Prompt;
  sets: CandidateSet;
  rankings: Ranking;
  runs: Run;
}
export type ProjectTableName = keyof ProjectRecords;

/** A record before it has its id and its place. */
export type Draft<T> = Omit<T, 'id' | 'projectId' | 'seq'>;

export interface ProjectTable<T extends { id: string; projectId: string }> {
  /** All records of a project, by seq. */
  list(db: Database, projectId: string): Promise<T[]>;
  get(db: Database, id: string): Promise<T | undefined>;
  /** Gives each draft an id and the next places, in one strict transaction; returns the records. */
  append(db: Database, projectId: string, drafts: readonly Draft<T>[]): Promise<T[]>;
  /** Writes records as they are (edit, undo). All or none. */
  put(db: Database, records: readonly T[]): Promise<void>;
  /** Unknown ids are passed over. All or none. */
  remove(db: Database, ids: readonly string[]): Promise<void>;
}

/** Every key [projectId, seq]: an array sorts after every number. */
export const ofProject = (projectId: string): IDBKeyRange =>
  IDBKeyRange.bound([projectId], [projectId, []]);

/** The seq after the last one of this project. */
export async function nextSeq(
  tx: WriteTransaction<TableName[]>,
  table: ProjectTableName,
  projectId: string,
): Promise<number> {
  const index = tx.objectStore(table).index('byProject');
  const last = await index.openKeyCursor(ofProject(projectId), 'prev');
  return last === null ? 1 : last.key[1] + 1;
}

export function projectTable<Name extends ProjectTableName>(
  table: Name,
  what: string,
): ProjectTable<ProjectRecords[Name]> {
  type T = ProjectRecords[Name];
  // idb cannot follow a table name that is itself a type parameter; the casts stay in here.
  const name: ProjectTableName = table;
  return {
    list: (db, projectId) =>
      read(what, () =>
        db.getAllFromIndex(name, 'byProject', ofProject(projectId)),
      ) as unknown as Promise<T[]>,
    get: (db, id) => read(what, () => db.get(name, id)) as Promise<T | undefined>,
    append: (db, projectId, drafts) =>
      write<TableName[], T[]>(db, ['projects', name], what, async (tx) => {
        await requireWriter(tx, projectId);
        const first = await nextSeq(tx, name, projectId);
        const records = drafts.map(
          (draft, i) =>
            ({ ...draft, id: crypto.randomUUID(), projectId, seq: first + i }) as unknown as T,
        );
        await Promise.all(records.map((record) => tx.objectStore(name).put(record)));
        return records;
      }),
    put: (db, records) =>
      write<TableName[], void>(db, ['projects', name], what, async (tx) => {
        for (const id of new Set(records.map(({ projectId }) => projectId))) {
          await requireWriter(tx, id);
        }
        await Promise.all(records.map((record) => tx.objectStore(name).put(record)));
      }),
    remove: (db, ids) =>
      write<TableName[], void>(db, ['projects', name], what, async (tx) => {
        for (const id of ids) {
          const record = await tx.objectStore(name).get(id);
          if (record !== undefined) await requireWriter(tx, record.projectId);
          await tx.objectStore(name).delete(id);
        }
      }),
  };
}
