/** A class ranks on its own devices and the teacher merges the files: no model is ever trained. */
import { readFile, writeFile } from 'node:fs/promises';
import type { Browser, Locator, Page } from '@playwright/test';
import axe from 'axe-core';
import type { ClassFile } from '../../src/core/class-file';
import { expect, scriptReady, test } from './fixture';

const COMPLETIONS = ['Gladly, my dear.', 'It is by the well.', 'Go away.', 'Ask the wall.'];

/** Twelve sets, as a teacher's project would write them. */
const CLASS: ClassFile = {
  format: 'rlhf-playground-class',
  version: 1,
  origin: 'origin-1',
  madeIn: 'teacher-1',
  project: 'Harbour class',
  groups: ['morning', 'evening'],
  guidelines: [{ version: 1, text: 'Kind answers first.', createdAt: 0 }],
  labelers: [],
  sets: Array.from({ length: 12 }, (_, i) => ({
    id: `set-${i}`,
    prompt: `Where is bucket ${i}?`,
    completions: COMPLETIONS.map((text) => ({ text: `${text} (${i})`, finish: 'eos' as const })),
  })),
  rankings: [],
  exposures: [],
};

const upload = (name: string, content: unknown) => ({
  name,
  mimeType: 'application/json',
  buffer: Buffer.from(typeof content === 'string' ? content : JSON.stringify(content)),
});

async function open(page: Page): Promise<void> {
  await page.goto('/');
  await scriptReady(page);
  await expect(page.getByRole('navigation', { name: 'Steps' })).toBeVisible();
}

const goTo = (page: Page, step: string): Promise<void> =>
  page.getByRole('navigation', { name: 'Steps' }).getByText(step, { exact: true }).click();

/** Opens a class file in the project dialog and starts ranking under a name. */
async function join(
  page: Page,
  file: Parameters<Locator['setInputFiles']>[0],
  name: string,
  group: string,
): Promise<void> {
  await page.getByRole('button', { name: /^Project:/ }).click();
  await page
    .locator('label', { hasText: 'Open a class file' })
    .locator('input')
    .setInputFiles(file);
  await page.getByLabel('Your name or code').fill(name);
  await page.getByLabel(group, { exact: true }).check();
  await page.getByLabel('My rankings may be used by this class.').check();
  await page.getByRole('button', { name: 'Start ranking' }).click();
  await expect(page.getByTestId('ranking-prompt')).toContainText('Where is bucket');
}

/** The card of the board with this text. */
const card = (page: Page, words: string): Locator =>
  page.getByRole('button', { name: /, completion [A-D][,:]/ }).filter({ hasText: words });

/** Ranks the set on the board in the order of `taste`, best first, by keys. */
async function rankByKeys(page: Page, taste: readonly string[]): Promise<void> {
  const prompt = await page.getByTestId('ranking-prompt').innerText();
  for (const [i, words] of taste.entries()) {
    await card(page, words).focus();
    await page.keyboard.press(String(i + 1));
  }
  await page.keyboard.press('Enter');
  await expect(page.getByTestId('ranking-prompt')).not.toHaveText(prompt);
}

async function saveRankings(page: Page, to: string): Promise<ClassFile> {
  await goTo(page, 'Whose preferences');
  const saving = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Save my rankings' }).click();
  await (await saving).saveAs(to);
  return JSON.parse(await readFile(to, 'utf8')) as ClassFile;
}

async function student(browser: Browser, options: object): Promise<Page> {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  await open(page);
  return page;
}

async function bringIn(page: Page, files: Parameters<Locator['setInputFiles']>[0]): Promise<void> {
  await page
    .locator('label', { hasText: 'Bring rankings in' })
    .locator('input')
    .setInputFiles(files);
  await expect(page.getByTestId('merge-preview')).toBeVisible();
}

/** The numbers of one file in the preview: new, here already, answered otherwise, set aside. */
const previewRow = async (page: Page, file: string): Promise<string[]> =>
  page
    .getByTestId('merge-preview')
    .getByRole('row', { name: new RegExp(file) })
    .getByRole('cell')
    .allInnerTexts();

