/**
 * One writer per project. A lock of the browser says which tab that is; the claim stored with the
 * project is what holds: every transaction that writes compares it, so that a tab (or its worker)
 * that wakes up late and has lost the project cannot overwrite anything.
 */
import type { Project } from '../core/domain';
import { readOnly } from '../core/read-only';
import { noProject } from './project-record';
import type { Database, StoredProject } from './schema';
import { write, type WriteTransaction } from './transaction';

/** The claims that a connection writes under, by project. */
const held = new WeakMap<object, Map<string, string>>();

/** From now on what `db` writes to the project is written under this claim; null: under none. */
export function holdClaim(db: Database, projectId: string, claim: string | null): void {
  const claims = held.get(db) ?? new Map<string, string>();
  held.set(db, claims);
  if (claim === null) claims.delete(projectId);
  else claims.set(projectId, claim);
}

/**
 * Takes a project over: whoever wrote to it before can no longer do so.
 * @throws PlaygroundError `not-found`, `storage`
 */
export async function claimProject(db: Database, projectId: string, claim: string): Promise<void> {
  await write(db, ['projects'], 'the project', async (tx) => {
    const stored: StoredProject | undefined = await tx.objectStore('projects').get(projectId);
    if (stored === undefined) throw noProject();
    await tx.objectStore('projects').put({ ...revised(stored, stored), claim });
  });
  holdClaim(db, projectId, claim);
}

/**
 * The project as stored, for a transaction that is about to write to it; undefined: not there.
 * @throws PlaygroundError `read-only` when somebody else has claimed it since
 */
export async function requireWriter(
  tx: WriteTransaction,
  projectId: string,
): Promise<StoredProject | undefined> {
  const stored: StoredProject | undefined = await tx.objectStore('projects').get(projectId);
  const claim = held.get(tx.db)?.get(projectId);
  // Deleted under this claim: writing would bring pieces of it back.
  if (stored === undefined && claim !== undefined) throw noProject();
  if (stored?.claim !== undefined && stored.claim !== claim) throw readOnly();
  return stored;
}

/** A project as it goes into its table: `next`, one revision later, still claimed by whom it was. */
export function revised(before: StoredProject | undefined, next: Project): StoredProject {
  const claim = before?.claim;
  return {
    ...next,
    ...(claim === undefined ? {} : { claim }),
    revision: (before?.revision ?? 0) + 1,
  };
}
