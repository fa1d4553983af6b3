/** Several tabs of one browser on one project, and somebody who watches from beside them. */
import { expect, type BrowserContext, type Page } from '@playwright/test';

/** What is stored and who holds the lock, seen by a page that runs none of our code. */
export interface Seen {
  holders: number;
  revision: number;
  /** Prompts of the demonstrations of the project. */
  prompts: string[];
}

export class Watcher {
  readonly page: Page;
  readonly projectId: string;

  constructor(page: Page, projectId: string) {
    this.page = page;
    this.projectId = projectId;
  }

  static async beside(context: BrowserContext, projectId: string): Promise<Watcher> {
    const page = await context.newPage();
    await page.goto('/icon.svg');
    return new Watcher(page, projectId);
  }

  look(): Promise<Seen> {
    return this.page.evaluate(async (id) => {
      const settled = <T>(request: IDBRequest<T>): Promise<T> =>
        new Promise((resolve, reject) => {
          request.onsuccess = () => resolve(request.result);
          request.onerror = () => reject(new Error(String(request.error)));
        });
      const db = await settled(indexedDB.open('rlhf-playground'));
      const tx = db.transaction(['projects', 'demonstrations']);
      const project = (await settled(tx.objectStore('projects').get(id))) as { revision?: number };
      const range = IDBKeyRange.bound([id], [id, []]);
      const index = tx.objectStore('demonstrations').index('byProject');
      const rows = (await settled(index.getAll(range))) as { prompt: string }[];
      db.close();
      const { held = [] } = await navigator.locks.query();
      return {
        holders: held.filter(({ name }) => name === `rlhf-playground.project.${id}`).length,
        revision: project.revision ?? 0,
        prompts: rows.map(({ prompt }) => prompt),
      };
    }, this.projectId);
  }
}

/** The page has a project and says whether it writes to it. */
export const opened = (page: Page): Promise<unknown> =>
  expect(page.getByRole('status').filter({ hasText: /^(Saved|Saving …|Read only)$/ })).toBeVisible({
    timeout: 60_000,
  });

export const follows = async (page: Page): Promise<boolean> =>
  (await page.getByTestId('read-only').count()) > 0;

/** Adds a demonstration by script; whether the page has acknowledged it, or refused because it only reads. */
export const edit = (page: Page, prompt: string): Promise<'acknowledged' | 'refused'> =>
  page.evaluate(async (text) => {
    try {
      await window.rlhf.addDemonstrations(`Prompt: ${text}\nResponse: Noted.`);
      return 'acknowledged';
    } catch (error) {
      if ((error as { code?: string }).code === 'read-only') return 'refused';
      throw error;
    }
  }, prompt);

/** The renderer of the page dies, as it does when memory runs out. */
export async function crash(page: Page): Promise<void> {
  const client = await page.context().newCDPSession(page);
  const crashed = page.waitForEvent('crash');
  // It is never answered.
  void client.send('Page.crash').catch(() => {});
  await crashed;
  await page.close();
}
