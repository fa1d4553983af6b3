import { openDatabase } from '../storage/open';
import { WorkerClient } from '../worker/client';
import type { EngineParts } from './engine.svelte';
import { createStore } from './idb-store';
import { startEmbeddedWorker, takeOwnFiles } from './one-file';
import type { ProjectStore } from './ports';
import { browserStorage, Preferences } from './preferences.svelte';

/** What the App stands on; tests bring their own. */
export interface AppParts extends EngineParts {
  openStore(): Promise<ProjectStore>;
}

/** Everything real: this browser's database and worker. */
export async function browserParts(onReplaced: () => void): Promise<AppParts> {
  const files = await takeOwnFiles(document);
  return {
    baseUrl: document.baseURI,
    files,
    preferences: new Preferences(browserStorage()),
    openStore: async () => createStore(await openDatabase({ onReplaced })),
    startWorker: () =>
      files === null ? new WorkerClient() : new WorkerClient(() => startEmbeddedWorker(files)),
  };
}
