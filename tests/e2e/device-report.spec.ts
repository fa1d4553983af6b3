/** The Device report: what runs the models here, why, and as text for a bug report. */
import type { Page } from '@playwright/test';
import axe from 'axe-core';
import { expect, test } from './fixture';

test.use({ permissions: ['clipboard-read', 'clipboard-write'] });

const FAMILIES = [
  'Matrix products',
  'RMSNorm',
  'Attention',
  'Attention while writing',
  'Token probabilities',
  'Sampling',
] as const;

async function openReport(page: Page) {
  await page.goto('/');
  await page.evaluate(() => window.rlhf.ready());
  await page.getByRole('button', { name: 'Device report:' }).click();
  const dialog = page.getByRole('dialog', { name: 'Device report' });
  await expect(dialog.getByRole('heading', { name: 'Kernels' })).toBeVisible();
  return dialog;
}

async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  return page.evaluate(async () => {
    const found = await (
      window as unknown as { axe: { run(): Promise<axe.AxeResults> } }
    ).axe.run();
    return found.violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html.slice(0, 160)}`);
  });
}

test('it tells what was chosen and why, measures, and is copied as text', async ({ page }) => {
  const dialog = await openReport(page);
  for (const family of FAMILIES) await expect(dialog.getByText(family).first()).toBeVisible();
  await expect(dialog.getByText('chosen', { exact: true })).toHaveCount(0); // always with its tick
  await expect(dialog.getByText('✓ chosen')).toHaveCount(FAMILIES.length);
  await expect(dialog.getByText('a program that plays a graphics card')).toBeVisible();
  await expect(dialog.getByText('maxBufferSize')).toBeVisible();
  await expect(dialog.getByText(/tokens\/s/)).toHaveCount(0);

  await dialog.getByRole('button', { name: 'Measure this device' }).click();
  await expect(dialog.getByText(/^[\d,.]+ tokens\/s$/)).toBeVisible({ timeout: 120_000 });
  await expect(dialog.getByText(/^[\d,.]+ GFLOP\/s$/)).toBeVisible();

  await dialog.getByRole('button', { name: 'Copy as text' }).click();
  await expect(dialog.getByText('Copied.')).toBeVisible();
  const text = await page.evaluate(() => navigator.clipboard.readText());
  expect(text).toMatch(/^RLHF Playground, device report\nbackend: WebGPU, adapter: /);
  expect(text).toMatch(/linear: registers[\s\S]*tokens\/s[\s\S]*maxBufferSize: /);
  const report = await page.evaluate(() => window.rlhf.deviceReport({ measure: false }));
  expect(text).toContain(report.adapter);
  expect(report.speed!.tokensPerSecond).toBeGreaterThan(0);
});

test('the choice is remembered over a reload', async ({ page }) => {
  const dialog = await openReport(page);
  await expect(dialog.getByText(/Checked in/)).toBeVisible();
  const before = await page.evaluate(() => window.rlhf.deviceReport({ measure: false }));
  await page.keyboard.press('Escape');
  await expect(dialog).toBeHidden();

  const again = await openReport(page);
  await expect(again.getByText(/today’s start found them correct/)).toBeVisible();
  const after = await page.evaluate(() => window.rlhf.deviceReport({ measure: false }));
  expect(after.remembered).toBe(true);
  expect(after.verdict).toEqual(before.verdict);
});

test('it fits a phone and is free of axe violations, in light and dark', async ({ page }) => {
  await page.setViewportSize({ width: 360, height: 740 });
  const dialog = await openReport(page);
  for (const theme of ['light', 'dark']) {
    await page.evaluate((name) => (document.documentElement.dataset['theme'] = name), theme);
    await page.waitForTimeout(300);
    expect(await violations(page), theme).toEqual([]);
    const overflow = await dialog.evaluate((element) => element.scrollWidth - element.clientWidth);
    expect(overflow, theme).toBeLessThanOrEqual(0);
  }
});
