import type { Page } from '@playwright/test';
import { expect, test } from './fixture';

// A worker that is kept for offline use would come without what is put before it here.
test.use({ serviceWorkers: 'block' });

/** Gives the training worker a way to take its GPU device away from outside. */
async function withFragileDevice(page: Page): Promise<() => Promise<void>> {
  await page.route('**/train.worker-*.js', async (route) => {
    const response = await route.fetch();
    const before = `
      const { prototype } = GPUAdapter;
      const requestDevice = prototype.requestDevice;
      prototype.requestDevice = async function (descriptor) {
        const device = await requestDevice.call(this, descriptor);
        new BroadcastChannel('lose-device').onmessage = () => device.destroy();
        return device;
      };`;
    await route.fulfill({ response, body: before + (await response.text()) });
  });
  return () =>
    page.evaluate(() => {
      const channel = new BroadcastChannel('lose-device');
      channel.postMessage(null);
      channel.close();
    });
}

const TOTAL_STEPS = 60;

const steps = (page: Page): Promise<number[]> =>
  page.evaluate(async () => (await window.rlhf.metrics('sft')).map(({ step }) => step!));

test('a lost GPU is started anew once by itself, then by question, and the run loses nothing', async ({
  page,
}) => {
  const lose = await withFragileDevice(page);
  await page.goto('./');
  await page.evaluate(async () => {
    await window.rlhf.ready();
    await window.rlhf.newProject({ name: 'Fragile', seed: 2 });
    const rows = Array.from({ length: 24 }, (_, i) => ({
      prompt: `Where is hat ${i}?`,
      completion: `Hat ${i} is on the hill with Rosa and the goat.`,
    }));
    await window.rlhf.addDemonstrations(rows.map((row) => JSON.stringify(row)).join('\n'));
    void window.rlhf.trainSft({ num_train_epochs: 20, held_out_ratio: 0 }).catch(() => {});
  });

  await expect.poll(async () => (await steps(page)).length, { timeout: 60_000 }).toBeGreaterThan(3);
  await lose();
  await expect(page.getByText(/The GPU was lost and is being started anew/)).toBeVisible();
  const atLoss = (await steps(page)).length;
  await expect
    .poll(async () => (await steps(page)).length, { timeout: 60_000 })
    .toBeGreaterThan(atLoss + 2);

  await lose();
  const again = page.getByRole('button', { name: 'Start it again' });
  await expect(again).toBeVisible({ timeout: 20_000 });
  // it asks, and does nothing until it is answered
  await page.waitForTimeout(3000);
  await expect(again).toBeVisible();
  await again.click();
  await expect(again).toHaveCount(0);

  // 24 demonstrations in batches of 8, 20 times
  await expect.poll(async () => (await steps(page)).length, { timeout: 120_000 }).toBe(TOTAL_STEPS);
  const all = await steps(page);
  expect(all).toEqual(all.map((_, i) => i + 1));
});
