import { createHash } from 'node:crypto';
import type { Page } from '@playwright/test';
import { expect, test } from './fixture';

const DEMONSTRATIONS = ['Rosa', 'Tom', 'Otto']
  .map((name, i) => JSON.stringify({ prompt: `Who has hat ${i}?`, completion: `${name} has it.` }))
  .join('\n');

/** The open project's file, and its hash. */
async function exported(page: Page): Promise<{ file: Buffer; sha256: string }> {
  const bytes = await page.evaluate(async () => {
    const blob = await window.rlhf.exportProject();
    return [...new Uint8Array(await blob.arrayBuffer())];
  });
  const file = Buffer.from(bytes);
  return { file, sha256: createHash('sha256').update(file).digest('hex') };
}

const names = (page: Page): Promise<string[]> =>
  page.evaluate(async () => (await window.rlhf.listProjects()).map(({ name }) => name));

async function withProject(page: Page): Promise<string> {
  await page.goto('./');
  return page.evaluate(async (demonstrations) => {
    const id = await window.rlhf.newProject({ name: 'Lent out', seed: 3 });
    await window.rlhf.addDemonstrations(demonstrations);
    await window.rlhf.addRanking({
      prompt: 'Who has the rope?',
      completions: ['Tom has it.', 'Go away.'],
      ranks: [1, 2],
    });
    return id;
  }, DEMONSTRATIONS);
}

test('a project file is shown before anything is stored, and stored only when asked', async ({
  page,
}) => {
  await withProject(page);
  const { file } = await exported(page);
  const upload = { name: 'lent.rlhf.zip', mimeType: 'application/zip', buffer: file };
  await page.getByRole('button', { name: /^Project: Lent out/ }).click();
  const section = page.getByRole('region', { name: 'Project file' });
  await section.locator('input[type=file]').setInputFiles(upload);
  await expect(section.getByText('3 demonstrations')).toBeVisible();
  await expect(section.getByText('1 ranking', { exact: false })).toBeVisible();
  await expect(section.getByText(/is here already/)).toBeVisible();
  const before = await names(page);
  await section.getByRole('button', { name: 'Leave it' }).click();
  expect(await names(page)).toEqual(before);

  // One byte is another one: refused as a whole.
  const broken = Buffer.from(file);
  broken[broken.indexOf('demonstrations.jsonl') + 60]! ^= 1;
  await section.locator('input[type=file]').setInputFiles({ ...upload, buffer: broken });
  await expect(section.getByRole('alert')).toContainText('Nothing was imported');
  await expect(section.getByRole('button', { name: 'Import and open' })).toHaveCount(0);
  expect(await names(page)).toEqual(before);

  await section.locator('input[type=file]').setInputFiles(upload);
  await section.getByRole('button', { name: 'Import and open' }).click();
  await expect(page.getByRole('dialog', { name: 'Projects' })).toBeHidden();
  expect(await names(page)).toEqual([...before, 'Lent out']);
  expect(await page.evaluate(() => window.rlhf.listDemonstrations())).toHaveLength(3);
});

test('when the browser has cleared everything, the file brings the same project back', async ({
  page,
}) => {
  const id = await withProject(page);
  const { file, sha256 } = await exported(page);
  // What an eviction leaves: nothing.
  await page.goto('icon.svg');
  await page.evaluate(
    () =>
      new Promise<void>((resolve, reject) => {
        localStorage.clear();
        const request = indexedDB.deleteDatabase('rlhf-playground');
        request.onsuccess = () => resolve();
        request.onerror = () => reject(new Error(String(request.error)));
      }),
  );
  await page.goto('./');
  expect(await names(page)).toEqual(['My first project']);
  const again = await page.evaluate(
    async (bytes) => {
      const back = await window.rlhf.importProject(new Blob([Uint8Array.from(bytes)]));
      await window.rlhf.openProject(back);
      return back;
    },
    [...file],
  );
  expect(again).toBe(id);
  expect((await exported(page)).sha256).toBe(sha256);
});

test('a clock that went back changes no order: the newest project is the last one made', async ({
  page,
}) => {
  await page.addInitScript(() => {
    const now = Date.now.bind(Date);
    // Every page load is some years before the last.
    const loads = Number(sessionStorage.getItem('loads') ?? 0) + 1;
    sessionStorage.setItem('loads', String(loads));
    Date.now = () => now() - loads * 3 * 365 * 86_400_000;
  });
  await withProject(page);
  await page.reload();
  await page.evaluate(async (demonstrations) => {
    await window.rlhf.newProject({ name: 'Made later', seed: 3 });
    await window.rlhf.addDemonstrations(demonstrations);
  }, DEMONSTRATIONS);
  // Which one was open is not remembered: an old page, another browser's profile.
  await page.evaluate(() => localStorage.clear());
  await page.reload();
  await expect(page.getByRole('button', { name: /^Project: Made later/ })).toBeVisible();
  expect(await names(page)).toEqual(['My first project', 'Lent out', 'Made later']);
  const listed = await page.evaluate(() => window.rlhf.listDemonstrations());
  expect(listed.map(({ prompt }) => prompt)).toEqual([
    'Who has hat 0?',
    'Who has hat 1?',
    'Who has hat 2?',
  ]);
});
