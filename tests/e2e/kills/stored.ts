/** What is in the database after a kill, read by other code than the page's own. */
import type { Page } from '@playwright/test';
import type { Acknowledged } from './page-work';

export interface StoredCheckpoint {
  id: string;
  runId: string;
  step: number;
  sha256: string;
}

export interface Stored {
  /** Hash by `table/id`. */
  records: Record<string, string>;
  checkpoints: StoredCheckpoint[];
  /** Checkpoint by run. */
  models: Record<string, string>;
  /** What is neither the old nor the new state. */
  torn: string[];
}

/** Reads everything; `page` shows a document of the same origin that has no script. */
export function readStored(page: Page): Promise<Stored> {
  return page.evaluate(async () => {
    const canonical = (value: unknown): unknown => {
      if (Array.isArray(value)) return value.map(canonical);
      if (typeof value !== 'object' || value === null) return value;
      const entries = Object.entries(value).map(([key, x]) => [key, canonical(x)] as const);
      return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
    };
    const hashOf = async (bytes: BufferSource): Promise<string> => {
      const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
      return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
    };
    const sha256 = (record: unknown): Promise<string> =>
      hashOf(new TextEncoder().encode(JSON.stringify(canonical(record))));
    const answer = <T>(request: IDBRequest<T>): Promise<T> =>
      new Promise((resolve, reject) => {
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(new Error(String(request.error)));
      });
    const db = await answer(indexedDB.open('rlhf-playground'));
    const all = <T>(table: string): Promise<T[]> =>
      answer(db.transaction(table).objectStore(table).getAll() as IDBRequest<T[]>);

    const records: Record<string, string> = {};
    for (const table of ['demonstrations', 'rankings']) {
      for (const record of await all<{ id: string }>(table)) {
        records[`${table}/${record.id}`] = await sha256(record);
      }
    }
    const torn: string[] = [];
    const bytes = new Map<string, number>();
    for (const chunk of await all<{ hash: string; bytes: ArrayBuffer }>('chunks')) {
      if ((await hashOf(chunk.bytes)) !== chunk.hash) torn.push(`chunk ${chunk.hash} has changed`);
      bytes.set(chunk.hash, chunk.bytes.byteLength);
    }
    interface Manifest {
      id: string;
      runId: string;
      step: number;
      tensors: { name: string; shape: number[]; chunks: string[] }[];
    }
    const checkpoints = [];
    for (const manifest of await all<Manifest>('checkpoints')) {
      const { id, runId, step, tensors } = manifest;
      checkpoints.push({ id, runId, step, sha256: await sha256(manifest) });
      for (const { name, shape, chunks } of tensors) {
        const stored = chunks.reduce((sum, hash) => sum + (bytes.get(hash) ?? 0), 0);
        if (stored !== 4 * shape.reduce((a, b) => a * b, 1)) {
          torn.push(`step ${step}: ${name} has ${stored} bytes`);
        }
      }
    }
    const models: Record<string, string> = {};
    for (const run of await all<{ id: string; checkpointId: string | null }>('runs')) {
      if (run.checkpointId === null) continue;
      models[run.id] = run.checkpointId;
      if (checkpoints.every(({ id }) => id !== run.checkpointId)) {
        torn.push(`run ${run.id} names a checkpoint that is not there`);
      }
    }
    db.close();
    return { records, checkpoints, models, torn };
  });
}

/** What was said to be saved and is not there as it was; what is torn. Empty when all is well. */
export function violations(said: readonly Acknowledged[], stored: Stored): string[] {
  const { records, checkpoints, models, torn } = stored;
  const found = torn.map((how) => `torn: ${how}`);
  const newest = new Map<string, Acknowledged>();
  for (const one of said) {
    if (one.runId !== undefined) newest.set(one.runId, one);
    else if (records[`${one.table}/${one.id}`] !== one.sha256) {
      found.push(`lost: ${one.table} ${one.id}`);
    }
  }
  for (const [runId, { id, sha256, step = 0 }] of newest) {
    const kept = checkpoints.find((checkpoint) => checkpoint.id === models[runId]);
    if (kept === undefined || kept.step < step || (kept.id === id && kept.sha256 !== sha256)) {
      found.push(`lost: checkpoint of step ${step}, there is ${kept?.step}`);
    }
  }
  return found;
}
