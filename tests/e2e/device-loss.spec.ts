import type { Page } from '@playwright/test';
import { expect, test } from './fixture';
import { keepCounts, soakPlan } from '../soak';
import { amount } from '../soak-plan';
import { openStep } from './steps';

// A worker that is kept for offline use would come without what is put before it here.
test.use({ serviceWorkers: 'block' });

/**
 * Gives the training worker a way to take its GPU device away from outside.
 * @param returns false: no worker after the first has a device that lasts
 */
async function withFragileDevice(
  page: Page,
  { returns = true } = {},
): Promise<() => Promise<void>> {
  let workers = 0;
  await page.route('**/train.worker-*.js', async (route) => {
    const response = await route.fetch();
    const doomed = !returns && workers++ > 0;
    const before = `
      const { prototype } = GPUAdapter;
      const requestDevice = prototype.requestDevice;
      prototype.requestDevice = async function (descriptor) {
        const device = await requestDevice.call(this, descriptor);
        new BroadcastChannel('lose-device').onmessage = () => device.destroy();
        if (${doomed}) setTimeout(() => device.destroy(), 1000);
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

/** 24 demonstrations in batches of 8, 100 times. */
const TOTAL_STEPS = 300;
const LOSSES = amount(soakPlan(), { few: 2, full: 50 });
/** From the loss to the first new step. */
const PROMISED_MS = 10_000;

const steps = (page: Page): Promise<number[]> =>
  page.evaluate(async () => (await window.rlhf.metrics('sft')).map(({ step }) => step!));

/** Starts a run of 300 steps and waits until it is well under way. */
async function training(page: Page): Promise<void> {
  await page.goto('./');
  await page.evaluate(async () => {
    await window.rlhf.ready();
    await window.rlhf.newProject({ name: 'Fragile', seed: 2 });
    const rows = Array.from({ length: 24 }, (_, i) => ({
      prompt: `Where is hat ${i}?`,
      completion: `Hat ${i} is on the hill with Rosa and the goat.`,
    }));
    await window.rlhf.addDemonstrations(rows.map((row) => JSON.stringify(row)).join('\n'));
    void window.rlhf.trainSft({ num_train_epochs: 100, held_out_ratio: 0 }).catch(() => {});
  });
  await expect.poll(async () => (await steps(page)).length, { timeout: 60_000 }).toBeGreaterThan(3);
  await openStep(page, 'SFT');
}

test('a lost GPU is started anew once by itself, then by question, and the run loses nothing', async ({
  page,
}) => {
  test.setTimeout(120_000 + LOSSES * 30_000);
  const lose = await withFragileDevice(page);
  await training(page);
  const again = page.getByRole('button', { name: 'Start it again' });
  const took: number[] = [];
  for (let i = 0; i < LOSSES; i++) {
    const cutsBefore = await page.getByText(/The GPU was lost after step/).count();
    expect(cutsBefore).toBe(i);
    let begun = Date.now();
    await lose();
    let stopped: number;
    if (i === 0) {
      await expect(page.getByText(/The GPU was lost and is being started anew/)).toBeVisible();
      stopped = (await steps(page)).length;
    } else {
      await expect(again).toBeVisible({ timeout: 20_000 });
      // it asks, and does nothing until it is answered
      if (i === 1) await page.waitForTimeout(3000);
      await expect(again).toBeVisible();
      stopped = (await steps(page)).length;
      begun = Date.now();
      await again.click();
    }
    // With the first new step the rows after the checkpoint go, which are going to be made again.
    await expect
      .poll(async () => (await steps(page)).length, { timeout: 60_000, intervals: [100] })
      .not.toBe(stopped);
    took.push(Date.now() - begun);
    // The chart says where the run was cut off.
    await expect(page.getByText(/The GPU was lost after step/)).toHaveCount(i + 1, {
      timeout: 60_000,
    });
    const within = took.filter((ms) => ms < PROMISED_MS).length;
    const slowestMs = Math.max(...took);
    keepCounts('device-losses', { losses: i + 1, resumed: i + 1, within10s: within, slowestMs });
  }
  await expect(again).toHaveCount(0);

  await page.evaluate(() => window.rlhf.pause());
  const whole = await steps(page);
  expect(whole.length).toBeLessThanOrEqual(TOTAL_STEPS);
  expect(whole).toEqual(whole.map((_, i) => i + 1));
});

test('a GPU that does not come back: the same watch sees no further step', async ({ page }) => {
  const lose = await withFragileDevice(page, { returns: false });
  await training(page);
  await lose();
  const again = page.getByRole('button', { name: 'Start it again' });
  await expect(again).toBeVisible({ timeout: 30_000 });
  const before = await steps(page);
  await again.click();
  await page.waitForTimeout(PROMISED_MS);
  expect(await steps(page)).toEqual(before);
});
