import type { Page } from '@playwright/test';
import { expect, test } from './fixture';
import { openStep } from './steps';

/** Pauses with Space, steps with ".", and lets the run go on: the transport by keyboard. */
async function pauseAndStep(page: Page): Promise<void> {
  await page.locator('h2').first().click();
  await page.keyboard.press('Space');
  const transport = page.getByRole('region', { name: 'Transport' });
  const goOn = transport.getByRole('button', { name: /Continue|Resume|Play/ });
  await expect(goOn).toBeVisible();
  const rows = () => page.evaluate(() => window.rlhf.metrics('sft'));
  const paused = (await rows()).length;
  await page.waitForTimeout(1000);
  expect((await rows()).length).toBe(paused);
  await page.keyboard.press('.');
  await expect.poll(async () => (await rows()).length).toBe(paused + 1);
  // The row comes before the rest: until then Space would pause.
  await expect(goOn).toBeVisible();
  await page.keyboard.press('Space');
}

test('a person pastes half-valid demonstrations, mends and undoes, trains SFT and pauses it', async ({
  page,
}) => {
  await page.goto('/');
  await page.evaluate(() => window.rlhf.ready());
  await openStep(page, 'SFT');
  const good = Array.from(
    { length: 9 },
    (_, i) => `Prompt: Where is boat ${i}?\nResponse: It is by the pier, my friend.`,
  ).join('\n\n');
  await page.getByTestId('paste').fill(`${good}\n\nPrompt: And this one has no answer`);
  await page.getByTestId('add-demonstrations').click();
  await expect(page.getByTestId('import-report')).toContainText(/28/); // the line of the bad row
  const stored = () => page.evaluate(() => window.rlhf.listDemonstrations());
  expect(await stored()).toHaveLength(9);

  // edit, delete, undo
  await page.getByRole('textbox', { name: 'Completion 1' }).fill('It is in the shed.');
  await page.getByRole('button', { name: 'Delete 9' }).click();
  await expect.poll(async () => (await stored()).length).toBe(8);
  await page.getByRole('button', { name: /undo/i }).first().click();
  await expect.poll(async () => (await stored()).length).toBe(9);
  expect((await stored())[0]!.completion).toBe('It is in the shed.');

  // an impossible setting is refused at its field, with the range
  const epochs = page.locator('[data-setting="num_train_epochs"]');
  await epochs.getByRole('textbox').fill('0');
  await epochs.getByRole('textbox').press('Enter');
  await expect(epochs.getByRole('alert')).toContainText('from 1 to 100');
  await epochs.getByRole('textbox').fill('50');
  await epochs.getByRole('textbox').press('Enter');
  await expect(epochs.getByRole('alert')).toHaveCount(0);

  await page.getByTestId('start').click();
  await expect
    .poll(async () => (await page.evaluate(() => window.rlhf.metrics('sft'))).length)
    .toBeGreaterThan(1);
  await pauseAndStep(page);
  await expect
    .poll(async () => (await page.evaluate(() => window.rlhf.metrics('sft'))).at(-1)?.['epoch'], {
      timeout: 120_000,
    })
    .toBe(50);
});

test('a person drops two files and a piece of text on the demonstrations', async ({ page }) => {
  await page.goto('/');
  await openStep(page, 'SFT');
  const target = page.getByRole('group', { name: 'Add demonstrations' });
  const drop = async (files: Record<string, string>, text = ''): Promise<void> => {
    const dataTransfer = await page.evaluateHandle(
      ([contents, dragged]) => {
        const transfer = new DataTransfer();
        for (const [name, content] of Object.entries(contents)) {
          transfer.items.add(new File([content], name));
        }
        if (dragged !== '') transfer.setData('text/plain', dragged);
        return transfer;
      },
      [files, text] as const,
    );
    await target.dispatchEvent('dragover', { dataTransfer });
    await target.dispatchEvent('drop', { dataTransfer });
  };
  const stored = () => page.evaluate(() => window.rlhf.listDemonstrations());

  await drop({
    'good.jsonl': '{"prompt": "Who is there?", "completion": "Only the seal."}\n',
    'half.csv': 'prompt,completion\nWhere is Tom?,In the bakery.\nWhere is Ben?,\n',
  });
  const reports = page.getByTestId('import-report');
  await expect(reports).toHaveCount(2);
  await expect(reports.first()).toContainText('1 demonstration added from good.jsonl');
  await expect(reports.last()).toContainText('from half.csv');
  await expect(reports.last()).toContainText('Line 3');
  expect((await stored()).map(({ completion }) => completion)).toEqual([
    'Only the seal.',
    'In the bakery.',
  ]);

  await drop({}, 'Prompt: Is it noon?\nResponse: Not yet.');
  await expect(page.getByTestId('paste')).toHaveValue('Prompt: Is it noon?\nResponse: Not yet.');
  await page.getByTestId('add-demonstrations').click();
  await expect.poll(async () => (await stored()).length).toBe(3);
});

test('a person pretrains a model from nothing on a pasted text', async ({ page }) => {
  await page.goto('/');
  await page.evaluate(() => window.rlhf.ready());
  await openStep(page, 'Base');
  await page.getByLabel('My own text').check();
  const text = Array.from(
    { length: 60 },
    (_, i) => `The cat sat by door ${i}. The dog sat by the sea. It was a fine day in Saltby.`,
  ).join('\n\n');
  await page.getByLabel('Text to pretrain on').fill(text);
  const steps = page.locator('[data-setting="max_steps"]').getByRole('textbox');
  await steps.fill('6');
  await steps.press('Enter');
  await page.getByTestId('start').click();
  await expect(page.getByRole('navigation', { name: 'Steps' })).toContainText(/your own · loss/, {
    timeout: 120_000,
  });
  const [written] = await page.evaluate(() =>
    window.rlhf.complete({
      model: 'base',
      prompt: 'The cat',
      n: 1,
      maxNewTokens: 8,
      temperature: 1,
      seed: 1,
    }),
  );
  expect(Math.min(...written!.logprobs)).toBeLessThan(0);
});
