import { expect, test, type Locator, type Page } from '@playwright/test';
import type { Ranking } from '../../src/core/domain';

const PROMPTS = [
  'Where is the soup pot?',
  'Good morning!',
  'I need the tin bucket.',
  'Who rings the bell?',
];

const demonstrations = PROMPTS.map(
  (prompt, i) => `Prompt: ${prompt}\nResponse: It is by the well, my friend ${i}.`,
).join('\n\n');

/** The card with this letter; its letter stays with it wherever it moves. */
const card = (page: Page, letter: string): Locator =>
  page.getByRole('button', { name: new RegExp(`, completion ${letter}[,:]`) });

const rankings = (page: Page): Promise<Ranking[]> =>
  page.evaluate(() => window.rlhf.listRankings());

/** Ranks in the order in which the cards were shown: A, B, C, D. */
const byLetter = (ranking: Ranking | undefined): (number | undefined)[] | undefined =>
  ranking?.order.map((completion) => ranking.ranks[completion]);

/** A project with four sets of four completions, open at the board. */
async function openBoard(page: Page): Promise<void> {
  await page.goto('/');
  await page.waitForFunction(() => 'rlhf' in window);
  await page.evaluate(async (text) => {
    const { rlhf } = window;
    await rlhf.ready();
    await rlhf.newProject({ name: 'Ranking', base: 'nano', seed: 1 });
    await rlhf.addDemonstrations(text);
    await rlhf.trainSft({ num_train_epochs: 1 });
  }, demonstrations);
  await page.getByRole('navigation', { name: 'Steps' }).getByText('Rankings').click();
  await page.getByLabel('One prompt per line').fill(PROMPTS.join('\n'));
  await page.getByRole('button', { name: 'Add prompts' }).click();
  await page.getByLabel('Longest completion', { exact: true }).fill('8');
  await page.getByLabel('Longest completion', { exact: true }).press('Enter');
  await page.getByRole('button', { name: 'Write completions' }).click();
  await expect(card(page, 'D')).toBeVisible({ timeout: 120_000 });
}

/** Drags a card by its rank number to a share of another card's height: 0 its top, 1 its bottom. */
async function drag(page: Page, from: Locator, to: Locator, share: number): Promise<void> {
  const start = await from.boundingBox();
  // The whole card: pills stand below the button.
  const end = await to.locator('..').boundingBox();
  if (!start || !end) throw new Error('A card is not on the page.');
  await page.mouse.move(start.x + 20, start.y + 20);
  await page.mouse.down();
  await page.mouse.move(start.x + 20, start.y + 30, { steps: 3 });
  await page.mouse.move(start.x + 20, end.y + end.height * share, { steps: 5 });
  await page.mouse.up();
  // Cards glide to their new places; the next drag needs them at rest.
  await page.waitForTimeout(250);
}

test('a person ranks by keyboard, by pointer and by tap; the order is blind and stored', async ({
  page,
}) => {
  await openBoard(page);
  const spoken = page.getByTestId('announcement');

  // Keyboard: digits place the focused card and the focus goes on to the next one without a rank.
  await card(page, 'A').focus();
  await page.keyboard.press('3');
  await expect(card(page, 'B')).toBeFocused();
  await page.keyboard.press('1');
  await expect(card(page, 'C')).toBeFocused();
  // The card above C is A, at rank 3.
  await page.keyboard.press('=');
  await expect(card(page, 'D')).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(spoken).toContainText('1 of 4 completions has no rank yet');
  expect(await rankings(page)).toHaveLength(0);
  await page.keyboard.press('2');
  await page.keyboard.press('Alt+ArrowUp');
  await expect(card(page, 'D')).toHaveAccessibleName(/^Rank 1/);
  await page.keyboard.press('z');
  await expect(card(page, 'D')).toHaveAccessibleName(/^Rank 2/);
  await page.keyboard.press('Enter');
  await expect(spoken).toContainText('Ranking stored. 3 sets left.');
  await expect(card(page, 'A')).toBeFocused();
  const [first] = await rankings(page);
  expect(byLetter(first)).toEqual([3, 1, 3, 2]);
  expect(first).toMatchObject({ prompt: PROMPTS[0], outcome: 'ranked', simulated: false });
  expect([...(first?.order ?? [])].sort()).toEqual([0, 1, 2, 3]);

  // Pointer: above, below, and onto a card for a tie.
  await drag(page, card(page, 'C'), card(page, 'A'), 0.1);
  await expect(card(page, 'C')).toHaveAccessibleName(/^Rank 1/);
  await drag(page, card(page, 'A'), card(page, 'C'), 0.9);
  await expect(card(page, 'A')).toHaveAccessibleName(/^Rank 2/);
  await drag(page, card(page, 'D'), card(page, 'A'), 0.5);
  await expect(card(page, 'D')).toHaveAccessibleName(/^Tied at rank 2/);
  await drag(page, card(page, 'B'), card(page, 'C'), 0.1);
  await page.getByRole('button', { name: /^Submit/ }).click();
  await expect(spoken).toContainText('2 sets left');
  expect(byLetter((await rankings(page))[1])).toEqual([3, 1, 2, 3]);

  // All bad, undo, and taps on a phone with a flag.
  await page.keyboard.press('x');
  await expect(spoken).toContainText('1 set left');
  expect((await rankings(page))[2]).toMatchObject({ outcome: 'all-bad', ranks: [] });
  await page.keyboard.press('z');
  await expect(spoken).toContainText('2 sets left');
  expect(await rankings(page)).toHaveLength(2);
  await page.setViewportSize({ width: 360, height: 760 });
  for (const letter of ['D', 'B', 'A', 'C']) await card(page, letter).click();
  await page.locator('summary[aria-label="Flag harm in completion C"]').click();
  await page.locator('details[open]').getByLabel('Insult').check();
  await page.getByRole('button', { name: /^Submit/ }).click();
  await expect(spoken).toContainText('1 set left');
  const third = (await rankings(page))[2];
  expect(byLetter(third)).toEqual([3, 2, 4, 1]);
  expect(third?.flags[third.order[2] ?? -1]).toEqual(['insult']);

  // Skipping the last one leaves the focus somewhere useful.
  await page.keyboard.press('s');
  await expect(page.getByRole('region', { name: 'All ranked' })).toBeFocused();
  await expect(page.getByTestId('ranking-counts')).toContainText(/· 0 simulated/);
});
