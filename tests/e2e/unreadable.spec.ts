import { readFileSync } from 'node:fs';
import type { Page } from '@playwright/test';
import { expect, test } from './fixture';

/** Leaves a database behind before the page is opened: one table, one record. */
async function leave(page: Page, version: number): Promise<void> {
  // A document of the same origin that runs no script of ours.
  await page.goto('icon.svg');
  await page.evaluate(
    (wanted) =>
      new Promise<void>((resolve, reject) => {
        const request = indexedDB.open('rlhf-playground', wanted);
        request.onupgradeneeded = () => {
          const store = request.result.createObjectStore('projects', { keyPath: 'id' });
          store.put({ id: 'p', name: 'Years of work', weights: new Uint8Array([1, 2, 255]) });
        };
        request.onsuccess = () => {
          request.result.close();
          resolve();
        };
        request.onerror = () => reject(new Error(String(request.error)));
      }),
    version,
  );
}

for (const [what, version, message] of [
  ['a newer release wrote', 99, /written by a newer release/],
  ['is damaged', 1, /the index bySeq of projects is missing/],
] as const) {
  test(`what ${what} is left alone, and a raw copy of it can be saved`, async ({ page }) => {
    await leave(page, version);
    await page.goto('./');
    await expect(page.getByText(message).first()).toBeVisible();
    const saving = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Save a raw copy' }).click();
    const lines = readFileSync(await (await saving).path(), 'utf8')
      .trimEnd()
      .split('\n');
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
      { format: 'rlhf-playground-raw', database: 'rlhf-playground', version },
      {
        table: 'projects',
        keyPath: 'id',
        autoIncrement: false,
        indexes: [],
        records: 1,
      },
      { id: 'p', name: 'Years of work', weights: { $view: 'Uint8Array', bytes: 'AQL/' } },
    ]);
    await page.goto('icon.svg');
    const [after] = await page.evaluate(() => indexedDB.databases());
    expect(after).toEqual({ name: 'rlhf-playground', version });
  });
}
