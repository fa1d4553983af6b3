import type { Locator, Page } from '@playwright/test';
import axe from 'axe-core';
import { expect, scriptReady, test } from './fixture';
import { byLetter, card, openBoardWith, rankings, someSets } from './ranking-board';

const INSULT = ['It is by the well.', 'Go away, you silly turnip.', 'In the shed.', 'Who knows?'];

const spoken = (page: Page): Locator => page.getByTestId('announcement');
const queue = (page: Page, name: string): Locator =>
  page.getByRole('navigation', { name: 'Queues' }).getByRole('button', { name });
const labelerBar = (page: Page): Locator => page.getByRole('region', { name: 'Who is ranking' });
const button = (page: Page, name: RegExp | string): Locator => page.getByRole('button', { name });

async function press(page: Page, ...keys: string[]): Promise<void> {
  for (const key of keys) await page.keyboard.press(key);
}

/** Drags a card by its rank number to a share of another card's height: 0 its top, 1 its bottom. */
async function drag(page: Page, from: Locator, to: Locator, share: number): Promise<void> {
  const start = await from.boundingBox();
  // The whole card: notes stand below the button.
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

test('a person ranks what the SFT model wrote, by keyboard, by pointer and by tap', async ({
  page,
}) => {
  const prompts = ['Where is the soup pot?', 'Good morning!', 'I need a bucket.', 'Who rings?'];
  await page.goto('/');
  await scriptReady(page);
  await page.evaluate(
    async (text) => {
      const { rlhf } = window;
      await rlhf.ready();
      await rlhf.newProject({ name: 'Ranking', base: 'nano', seed: 1 });
      await rlhf.addDemonstrations(text);
      await rlhf.trainSft({ num_train_epochs: 1 });
    },
    prompts.map((prompt, i) => `Prompt: ${prompt}\nResponse: By the well ${i}.`).join('\n\n'),
  );
  await page.getByRole('navigation', { name: 'Steps' }).getByText('Rankings').click();
  await page.getByLabel('One prompt per line').fill(prompts.join('\n'));
  await page.getByRole('button', { name: 'Add prompts' }).click();
  await page.getByLabel('Longest completion', { exact: true }).fill('8');
  await page.getByLabel('Longest completion', { exact: true }).press('Enter');
  await page.getByRole('button', { name: 'Write completions' }).click();
  await expect(card(page, 'D')).toBeVisible({ timeout: 120_000 });

  // Keyboard: digits place the focused card and the focus goes on to the next one without a rank.
  await card(page, 'A').focus();
  await press(page, '3');
  await expect(card(page, 'B')).toBeFocused();
  await press(page, '1');
  await expect(card(page, 'C')).toBeFocused();
  // The card above C is A, at rank 3.
  await press(page, '=');
  await expect(card(page, 'D')).toBeFocused();
  await press(page, 'Enter');
  await expect(spoken(page)).toContainText('1 of 4 completions has no rank yet');
  expect(await rankings(page)).toHaveLength(0);
  await press(page, '2', 'Alt+ArrowUp');
  await expect(card(page, 'D')).toHaveAccessibleName(/^Rank 1/);
  await press(page, 'z');
  await expect(card(page, 'D')).toHaveAccessibleName(/^Rank 2/);
  await press(page, 'Enter');
  await expect(spoken(page)).toContainText('Ranking stored. 3 sets left.');
  await expect(card(page, 'A')).toBeFocused();
  const [first] = await rankings(page);
  expect(byLetter(first)).toEqual([3, 1, 3, 2]);
  expect(first).toMatchObject({
    prompt: prompts[0],
    outcome: 'ranked',
    simulated: false,
    guideline: 1,
    mode: 'list',
  });
  expect([...(first?.order ?? [])].sort()).toEqual([0, 1, 2, 3]);
  expect(first?.ms).toBeGreaterThan(0);

  // Pointer: above, below, and onto a card for a tie. High enough that no drag scrolls the page.
  await page.setViewportSize({ width: 1280, height: 1000 });
  await drag(page, card(page, 'C'), card(page, 'A'), 0.1);
  await expect(card(page, 'C')).toHaveAccessibleName(/^Rank 1/);
  await drag(page, card(page, 'A'), card(page, 'C'), 0.9);
  await expect(card(page, 'A')).toHaveAccessibleName(/^Rank 2/);
  await drag(page, card(page, 'D'), card(page, 'A'), 0.5);
  await expect(card(page, 'D')).toHaveAccessibleName(/^Tied at rank 2/);
  await drag(page, card(page, 'B'), card(page, 'C'), 0.1);
  await button(page, /^Submit Enter/).click();
  await expect(spoken(page)).toContainText('2 sets left');
  expect(byLetter((await rankings(page))[1])).toEqual([3, 1, 2, 3]);

  // All bad, undo, and taps on a phone with a flag.
  await press(page, 'x');
  await expect(spoken(page)).toContainText('1 set left');
  expect((await rankings(page))[2]).toMatchObject({ outcome: 'all-bad', ranks: [] });
  await press(page, 'z');
  await expect(spoken(page)).toContainText('2 sets left');
  expect(await rankings(page)).toHaveLength(2);
  await page.setViewportSize({ width: 360, height: 760 });
  for (const letter of ['D', 'B', 'A', 'C']) await card(page, letter).click();
  await page.locator('summary[aria-label="Flag harm in completion C"]').click();
  await page.locator('details[open]').getByLabel('Insult').check();
  await button(page, /^Submit$/).click();
  await expect(spoken(page)).toContainText('1 set left');
  const third = (await rankings(page))[2];
  expect(byLetter(third)).toEqual([3, 2, 4, 1]);
  expect(third?.flags[third.order[2] ?? -1]).toEqual(['insult']);
  await expect(page.getByTestId('exposure')).toContainText('1 harmful text read today');

  // Skipping the last one leaves the focus somewhere useful.
  await press(page, 's');
  await expect(page.getByRole('region', { name: 'All ranked' })).toBeFocused();
  await expect(page.getByTestId('ranking-counts')).toContainText(/· 0 simulated/);
  // Now, and only now, the page says which model wrote what.
  await page.getByText(`“${prompts[0]}”`).click();
  await expect(page.locator('details[open]').getByText(/Written by SFT, run 1/)).toBeVisible();
});

/** Reading four short answers, as people do; the keys come on top. */
const READING_MS = 8000;
/** One key press with the thought before it (keystroke-level model: 0.2 to 0.5 s). */
const KEY_MS = 400;

test('20 rankings of 4 by keyboard take a person five minutes at most', async ({ page }) => {
  await openBoardWith(page, someSets(40));
  await card(page, 'A').focus();
  let keys = 0;
  const began = Date.now();
  for (let i = 0; i < 20; i++) {
    for (const key of ['2', '1', '4', '3', 'Enter']) {
      await page.keyboard.press(key);
      keys++;
    }
    await expect(card(page, 'A')).toBeFocused();
  }
  const script = Date.now() - began;
  const stored = await rankings(page);
  expect(stored).toHaveLength(20);
  expect(stored.map(byLetter)).toEqual(Array.from({ length: 20 }, () => [2, 1, 4, 3]));
  // With no thought the same keys take the page a fraction of that, on a slow machine too.
  expect(script, 'ms that the script takes').toBeLessThan(90_000);
  console.log(`20 rankings, ${keys} keys: the script took ${script} ms`);
  expect(20 * READING_MS + keys * KEY_MS + script).toBeLessThan(5 * 60_000);
  await expect(page.getByTestId('pace')).toContainText(/ a set · about .* left/);
});

test('what is begun is kept as a draft; what was skipped or submitted can be taken up again', async ({
  page,
}) => {
  await openBoardWith(page, someSets(4));
  await card(page, 'A').focus();
  await press(page, '2', 'u', 'c');
  await page.getByLabel(/^Comment/).fill('two are the same');
  await press(page, 'Escape');
  await expect(card(page, 'B')).toBeFocused();
  await press(page, 'r');
  await page.getByLabel('A: truthful').selectOption('partly');
  await press(page, 'Escape');
  await expect(queue(page, 'Drafts 1')).toBeVisible();
  // The last touch is stored within a breath, not at once.
  await page.waitForTimeout(500);
  await expect(page.getByText('Saved', { exact: true })).toBeVisible();

  // The reload comes back to the draft, as it was.
  await page.reload();
  await expect(card(page, 'A')).toHaveAccessibleName(/^Rank 2/);
  await expect(page.getByLabel(/^Comment/)).toHaveValue('two are the same');
  await expect(page.getByLabel('A: truthful')).toHaveValue('partly');
  await expect(button(page, /unsure/)).toHaveAttribute('aria-pressed', 'true');

  // Left for later it waits among the drafts; another stage changes nothing.
  await card(page, 'B').focus();
  await press(page, 'n');
  await expect(page.getByTestId('ranking-prompt')).toContainText('boat 1');
  await page.getByRole('navigation', { name: 'Steps' }).getByText('SFT').click();
  await page.getByRole('navigation', { name: 'Steps' }).getByText('Rankings').click();
  await queue(page, 'Drafts 1').click();
  await button(page, 'Go on: Where is boat 0?').click();
  await expect(card(page, 'A')).toHaveAccessibleName(/^Rank 2/);
  await card(page, 'B').focus();
  await press(page, '1', '3', '4', 'Enter');
  await expect(queue(page, 'Submitted 1')).toBeVisible();
  await expect(queue(page, 'Drafts 0')).toBeVisible();
  const [stored] = await rankings(page);
  expect(stored).toMatchObject({ unsure: true, comment: 'two are the same' });
  expect(stored?.ratings?.[stored.order[0] ?? -1]).toEqual({ truthful: 'partly' });

  // A submitted ranking is changed in its place.
  await queue(page, 'Submitted 1').click();
  await button(page, 'Change: Where is boat 0?').click();
  await expect(page.getByText(/Changing your answer/)).toBeVisible();
  await card(page, 'A').focus();
  await press(page, '1', 'Enter');
  const [changed, ...others] = await rankings(page);
  expect(others).toEqual([]);
  expect(changed?.id).toBe(stored?.id);
  expect(byLetter(changed)).toEqual([1, 1, 3, 4]);

  // A skipped one goes back into the queue.
  await expect(card(page, 'A')).toBeFocused();
  await press(page, 's');
  await queue(page, 'Discarded 1').click();
  await expect(queue(page, 'To do 2')).toBeVisible();
  // It stands in nobody's account.
  await expect(page.getByTestId('ranking-counts')).toContainText('1 by a person');
  await button(page, /^Take back/).click();
  await expect(queue(page, 'To do 3')).toBeVisible();
});

test('undo goes back through set after set, and each board comes back as it was', async ({
  page,
}) => {
  await openBoardWith(page, someSets(5));
  await card(page, 'A').focus();
  await press(page, '1', '2', '3', '4', 'Enter', 'x', '4', '3', '2', '1', 'Enter');
  await expect(page.getByTestId('ranking-prompt')).toContainText('boat 3');
  await press(page, 'z');
  await expect(page.getByTestId('ranking-prompt')).toContainText('boat 2');
  for (const [letter, rank] of [['A', 4] as const, ['D', 1] as const]) {
    await expect(card(page, letter)).toHaveAccessibleName(new RegExp(`^Rank ${rank}`));
  }
  await press(page, 'z');
  await expect(page.getByTestId('ranking-prompt')).toContainText('boat 1');
  await press(page, 'z');
  await expect(page.getByTestId('ranking-prompt')).toContainText('boat 0');
  await expect(card(page, 'A')).toHaveAccessibleName(/^Rank 1/);
  await expect(card(page, 'A')).toBeFocused();
  expect(await rankings(page)).toHaveLength(0);
  await press(page, 'z');
  await expect(spoken(page)).toContainText('nothing to undo');
  await press(page, 'Enter');
  expect(byLetter((await rankings(page))[0])).toEqual([1, 2, 3, 4]);
});

test('pairs: A, B, tie, both bad, skip and unsure by key, and by tap at 360 px', async ({
  page,
}) => {
  await openBoardWith(page, someSets(4));
  await button(page, 'Pairs').click();
  const better = (letter: string) => button(page, new RegExp(`^${letter} is better`));
  await better('A').focus();
  await press(page, 'a');
  await expect(spoken(page)).toContainText('Ranking stored. 4 sets left.');
  await expect(better('A')).toBeFocused();
  await press(page, 'b');
  await expect(spoken(page)).toContainText('3 sets left');
  await press(page, 'u', '=');
  await expect(spoken(page)).toContainText('Ranking stored');
  await press(page, 'x', 's');
  await page.setViewportSize({ width: 360, height: 760 });
  const [a, b] = [await better('A').boundingBox(), await better('B').boundingBox()];
  expect(b!.y).toBeGreaterThanOrEqual(a!.y + a!.height);
  await better('B').click();
  const stored = await rankings(page);
  // order [2, 0, 3, 1]: pairs (2, 0) and (3, 1)
  const texts = someSets(1)[0]!.completions.map(({ text }) => text);
  expect(stored.map(({ outcome, ranks, unsure }) => [outcome, ranks, unsure])).toEqual([
    ['ranked', [1, 2], undefined],
    ['ranked', [2, 1], undefined],
    ['ranked', [1, 1], true],
    ['all-bad', [], undefined],
    ['skipped', [], undefined],
    ['ranked', [2, 1], undefined],
  ]);
  expect(stored.map(({ completions }) => completions)).toEqual(
    [0, 1, 2].flatMap(() => [
      [texts[2], texts[0]],
      [texts[3], texts[1]],
    ]),
  );
  expect(stored.every(({ mode }) => mode === 'pair')).toBe(true);
  // undo brings a pair back
  await better('A').focus();
  await press(page, 'z');
  await expect(page.getByText(/pair 2 of 2/)).toBeVisible();
  expect(await rankings(page)).toHaveLength(5);
});

test('a harmful text is covered, opening it is counted, and the limit holds', async ({ page }) => {
  await openBoardWith(page, someSets(6, { 0: INSULT, 2: INSULT }));
  // order [2, 0, 3, 1]: D is the insult
  await expect(card(page, 'D')).toHaveAccessibleName(/covered. May contain an insult/);
  await expect(card(page, 'D')).not.toHaveAccessibleName(/turnip/);
  await expect(card(page, 'A')).toHaveAccessibleName(/In the shed/);
  // the menu suggests; nothing is flagged by itself
  await card(page, 'D').focus();
  await press(page, 'f');
  await expect(page.locator('details[open]').getByText('suggested by its words')).toHaveCount(1);
  await expect(page.locator('details[open]').getByLabel(/Insult/)).not.toBeChecked();
  await press(page, 'Escape');
  await expect(card(page, 'D')).toBeFocused();

  await button(page, 'Profile').click();
  await page.getByLabel(/Harmful texts a day/).fill('1');
  await button(page, 'Save').click();
  await expect(page.getByTestId('exposure')).toContainText('0 of 1');
  await card(page, 'D').focus();
  await press(page, 'v');
  await expect(card(page, 'D')).toHaveAccessibleName(/turnip/);
  await expect(page.getByTestId('exposure')).toContainText('1 of 1');
  await press(page, 'v', 'v');
  await expect(page.getByTestId('exposure')).toContainText('1 of 1');
  await press(page, 's');

  // the pause comes after the set, with the labeler's own choice
  const pause = page.getByRole('region', { name: 'Time for a pause' });
  await expect(pause).toBeFocused();
  await button(page, 'Go on, keep them covered').click();
  const prompt = page.getByTestId('ranking-prompt');
  for (const boat of [1, 3, 4, 5]) {
    await expect(prompt).toContainText(`boat ${boat}`);
    await press(page, 'x');
  }
  // last, the set with a covered text, which stays covered
  await expect(prompt).toContainText('boat 2');
  await press(page, 'ArrowUp');
  await card(page, 'D').focus();
  await press(page, 'v');
  await expect(spoken(page)).toContainText('stays covered');
  await expect(card(page, 'D')).not.toHaveAccessibleName(/turnip/);
  await button(page, 'Profile').click();
  await page.getByLabel(/Harmful texts a day/).fill('');
  await button(page, 'Save').click();
  await button(page, 'Show completion D').click();
  await expect(card(page, 'D')).toHaveAccessibleName(/turnip/);
  expect((await rankings(page)).every(({ flags }) => flags.flat().length === 0)).toBe(true);
});

test('the guideline has versions, and each ranking names its own', async ({ page }) => {
  await openBoardWith(page, someSets(4));
  await card(page, 'A').focus();
  await press(page, '1', '2', '3', '4', 'Enter');
  await expect(card(page, 'A')).toBeFocused();
  await press(page, 'g');
  const drawer = page.getByRole('dialog', { name: 'Guideline, version 1' });
  await expect(drawer).toBeFocused();
  await expect(drawer).toContainText('truthful and harmless stands above');
  await drawer.getByRole('button', { name: 'Edit' }).click();
  await page.getByLabel('What labelers go by').fill('Be <b>brief</b>.');
  await button(page, 'Save as version 2').click();
  await expect(page.getByRole('dialog', { name: 'Guideline, version 2' })).toContainText(
    'Be <b>brief</b>.',
  );
  await press(page, 'Escape');
  await expect(card(page, 'A')).toBeFocused();
  await expect(page.getByText('changed since you ranked')).toBeVisible();
  await press(page, '1', '2', '3', '4', 'Enter');
  await expect(page.getByText('changed since you ranked')).toHaveCount(0);
  expect((await rankings(page)).map(({ guideline }) => guideline)).toEqual([1, 2]);
});

test('labelers take turns on one machine, and simulated ones stay apart', async ({ page }) => {
  await openBoardWith(page, someSets(12));
  await card(page, 'A').focus();
  await press(page, 'x');
  await labelerBar(page).getByRole('button', { name: '+ Add' }).click();
  await page.getByLabel('Name or code').fill('simulated:anna');
  await button(page, 'Add and rank').click();
  await expect(page.getByText(/begin with “simulated:”/)).toBeVisible();
  await page.getByLabel('Name or code').fill('<i>anna</i>');
  const group = page.getByRole('dialog').getByLabel('New group');
  await group.fill('morning class');
  await group.press('Enter');
  await page.getByLabel(/I agree/).check();
  await button(page, 'Add and rank').click();
  await expect(labelerBar(page).getByText('morning class')).toBeVisible();
  await expect(queue(page, 'To do 12')).toBeVisible();
  await card(page, 'A').focus();
  await press(page, '1', '2', '3', '4', 'Enter');
  // One click back: her set is none of mine, and its order is hidden until I have ranked it.
  await labelerBar(page).getByRole('button', { name: 'me', exact: true }).click();
  await expect(queue(page, 'To do 11')).toBeVisible();
  expect((await rankings(page)).map(({ labeler }) => labeler)).toEqual(['me', '<i>anna</i>']);

  await button(page, 'As people: agrees with itself 73 %').click();
  await button(page, 'Add simulated labeler').click();
  await button(page, 'Rank 10 sets as simulated:polite').click();
  const stored = await rankings(page);
  expect(stored.filter(({ simulated }) => simulated)).toHaveLength(10);
  expect(stored.every(({ simulated, labeler }) => simulated === /^simulated:/.test(labeler))).toBe(
    true,
  );
  await expect(page.getByTestId('ranking-counts')).toContainText('2 by 2 people · 10 simulated');
  await expect(queue(page, 'To do 11')).toBeVisible();
  const hidden = page
    .locator('li')
    .filter({ hasText: 'simulated:polite' })
    .filter({ hasText: '“' });
  await hidden.first().locator('summary').click();
  await expect(hidden.first()).toContainText('once you have ranked the set yourself');
});

test('the stage with everything open is free of axe violations', async ({ page }) => {
  await openBoardWith(page, someSets(3, { 0: INSULT }));
  await page.evaluate(axe.source);
  const check = async (what: string): Promise<void> => {
    await page.waitForTimeout(300);
    const found = await page.evaluate(async () => {
      const { violations } = await (
        window as unknown as { axe: { run(): Promise<axe.AxeResults> } }
      ).axe.run();
      return violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html.slice(0, 160)}`);
    });
    expect(found, what).toEqual([]);
  };
  for (const theme of ['light', 'dark']) {
    await page.evaluate((name) => (document.documentElement.dataset['theme'] = name), theme);
    await card(page, 'A').focus();
    await press(page, '1', 'u', 'c', 'Escape', 'r', 'Escape', 'g');
    await check(`board, ${theme}`);
    await press(page, 'Escape');
    await button(page, 'Pairs').click();
    await check(`pairs, ${theme}`);
    await button(page, 'List').click();
    await button(page, 'Profile').click();
    await check(`profile, ${theme}`);
    await press(page, 'Escape');
    await card(page, 'A').focus();
    await press(page, 'c', 'r');
    await queue(page, 'Drafts').click();
    await check(`drafts, ${theme}`);
    await queue(page, 'To do').click();
  }
});
