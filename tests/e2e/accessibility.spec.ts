import axe from 'axe-core';
import { expect, test } from './fixture';
import { openStep, STEPS } from './steps';

test('every stage is free of axe violations, in light and dark', async ({ page }) => {
  await page.goto('/');
  await page.evaluate(() => window.rlhf.ready());
  await page.evaluate(() =>
    window.rlhf.addDemonstrations('Prompt: Who has the rope?\nResponse: Tom has it.'),
  );
  await page.evaluate(axe.source);
  for (const theme of ['light', 'dark']) {
    await page.evaluate((name) => (document.documentElement.dataset['theme'] = name), theme);
    for (const step of STEPS) {
      await openStep(page, step);
      await page.waitForTimeout(300);
      const found = await page.evaluate(async () => {
        const { violations, passes } = await (
          window as unknown as { axe: { run(): Promise<axe.AxeResults> } }
        ).axe.run();
        return {
          violations: violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html.slice(0, 160)}`),
          checked: passes.length,
        };
      });
      expect(found.violations, `${step}, ${theme}`).toEqual([]);
      expect(found.checked).toBeGreaterThan(20);
    }
  }
});
