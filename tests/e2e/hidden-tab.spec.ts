import type { Page } from '@playwright/test';
import { expect, test } from './fixture';

const HIDDEN_MS = 4000;

/**
 * Treats the page as browsers treat a hidden tab: no frames, timers once a second. A headless browser
 * hides none, so that it is done from inside; a worker is not slowed down in either.
 */
function hideable(): void {
  let hidden = false;
  const waiting: (() => void)[] = [];
  const frame = window.requestAnimationFrame.bind(window);
  const timer = window.setTimeout.bind(window);
  Object.defineProperty(document, 'visibilityState', {
    get: () => (hidden ? 'hidden' : 'visible'),
  });
  Object.defineProperty(document, 'hidden', { get: () => hidden });
  window.requestAnimationFrame = (callback) =>
    hidden ? waiting.push(() => frame(callback)) : frame(callback);
  window.setTimeout = ((callback: () => void, ms = 0) =>
    timer(callback, hidden ? Math.max(1000, ms) : ms)) as typeof setTimeout;
  const hide = (value: boolean): void => {
    hidden = value;
    document.dispatchEvent(new Event('visibilitychange'));
    if (!hidden) for (const go of waiting.splice(0)) go();
  };
  Object.assign(window, { hide });
}

const hide = (page: Page, value: boolean): Promise<void> =>
  page.evaluate((hidden) => (Reflect.get(window, 'hide') as (x: boolean) => void)(hidden), value);

/** The numbers of a run that do not tell time. */
const numbers = (page: Page) =>
  page.evaluate(async () =>
    (await window.rlhf.metrics('sft')).map(({ step, loss, grad_norm }) => [step, loss, grad_norm]),
  );

test('a tab that is hidden in mid-training goes on, and its numbers are the same', async ({
  page,
}) => {
  await page.addInitScript(hideable);
  await page.goto('./');
  await page.evaluate(async () => {
    await window.rlhf.ready();
    await window.rlhf.newProject({ name: 'Hidden', seed: 4 });
    const rows = Array.from({ length: 16 }, (_, i) => ({
      prompt: `Where is boat ${i}?`,
      completion: `Boat ${i} is at the pier with Tom.`,
    }));
    await window.rlhf.addDemonstrations(rows.map((row) => JSON.stringify(row)).join('\n'));
  });
  const train = (): Promise<unknown> =>
    page.evaluate(() =>
      window.rlhf.trainSft({ num_train_epochs: 12, per_device_train_batch_size: 4 }),
    );
  await train();
  const expected = await numbers(page);
  expect(expected.length).toBeGreaterThan(20);

  const again = train();
  await expect.poll(async () => (await numbers(page)).length).toBeLessThan(expected.length);
  await hide(page, true);
  const before = (await numbers(page)).length;
  await page.waitForTimeout(HIDDEN_MS);
  expect((await numbers(page)).length).toBeGreaterThan(before);
  await hide(page, false);
  await again;
  expect(await numbers(page)).toEqual(expected);
});