async function expectNoViolations(page: Page, where: string): Promise<void> {
  await page.evaluate(axe.source);
  const found = await page.evaluate(async () => {
    const { violations, passes } = await (
      window as unknown as { axe: { run(): Promise<axe.AxeResults> } }
    ).axe.run();
    return {
      violations: violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html.slice(0, 160)}`),
      checked: passes.length,
    };
  });
  expect(found.violations, where).toEqual([]);
  expect(found.checked).toBeGreaterThan(20);
}

test('three students rank on devices of their own and the teacher merges their files', async ({
  page: teacher,
  browser,
}, info) => {
  const path = (name: string): string => info.outputPath(name);
  await open(teacher);
  await join(teacher, upload('harbour.class.json', CLASS), 'Teacher', 'morning');

  // 1. Out to the class: a few kilobytes without model, names or rankings.
  await goTo(teacher, 'Whose preferences');
  await teacher.getByLabel('A word to the class').fill('Rank what you can');
  await expect(teacher.getByLabel('Groups to choose from')).toHaveValue('morning');
  await teacher.getByLabel('Groups to choose from').fill('morning, evening, ');
  const saving = teacher.waitForEvent('download');
  await teacher.getByRole('button', { name: 'Save sets for the class' }).click();
  await (await saving).saveAs(path('class.json'));
  const out = JSON.parse(await readFile(path('class.json'), 'utf8')) as ClassFile;
  expect(out).toMatchObject({ origin: 'origin-1', task: 'Rank what you can', labelers: [] });
  expect(out.groups).toEqual(['morning', 'evening']);
  expect(out.sets).toHaveLength(12);
  expect((await readFile(path('class.json'))).length).toBeLessThan(8000);

  // 2. Two students by keys with one taste, one on a phone by taps with another.
  const kind = ['Gladly', 'It is by', 'Ask the', 'Go away'];
  const files: string[] = [];
  for (const [i, name] of ['Ada', 'Bo'].entries()) {
    const page = await student(browser, {});
    await join(page, path('class.json'), name, 'morning');
    for (let set = 0; set < 10; set++) await rankByKeys(page, kind);
    const file = await saveRankings(page, path(`${name}.rankings.json`));
    expect(file.rankings).toHaveLength(10);
    expect(file.labelers).toMatchObject([{ code: name, groups: ['morning'] }]);
    expect(file.preferences?.people.rankings).toBe(10);
    files.push(path(`${name}.rankings.json`));
    if (i === 0) {
      const orders = file.rankings.map(({ order }) => order.join(''));
      expect(new Set(orders).size).toBeGreaterThan(3);
    }
    await page.context().close();
  }
  const phone = await student(browser, {
    viewport: { width: 360, height: 740 },
    hasTouch: true,
    isMobile: true,
  });
  await join(phone, path('class.json'), 'Cy', 'evening');
  for (let set = 0; set < 10; set++) {
    const prompt = await phone.getByTestId('ranking-prompt').innerText();
    for (const words of [...kind].reverse()) {
      await card(phone, words).tap();
    }
    await phone.getByRole('button', { name: /^Submit\b/ }).tap();
    await expect(phone.getByTestId('ranking-prompt')).not.toHaveText(prompt);
  }
  await saveRankings(phone, path('Cy.rankings.json'));
  files.push(path('Cy.rankings.json'));
  const wide = await phone.evaluate(() => document.documentElement.scrollWidth);
  expect(wide).toBeLessThanOrEqual(360);
  await expectNoViolations(phone, 'people stage at 360 px');
  await phone.context().close();

  // 3. All at once: a preview, nothing changed; then one step.
  await bringIn(teacher, [...files, path('class.json')]);
  for (const name of ['Ada', 'Bo', 'Cy']) {
    expect(await previewRow(teacher, name)).toEqual(['10', '0', '0', '0']);
  }
  await expect(teacher.getByRole('row', { name: /class\.json/ })).toContainText('sets to rank');
  expect(await teacher.evaluate(() => window.rlhf.listRankings())).toHaveLength(0);
  await expectNoViolations(teacher, 'preview');
  await teacher.getByRole('button', { name: 'Add 30 rankings' }).click();
  await expect(teacher.getByTestId('merge-outcome')).toContainText('30 added');
  const merged = await teacher.evaluate(() => window.rlhf.listRankings());
  expect(merged).toHaveLength(30);
  expect(new Set(merged.map(({ source }) => source?.file))).toEqual(
    new Set(['Ada.rankings.json', 'Bo.rankings.json', 'Cy.rankings.json']),
  );
  expect(merged.every(({ setId, simulated }) => setId !== null && !simulated)).toBe(true);

  // 4. What they agree on: Ada and Bo on everything, Cy on nothing with either.
  const numbers = teacher.getByTestId('agreement-table');
  await expect(numbers).toContainText('33 %');
  await expect(numbers).toContainText('180 pairs');
  const groups = teacher.getByRole('region', { name: 'Agreement of groups' });
  await expect(groups.getByRole('row', { name: /^morning/ })).toContainText('100 %');
  await expect(groups.getByRole('row', { name: /^evening – / })).toContainText('120 pairs');
  await expect(teacher.getByRole('region', { name: 'Agreement of labelers' })).toContainText(
    '100 %',
  );
  await expect(teacher.getByTestId('preference-card')).toContainText('2 people, 20 rankings');
  await expectNoViolations(teacher, 'people stage');

  // 5. The same files again are known, whatever they are called now.
  await bringIn(teacher, [
    upload('again.json', await readFile(files[0]!, 'utf8')),
    upload('broken.json', '{"format"'),
  ]);
  expect(await previewRow(teacher, 'again')).toEqual(['0', '10', '0', '0']);
  await expect(teacher.getByTestId('merge-preview')).toContainText('broken.json: it is not JSON');
  await expect(teacher.getByRole('button', { name: 'Nothing new to add' })).toBeDisabled();
  await teacher.getByRole('button', { name: 'Cancel' }).click();

  // 6. Another answer of Ada's to a set is shown beside hers; theirs is taken; the import goes back.
  const ada = JSON.parse(await readFile(files[0]!, 'utf8')) as ClassFile;
  const changed = { ...ada.rankings[0]!, id: 'later', ranks: [4, 3, 2, 1] };
  const stray = { ...ada.rankings[1]!, id: 'stray', ranks: [1, 2] };
  await writeFile(path('later.json'), JSON.stringify({ ...ada, rankings: [changed, stray] }));
  await bringIn(teacher, path('later.json'));
  expect(await previewRow(teacher, 'later')).toEqual(['0', '0', '1', '1']);
  const conflict = teacher.getByRole('region', { name: 'Two answers' });
  await expect(conflict).toContainText('Ada');
  await expectNoViolations(teacher, 'conflict');
  await conflict.getByLabel('Take theirs').check();
  await teacher.getByText('1 entry set aside').click();
  await expect(teacher.getByTestId('merge-preview')).toContainText('2 ranks for 4 completions');
  await teacher.getByRole('button', { name: 'Add 1 ranking' }).click();
  await expect(teacher.getByTestId('merge-outcome')).toContainText('1 added, 1 replaced');
  const ranksOf = async (prompt: string): Promise<(number[] | undefined)[]> =>
    (await teacher.evaluate(() => window.rlhf.listRankings()))
      .filter((one) => one.labeler === 'Ada' && one.prompt === prompt)
      .map(({ ranks }) => ranks);
  const { prompt } = ada.sets.find(({ id }) => id === changed.set)!;
  expect(await ranksOf(prompt)).toEqual([[4, 3, 2, 1]]);
  await teacher.getByRole('button', { name: 'Take this import back' }).click();
  expect(await ranksOf(prompt)).toEqual([ada.rankings[0]!.ranks]);

  // 7. It was stored, not only shown.
  await teacher.waitForFunction(() => document.body.textContent.includes('Saved'));
  await teacher.reload();
  await scriptReady(teacher);
  expect(await teacher.evaluate(() => window.rlhf.listRankings())).toHaveLength(30);
});
