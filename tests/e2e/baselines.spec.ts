import axe from 'axe-core';
import type { Page } from '@playwright/test';
import { expect, test } from './fixture';
import { openStep } from './steps';

const DEMONSTRATIONS = Array.from(
  { length: 8 },
  (_, i) => `Prompt: Where is the boat ${i}?\nResponse: The boat is by the pier, my friend.`,
).join('\n\n');
const NS = [1, 2, 4, 8, 16];

/** A project that has everything that PPO starts on, and a short PPO run. */
async function prepare(page: Page): Promise<void> {
  await page.goto('/');
  await page.evaluate(async (text) => {
    const { rlhf } = window;
    await rlhf.ready();
    await rlhf.newProject({ name: 'Baselines', base: 'nano', seed: 7 });
    await rlhf.addDemonstrations(text);
    await rlhf.trainSft({ num_train_epochs: 1 });
    for (let i = 0; i < 6; i++) {
      await rlhf.addRanking({
        prompt: `Who has the rope ${i}?`,
        completions: ['Thank you for asking. Tom has it.', 'Go away.', 'No.', 'It is in the shed.'],
        ranks: [1, 4, 3, 2],
        labeler: 'me',
      });
    }
    await rlhf.trainReward({});
    await rlhf.trainPpo({ num_iterations: 2, rollout_batch_size: 4, response_length: 8 });
  }, DEMONSTRATIONS);
}

const axeViolations = async (page: Page): Promise<string[]> => {
  await page.evaluate(axe.source);
  return page.evaluate(async () => {
    const { axe } = window as unknown as { axe: { run(): Promise<axe.AxeResults> } };
    const { violations } = await axe.run();
    return violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html.slice(0, 160)}`);
  });
};

test('best-of-n and DPO stand beside PPO, stay, and are out of date when a ranking comes', async ({
  page,
}) => {
  await prepare(page);
  await openStep(page, 'PPO');
  const bestOfN = page.getByRole('region', { name: 'Best-of-n' });
  const dpo = page.getByRole('region', { name: /^DPO/ });
  const chart = page.getByRole('img', { name: /reward .* at KL/ });
  await expect(chart).toHaveCount(0);

  // best-of-n, by keys
  await bestOfN.getByRole('button', { name: 'Measure' }).focus();
  await page.keyboard.press('Enter');
  await expect(bestOfN.getByRole('status')).toContainText(/The best of 16 scores/, {
    timeout: 60_000,
  });
  await expect(chart).toHaveAccessibleName(/Best of 16: reward \S+ at KL 1\.84/);

  // DPO runs in the page's transport: it pauses, steps, and ends
  await dpo.getByText('DPO settings').click();
  await dpo.getByLabel('Epochs', { exact: true }).last().fill('6');
  await dpo.getByRole('button', { name: 'Train DPO' }).click();
  const transport = page.getByRole('region', { name: 'Transport' });
  await transport.getByRole('button', { name: /Pause/ }).click();
  await expect(transport.getByRole('progressbar', { name: 'DPO' })).toBeVisible();
  await transport.getByRole('button', { name: /Continue/ }).click();
  await expect(dpo).toContainText(/done, step 12 of 12/, { timeout: 60_000 });
  await expect(chart).toHaveAccessibleName(/DPO at its last measurement: reward \S+ at KL/);

  // the chart as a table: every n, every measured step, both PPO iterations
  await page.getByText(/^Table \(11 rows\)/).click();
  const table = page.getByRole('region', { name: 'Reward and KL as a table' });
  const names = await table.getByRole('rowheader').allInnerTexts();
  expect(names).toEqual([
    ...NS.map((n) => `best of ${n}`),
    ...[1, 5, 10, 12].map((step) => `DPO, step ${step}`),
    ...[1, 2].map((iteration) => `PPO, iteration ${iteration}`),
  ]);
  for (const theme of ['light', 'dark']) {
    await page.evaluate((name) => (document.documentElement.dataset['theme'] = name), theme);
    expect(await axeViolations(page), theme).toEqual([]);
  }

  // the same to a script; drawing again gives the same numbers
  const told = await page.evaluate(async () => ({
    rows: await window.rlhf.metrics('dpo'),
    again: await window.rlhf.bestOfN(),
    answers: await window.rlhf.complete({ model: 'dpo', prompt: 'Who has the rope 0?' }),
    zip: (await window.rlhf.exportHuggingFace('dpo')).size,
  }));
  expect(told.rows).toHaveLength(12);
  expect(told.rows[0]!['loss']).toBeCloseTo(Math.LN2, 3);
  expect(told.answers).toHaveLength(1);
  expect(told.zip).toBeGreaterThan(100_000);
  expect(told.again.points.map(({ n }) => n)).toEqual(NS);
  const rewards = told.again.points.map(({ reward }) => reward);
  expect(rewards).toEqual([...rewards].sort((a, b) => a - b));
  const shown = await table.getByRole('row').nth(5).getByRole('cell').last().innerText();
  expect(Number(shown.replace('−', '-'))).toBeCloseTo(rewards[4]!, 1);

  // after a reload all of it is there, in Compare too
  await page.reload();
  await expect(chart).toHaveAccessibleName(/Best of 16: .*DPO at .*PPO in/);
  await openStep(page, 'Compare');
  await page.getByRole('textbox', { name: 'Prompt' }).fill('Who has the rope 0?');
  await page.getByRole('button', { name: 'Compare', exact: true }).click();
  await expect(page.getByRole('article', { name: 'DPO' })).toBeVisible({ timeout: 30_000 });

  // other rankings: DPO learnt from the old ones, and so did the reward model that best-of-n asked
  await page.evaluate(() =>
    window.rlhf.addRanking({ prompt: 'Who is Sam?', completions: ['Sam.', 'No.'], ranks: [1, 2] }),
  );
  await openStep(page, 'PPO');
  await expect(dpo.getByRole('note')).toContainText(/rankings have changed since this run/);
  await expect(bestOfN.getByRole('note')).toContainText(/the reward model it stands on is/);
});
