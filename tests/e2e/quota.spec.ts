import type { CDPSession, Page } from '@playwright/test';
import { expect, test } from './fixture';

const ALL_BYTES = 16e6;

/** What the page may store in all; null: as much as the browser gives. */
async function giveRoom(client: CDPSession, origin: string, bytes: number | null): Promise<void> {
  await client.send('Storage.overrideQuotaForOrigin', {
    origin,
    ...(bytes === null ? {} : { quotaSize: bytes }),
  });
}

const usedBytes = (page: Page): Promise<number> =>
  page.evaluate(async () => (await navigator.storage.estimate()).usage ?? 0);

const ROWS = Array.from(
  { length: 16 },
  (_, i) => `Prompt: Where is hat ${i}?\nResponse: On the hill.`,
).join('\n\n');

/** How an action of `window.rlhf` ends, and after how long. */
const outcome = (page: Page, action: string): Promise<{ code: string; ms: number }> =>
  page.evaluate(`(async () => {
    const begun = performance.now();
    const act = async () => { ${action} };
    const code = await act().then(() => 'done', (error) => error.code ?? String(error));
    return { code, ms: performance.now() - begun };
  })()`);

test('no room: each large write fails within 5 s, what was there stays, export works, and it recovers', async ({
  page,
  baseURL,
}) => {
  const client = await page.context().newCDPSession(page);
  const { origin } = new URL(baseURL!);
  // Before the first write: Chromium asks its quota only now and then.
  await giveRoom(client, origin, ALL_BYTES);
  await page.goto('/');
  await page.evaluate(async (rows) => {
    await window.rlhf.ready();
    await window.rlhf.newProject({ name: 'Full', seed: 3 });
    await window.rlhf.addDemonstrations(rows);
    await window.rlhf.trainSft({ num_train_epochs: 1, held_out_ratio: 0 });
  }, ROWS);
  const copy = 'globalThis.copy ??= await rlhf.exportProject();';
  await outcome(page, copy);
  expect(await usedBytes(page)).toBeLessThan(ALL_BYTES);

  // Work by hand: it stays in line and in sight, and goes into the file.
  const big = `await rlhf.addRanking({ prompt: 'too much', completions: ['x'.repeat(2e7), 'y'], ranks: [1, 2] });`;
  const byHand = await outcome(page, big);
  expect(byHand.code).toBe('storage');
  expect(byHand.ms).toBeLessThan(5000);
  await expect(page.getByText('Not saved', { exact: true })).toBeVisible();
  await expect(page.getByText(/There is no room left to store/).first()).toBeVisible();
  const exported = await outcome(
    page,
    `const file = await rlhf.exportProject(); if (file.size < 1e4) throw new Error('empty');`,
  );
  expect(exported.code).toBe('done');

  // A checkpoint of a run, and a whole project.
  await giveRoom(client, origin, (await usedBytes(page)) + 1e6);
  const run = await outcome(page, 'await rlhf.trainSft({ num_train_epochs: 1 });');
  expect(run.code).toBe('storage');
  const imported = await outcome(page, 'await rlhf.importProject(globalThis.copy);');
  // Its tensors are here already; its records are not.
  expect(['storage', 'done']).toContain(imported.code);
  expect(imported.ms).toBeLessThan(5000);

  // Room again: what waited is stored by itself, and training works.
  await giveRoom(client, origin, null);
  await expect(page.getByText('Saved', { exact: true })).toBeVisible({ timeout: 15_000 });
  expect((await outcome(page, 'await rlhf.trainSft({ num_train_epochs: 1 });')).code).toBe('done');
  await page.reload();
  const counts = await page.evaluate(async () => ({
    rankings: (await window.rlhf.listRankings()).map(({ completions }) => completions[0]!.length),
    rows: (await window.rlhf.metrics('sft')).length,
  }));
  expect(counts.rankings).toEqual([2e7]);
  expect(counts.rows).toBeGreaterThan(0);
});

test('the storage panel says what takes how much, and old checkpoints can go', async ({ page }) => {
  await page.goto('/');
  await page.evaluate(async (rows) => {
    await window.rlhf.ready();
    await window.rlhf.newProject({ name: 'Roomy', seed: 3 });
    await window.rlhf.addDemonstrations(rows);
    for (const seed of [1, 2]) {
      await window.rlhf.trainSft({ num_train_epochs: seed, held_out_ratio: 0 });
    }
  }, ROWS);
  await page.getByRole('button', { name: /Roomy/ }).click();
  const panel = page.getByRole('region', { name: 'Storage', exact: true });
  await expect(panel.getByText(/used, .+ free/)).toBeVisible();
  await expect(panel.getByText(/The browser (keeps it|may clear it)/)).toBeVisible();
  const row = panel.getByRole('row', { name: /Roomy/ });
  const old = row.getByRole('button', { name: /Delete old ones: .+ (MB|kB)/ });
  await old.click();
  await expect(old).toHaveCount(0);
  // The model is still there.
  const answers = await page.evaluate(
    async () => (await window.rlhf.complete({ model: 'sft', prompt: 'Where is hat 1?' })).length,
  );
  expect(answers).toBe(1);
});
