import { mkdirSync } from 'node:fs';
import type { Page } from '@playwright/test';
import { expect, test } from './fixture';
import { openStep, STEPS } from './steps';

/** With SCREENSHOTS=folder every stage is photographed: light and dark, 1440 and 360 px wide. */
const album = process.env['SCREENSHOTS'];
async function photograph(page: Page): Promise<void> {
  if (album === undefined) return;
  mkdirSync(album, { recursive: true });
  await page.getByRole('region', { name: 'Demo' }).getByRole('button', { name: 'Close' }).click();
  await openStep(page, 'Compare');
  await page.getByRole('button', { name: 'Where does the goat live?' }).click();
  await expect(page.getByRole('article').first()).toBeVisible({ timeout: 30_000 });
  for (const theme of ['light', 'dark']) {
    await page.evaluate((name) => (document.documentElement.dataset['theme'] = name), theme);
    for (const width of [1440, 360]) {
      await page.setViewportSize({ width, height: width === 360 ? 780 : 900 });
      for (const step of STEPS) {
        await openStep(page, step);
        await page.waitForTimeout(300);
        const name = step.toLowerCase().replaceAll(' ', '-');
        await page.screenshot({ path: `${album}/${name}-${theme}-${width}.png` });
      }
    }
  }
}

/** What the PPO stage tells of the run that the demo made. */
async function readPpo(page: Page): Promise<void> {
  await openStep(page, 'PPO');
  await expect(page.getByText('Nothing wrong that these checks can see.')).toBeVisible();

  // the receipt of a token, by mouse and then by keys
  const tokens = page.getByRole('article').first().locator('.text').getByRole('button');
  await tokens.nth(1).click();
  const receipt = page.getByRole('region', { name: 'Token receipt' });
  await expect(receipt.getByRole('row')).toHaveCount((await tokens.count()) + 2);
  await expect(receipt.locator('[aria-current]').getByRole('rowheader')).toHaveText(
    await tokens.nth(1).innerText(),
    { useInnerText: true },
  );
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('Enter');
  await expect(tokens.nth(2)).toHaveAttribute('aria-pressed', 'true');
  await expect(tokens.nth(1)).toHaveAttribute('aria-pressed', 'false');

  // the lesson runs, and stops when its dialog is closed
  await page.getByRole('button', { name: 'How good can it get?' }).click();
  const lesson = page.getByRole('dialog', { name: /how good can it get/i });
  await lesson.getByRole('button', { name: 'Run PPO' }).click();
  await expect(lesson.getByRole('status')).toContainText(/iteration [3-9] of 30/, {
    timeout: 60_000,
  });
  await expect(lesson.getByRole('img')).toHaveAccessibleName(/The optimum has reward/);
  await lesson.getByRole('button', { name: 'Close' }).click();
  await page.getByRole('button', { name: 'How good can it get?' }).click();
  await expect(lesson.getByRole('button', { name: 'Run PPO' })).toBeVisible();
  await page.keyboard.press('Escape');
}

test('"Run the demo" runs the whole loop within 4 minutes and the page never blocks', async ({
  page,
}) => {
  await page.addInitScript(() => {
    const long: number[] = [];
    Object.assign(window, { longTasks: long });
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) long.push(Math.round(entry.duration));
    }).observe({ type: 'longtask', buffered: true });
  });
  await page.goto('/');
  await page.evaluate(() => window.rlhf.ready());
  // what opening the page costs is not what this test is about
  await page.evaluate(() => {
    (window as unknown as { longTasks: number[] }).longTasks.length = 0;
  });

  const start = Date.now();
  await page.getByRole('button', { name: 'Run the demo' }).first().click();
  const narration = page.getByRole('region', { name: 'Demo' });
  await expect(narration).toContainText(/simulated labeler/i, { timeout: 120_000 });
  // the last thing it says: what the three models answer, and how far the reward went
  await expect(narration).toContainText(/Mean reward of PPO went/, { timeout: 240_000 });
  const seconds = (Date.now() - start) / 1000;
  console.log(`demo: ${seconds.toFixed(0)} s`);
  expect(seconds).toBeLessThan(240);

  const rows = await page.evaluate(() => window.rlhf.metrics('ppo'));
  const mean = (part: typeof rows) =>
    part.reduce((sum, row) => sum + row['objective/scores']!, 0) / part.length;
  expect(mean(rows.slice(-3))).toBeGreaterThan(mean(rows.slice(0, 3)));
  expect(rows[0]!['objective/kl']).toBeCloseTo(0, 4);

  const longTasks = () =>
    page.evaluate(() => (window as unknown as { longTasks: number[] }).longTasks.slice());
  const long = await longTasks();
  console.log(`long tasks over 50 ms: ${JSON.stringify(long)}`);
  // The goal is none over 50 ms. A software adapter computes on the cores that the page needs, so what
  // is asserted here is that the page stays usable; docs/benchmarks.md has the measured numbers.
  expect(Math.max(0, ...long)).toBeLessThan(150);
  // the observer is there: a task made long on purpose is seen
  await page.evaluate(() =>
    setTimeout(() => {
      const until = performance.now() + 150;
      while (performance.now() < until);
    }),
  );
  await expect.poll(async () => Math.max(0, ...(await longTasks()))).toBeGreaterThanOrEqual(150);
  await photograph(page);
  await readPpo(page);
});
