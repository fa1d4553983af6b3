/**
 * What runs in the page until it is killed: edits, and training that stores a checkpoint after every
 * step. Whatever the page says is saved is told to the test at once, with its hash.
 */

export interface Acknowledged {
  table: 'demonstrations' | 'rankings' | 'checkpoints';
  id: string;
  sha256: string;
  /** Of a checkpoint. */
  runId?: string;
  step?: number;
}

interface StoredCheckpoint {
  id: string;
  runId: string;
  step: number;
}

declare global {
  interface Window {
    /** Bound by the test: it arrives in Node even when the page dies right after. */
    acknowledge(what: Acknowledged): Promise<void>;
    /** Every read-write transaction of page and worker. */
    wrote(durability: string): Promise<void>;
  }
}

/** Reports the durability of every transaction that writes; put before the page's own scripts. */
export function watchTransactions(): void {
  const tell = new BroadcastChannel('transactions');
  const { prototype } = IDBDatabase;
  const open = Reflect.get(prototype, 'transaction');
  prototype.transaction = function (this: IDBDatabase, ...args) {
    const tx = open.apply(this, args);
    if (tx.mode === 'readwrite') tell.postMessage(tx.durability);
    return tx;
  };
  if (!('document' in globalThis)) return;
  const listen = new BroadcastChannel('transactions');
  listen.onmessage = ({ data }: MessageEvent<string>) => void window.wrote(data);
}

/** `fresh` makes a project first. Self-contained: it is sent to the page as text. */
export async function workUntilKilled({ fresh }: { fresh: boolean }): Promise<void> {
  const { rlhf } = window;
  const sleep = (ms: number) => new Promise((done) => setTimeout(done, ms));

  /** Keys sorted, so that two writers of one record agree. */
  const canonical = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(canonical);
    if (typeof value !== 'object' || value === null) return value;
    const entries = Object.entries(value).map(([key, x]) => [key, canonical(x)] as const);
    return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
  };
  const sha256 = async (record: unknown): Promise<string> => {
    const bytes = new TextEncoder().encode(JSON.stringify(canonical(record)));
    const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
    return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
  };
  /** The mark at the top of the page makes the promise. */
  const saidSaved = async (): Promise<void> => {
    const mark = () => document.querySelector('header [role="status"]')?.textContent ?? '';
    while (!/^\s*Saved/.test(mark())) await sleep(2);
  };
  /** The checkpoint of the run that rests, as it is stored. */
  const stored = async (): Promise<StoredCheckpoint | undefined> => {
    const db = await answer(indexedDB.open('rlhf-playground'));
    const tx = db.transaction(['runs', 'checkpoints']);
    const runs = await answer(
      tx.objectStore('runs').getAll() as IDBRequest<{ status: string; checkpointId: string }[]>,
    );
    const resting = runs.find(({ status }) => status === 'paused');
    const manifest: unknown =
      resting && (await answer(tx.objectStore('checkpoints').get(resting.checkpointId)));
    db.close();
    return manifest as StoredCheckpoint | undefined;
  };
  const answer = <T>(request: IDBRequest<T>): Promise<T> =>
    new Promise((resolve, reject) => {
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(new Error(String(request.error)));
    });

  const edit = async (): Promise<void> => {
    for (let i = 0; ; i++) {
      const text = `${i} `.repeat(1 + Math.floor(Math.random() * 2000));
      if (i % 3 === 2) {
        const record = await rlhf.addRanking({
          prompt: `Who has the rope ${i}?`,
          completions: [text, 'No.'],
          ranks: [1, 2],
          labeler: 'me',
        });
        await saidSaved();
        await window.acknowledge({
          table: 'rankings',
          id: record.id,
          sha256: await sha256(record),
        });
      } else {
        const row = { prompt: `Where is hat ${i}?`, completion: `It is on hill ${i}.` };
        await rlhf.addDemonstrations(JSON.stringify(row));
        await saidSaved();
        const record = (await rlhf.listDemonstrations()).at(-1)!;
        await window.acknowledge({
          table: 'demonstrations',
          id: record.id,
          sha256: await sha256(record),
        });
      }
      await sleep(Math.random() * 30);
    }
  };

  const store = async (): Promise<void> => {
    await rlhf.ready();
    for (;;) {
      try {
        await rlhf.resume();
      } catch {
        while ((await rlhf.listDemonstrations()).length < 8) await sleep(20);
        const training = rlhf.trainSft({ num_train_epochs: 100, per_device_train_batch_size: 2 });
        let failed = false;
        training.catch((error: unknown) => {
          failed = true;
          console.warn(`training ended: ${String(error)}`);
        });
        while (!failed && (await rlhf.metrics('sft')).length === 0) await sleep(20);
      }
      try {
        for (;;) {
          await rlhf.step();
          const manifest = await stored();
          if (manifest === undefined) continue;
          const { id, runId, step } = manifest;
          await window.acknowledge({
            table: 'checkpoints',
            id,
            sha256: await sha256(manifest),
            runId,
            step,
          });
        }
      } catch (error) {
        console.warn(`no further step: ${String(error)}`);
        await sleep(50);
      }
    }
  };

  await rlhf.listProjects();
  if (fresh) await rlhf.newProject({ name: 'Killed', seed: 3 });
  await Promise.all([edit(), store()]);
}
