/** What a class sees of itself: readable on a phone and in the dark, harmful texts covered, keys alone. */
import type { Page } from '@playwright/test';
import { expect, scriptReady, test } from './fixture';
import axe from 'axe-core';
import type { ClassFile } from '../../src/core/class-file';
import { classRankings, classRecord, classSets, MARKUP_NAME } from './class-project';
import { card, openBoardWith, openProjectWith, rankings, someSets } from './ranking-board';
import { openStep } from './steps';

const STAGES = ['Rankings', 'Reward model', 'Whose preferences'] as const;
/** A harmful answer that the class has ranked, and a harmless one. */
const RUDE = 'Go away. Ask the wall.';
const HARMLESS = 'It is by the well, my friend.';

async function openClass(page: Page): Promise<void> {
  const sets = classSets();
  await openProjectWith(page, sets, classRankings(sets), classRecord(sets));
}

/** Names of what was done that text must never do. */
async function watchForScripts(page: Page): Promise<string[]> {
  const seen: string[] = [];
  page.on('dialog', (dialog) => {
    seen.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on('request', (request) => {
    if (!/^(http:\/\/localhost|blob:|data:)/.test(request.url())) seen.push(request.url());
  });
  await page.addInitScript(() =>
    document.addEventListener('securitypolicyviolation', ({ violatedDirective }) =>
      console.error(`policy: ${violatedDirective}`),
    ),
  );
  page.on('console', (message) => {
    if (message.text().startsWith('policy:')) seen.push(message.text());
  });
  return seen;
}

async function violations(page: Page): Promise<string[]> {
  return page.evaluate(async () => {
    const found = await (
      window as unknown as { axe: { run(): Promise<axe.AxeResults> } }
    ).axe.run();
    if (found.passes.length < 20)
      throw new Error(`axe looked at ${found.passes.length} rules only.`);
    return found.violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html.slice(0, 160)}`);
  });
}

/** What does not fit: the page wider than the screen, names broken into columns of letters. */
const misfits = (page: Page): Promise<string[]> =>
  page.evaluate(() => {
    const { scrollWidth } = document.documentElement;
    const wide = scrollWidth > innerWidth ? [`the page is ${scrollWidth} px wide`] : [];
    const narrow = [...document.querySelectorAll<HTMLElement>('main th[scope="row"]')]
      .filter((cell) => cell.offsetParent !== null && cell.offsetWidth < 40)
      .filter((cell) => cell.innerText.trim().length > 8)
      .map((cell) => `“${cell.innerText.trim()}” has ${cell.offsetWidth} px`);
    return [...wide, ...narrow];
  });

/** Presses keys as a person does who has no pointer; after each of them the focus is somewhere. */
class Keys {
  private readonly page: Page;

  constructor(page: Page) {
    this.page = page;
  }

  async press(...keys: string[]): Promise<void> {
    for (const key of keys) {
      await this.page.keyboard.press(key);
      await expect
        .poll(() => this.focused(), { message: `after ${key}`, timeout: 3000 })
        .not.toBe('BODY');
    }
  }
  /** What the focus is on, as it is called. */
  focused(): Promise<string> {
    return this.page.evaluate(() => {
      const element = document.activeElement as HTMLElement | null;
      if (element === null || element === document.body) return 'BODY';
      const labels = (element as HTMLInputElement).labels;
      const label = labels?.[0]?.innerText;
      return (element.getAttribute('aria-label') ?? label ?? element.innerText).trim();
    });
  }
  /** Tab, or Shift + Tab, until the focus is on what is called so. */
  async to(name: RegExp, key: 'Tab' | 'Shift+Tab' = 'Tab'): Promise<void> {
    for (let i = 0; i < 120; i++) {
      await this.page.keyboard.press(key);
      if (name.test(await this.focused())) return;
    }
    throw new Error(`${key} never reaches ${name}; it is on “${await this.focused()}”.`);
  }
  async type(text: string): Promise<void> {
    await this.page.keyboard.type(text);
  }
}

test('by keys alone a person ranks, joins a group, saves a file, merges one and swaps the electorate', async ({
  page,
}, info) => {
  const sets = classSets();
  await openProjectWith(page, sets, classRankings(sets), classRecord(sets));
  const keys = new Keys(page);
  await keys.to(/^Rankings/);
  await keys.press('Enter');
  await keys.to(/completion A[,:]/);
  await keys.press('2', '1', '4', '3', 'Enter');
  await keys.press('=', 'Enter');
  await keys.press('g', 'Escape', 'x', 's');

  // somebody else sits down
  await keys.to(/^\+ Add/, 'Shift+Tab');
  await keys.press('Enter');
  await keys.to(/^Name or code/);
  await keys.type('Kim');
  await keys.to(/^morning class/);
  await keys.press('Enter');
  await keys.to(/^I agree/);
  await keys.press('Space');
  await keys.to(/^Add and rank/);
  await keys.press('Enter');
  await expect(page.getByRole('dialog')).toHaveCount(0);
  await keys.to(/completion A[,:]/);
  await keys.press('1', '2', '3', '4', 'Enter');
  const by = async (code: string) =>
    (await rankings(page)).filter(({ labeler }) => labeler === code);
  expect(await by('Kim')).toMatchObject([{ ranks: [2, 4, 1, 3], outcome: 'ranked' }]);
  expect(await by('me')).toHaveLength(5);

  // the file of her rankings, which comes back as known
  await keys.to(/^Whose preferences/, 'Shift+Tab');
  await keys.press('Enter');
  await keys.to(/^Save my rankings/);
  const saving = page.waitForEvent('download');
  await keys.press('Enter');
  const file = info.outputPath('kim.json');
  await (await saving).saveAs(file);
  await keys.to(/^Bring rankings in/);
  const choosing = page.waitForEvent('filechooser');
  await keys.press('Enter');
  await (await choosing).setFiles(file);
  await expect(page.getByTestId('merge-preview').getByRole('row', { name: /kim/ })).toContainText(
    /0\s*1\s*0\s*0/,
  );
  await keys.to(/^Cancel/);
  await keys.press('Enter');
  expect(await keys.focused()).toMatch(/^Bring rankings in/);

  await keys.to(/^morning class: included/);
  await keys.press('Space');
  await expect(page.getByRole('checkbox', { name: 'Kim: included' })).not.toBeChecked();
  await keys.to(/^Kim: weight/);
  await keys.press('ControlOrMeta+a');
  await keys.type('3');
  await keys.press('Tab');
  await expect(page.getByRole('checkbox', { name: 'Kim: included' })).toBeChecked();
  // what scrolls sideways is reached, too
  await keys.to(/^Trained on, judged by/);
});

const BOARD_KEYS = [
  ...['1', '2', '3', '4', '=', '0', 'Enter', 'x', 's', 'u', 'z', 'n', 'v', 'g', 'g'],
  ...['ArrowUp', 'ArrowDown', 'Alt+ArrowUp', 'Alt+ArrowDown', 'Tab', 'Shift+Tab'],
];

test('whatever keys are pressed at the board, the focus is never lost', async ({ page }) => {
  await openBoardWith(page, someSets(30, { 3: ['Go away.', 'b', 'c', 'd'] }));
  await card(page, 'A').focus();
  // a linear congruential generator: the same keys every time
  let state = 7;
  const pressed: string[] = [];
  for (let i = 0; i < 160; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const key = BOARD_KEYS[Math.floor((state / 2 ** 32) * BOARD_KEYS.length)]!;
    pressed.push(key);
    await page.keyboard.press(key);
    await expect
      .poll(() => page.evaluate(() => document.activeElement?.tagName), {
        message: `after ${pressed.slice(-6).join(', ')}`,
        timeout: 3000,
      })
      .not.toBe('BODY');
  }
  expect((await rankings(page)).length).toBeGreaterThan(0);
});

const MIB = 2 ** 20;

test('what is wrong with files is said, file by file, and what is here stays as it was', async ({
  page,
}, info) => {
  const scripts = await watchForScripts(page);
  const sets = classSets(8);
  await openProjectWith(page, sets, classRankings(sets).slice(0, 20), classRecord(sets));
  const before = await rankings(page);
  await openStep(page, 'Whose preferences');

  const good: ClassFile = {
    format: 'rlhf-playground-class',
    version: 1,
    origin: 'elsewhere',
    madeIn: 'phone',
    project: `<script>alert(2)</script>`,
    groups: [],
    guidelines: [],
    labelers: [
      { code: MARKUP_NAME, groups: ['<b>x</b>'], consentedAt: 1, simulated: null, dailyHarmLimit: null }, // prettier-ignore
    ],
    sets: sets.map(({ id, prompt, completions }) => ({
      id,
      prompt,
      completions: completions.map(({ text, finish }) => ({ text, finish })),
    })),
    rankings: [0, 1, 2, 3, 4].map((i) => ({
      id: `x${i}`,
      set: `s${i}`,
      ranks: [1, 2, 3, 4],
      outcome: 'ranked' as const,
      labeler: MARKUP_NAME,
      simulated: false,
      flags: [],
      order: [0, 1, 2, 3],
      comment: '<img src=x onerror=alert(3)>',
    })),
    exposures: [],
  };
  const [first, second, third, fourth, fifth] = good.rankings;
  const foreign = {
    ...good,
    sets: [{ ...good.sets[0]!, prompt: 'Never seen' }],
    rankings: [first],
  };
  const damaged = {
    ...good,
    rankings: [
      { ...first!, ranks: [1, 2] },
      { ...second!, labeler: 'nobody knows' },
      third!,
      { ...fourth!, id: third!.id },
      { ...fifth!, order: [0, 0, 1, 2] },
    ],
  };
  const file = (name: string, content: unknown) => ({
    name,
    mimeType: 'application/json',
    buffer: Buffer.from(typeof content === 'string' ? content : JSON.stringify(content)),
  });
  const huge = info.outputPath('huge.json');
  const { writeFile } = await import('node:fs/promises');
  await writeFile(huge, Buffer.alloc(50 * MIB, 0x20));
  const input = page.locator('label', { hasText: 'Bring rankings in' }).locator('input');
  const preview = page.getByTestId('merge-preview');

  // 50 MB, alone: said at once, and the page still answers
  const began = Date.now();
  await input.setInputFiles(huge);
  await expect(preview).toContainText('huge.json has 50.0 MB; a class file has at most 8.0 MB');
  expect(Date.now() - began).toBeLessThan(20_000);
  await preview.getByRole('button', { name: 'Close' }).click();

  await input.setInputFiles([
    file('damaged.json', damaged),
    file('foreign.json', foreign),
    file('cut.json', JSON.stringify(good).slice(0, 300)),
    file('<img src=x onerror=alert(4)>.json', '[1, 2'),
  ]);
  await expect(preview.getByRole('row', { name: /damaged/ })).toContainText(/1\s*0\s*0\s*4/);
  await expect(preview.getByRole('row', { name: /foreign/ })).toContainText('another project');
  await expect(preview).toContainText('cut.json: it is not JSON, or it is cut off');
  await preview.getByText('4 entries set aside').click();
  for (const reason of [
    '2 ranks for 4 completions',
    '“nobody knows” is neither',
    'the id x2 occurs twice',
    'name each of 4 completions once',
  ]) {
    await expect(preview).toContainText(reason);
  }
  // a preview changes nothing, on the page and in the store
  await preview.getByRole('button', { name: 'Cancel' }).click();
  expect(await rankings(page)).toEqual(before);
  await page.reload();
  await scriptReady(page);
  expect(await rankings(page)).toEqual(before);

  // the good entry of the damaged file comes in, and nothing else
  await input.setInputFiles([file('damaged.json', damaged)]);
  await preview.getByRole('button', { name: 'Add 1 ranking' }).click();
  await expect(page.getByTestId('merge-outcome')).toContainText('1 added');
  const after = await rankings(page);
  expect(after.slice(0, before.length)).toEqual(before);
  expect(after.slice(before.length)).toMatchObject([
    { source: { file: 'damaged.json', id: 'x2' } },
  ]);
  // it says where it comes from
  await openStep(page, 'Rankings');
  const done = page.locator('section', { has: page.getByTestId('ranking-counts') }).last();
  const newest = done.locator('li').first();
  await newest.locator('summary').click();
  await expect(newest).toContainText(MARKUP_NAME);
  await expect(newest).toContainText('From damaged.json, brought in on');
  expect(scripts).toEqual([]);
});

test('a class with disagreements fits and is free of axe violations: light, dark, wide, 360 px', async ({
  page,
}) => {
  const scripts = await watchForScripts(page);
  await openClass(page);
  await page.evaluate(axe.source);
  for (const width of [1440, 360]) {
    await page.setViewportSize({ width, height: 800 });
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      for (const stage of STAGES) {
        await openStep(page, stage);
        if (stage === 'Whose preferences') {
          await expect(page.getByTestId('preference-card')).toContainText('Known limits');
        }
        await page.evaluate(() => {
          for (const details of document.querySelectorAll('main details')) {
            (details as HTMLDetailsElement).open = !details.matches('[data-no-drag]');
          }
        });
        await page.waitForTimeout(300);
        const where = `${stage}, ${colorScheme}, ${width} px`;
        const scheme = await page.evaluate(() => document.documentElement.dataset['theme']);
        expect(scheme, where).toBe(colorScheme);
        expect(await misfits(page), where).toEqual([]);
        expect(await violations(page), where).toEqual([]);
      }
    }
  }
  await expect(page.getByRole('region', { name: 'Labelers', exact: true })).toContainText(
    MARKUP_NAME,
  );
  expect(scripts).toEqual([]);
});

test('harmful texts stay covered wherever a class looks at them, and opening one is counted', async ({
  page,
}) => {
  await openClass(page);
  await openStep(page, 'Whose preferences');
  const where = page.locator('details', { hasText: /who put which completion where/ });
  await where.first().waitFor();
  await page.evaluate(() => {
    for (const details of document.querySelectorAll('main details')) {
      (details as HTMLDetailsElement).open = true;
    }
  });
  // in the map, in the sets that change order, and in the policies' answers
  await expect(page.locator('main')).toContainText(HARMLESS);
  await expect(page.locator('main')).not.toContainText(RUDE);
  await where.getByRole('button', { name: 'Show' }).first().click();
  await openStep(page, 'Rankings');
  await expect(page.getByTestId('exposure')).toContainText('1 harmful text read today');
});

test('what a model writes in training and in a comparison is covered where it is harmful', async ({
  page,
}) => {
  await page.goto('./');
  await page.evaluate(async (completion) => {
    await window.rlhf.ready();
    await window.rlhf.newProject({ name: 'Rude', seed: 5 });
    const rows = Array.from({ length: 24 }, (_, i) => ({
      prompt: `Where is hat ${i}?`,
      completion,
    }));
    await window.rlhf.addDemonstrations(rows.map((row) => JSON.stringify(row)).join('\n'));
    await window.rlhf.trainSft({ num_train_epochs: 16 });
  }, RUDE);
  await openStep(page, 'SFT');
  const covered = page.locator('main article', { hasText: 'May contain an insult.' });
  await expect(covered.first()).toBeVisible();
  await expect(covered.first()).not.toContainText('Go away');
  await covered.first().getByRole('button', { name: 'Show' }).click();
  await expect(covered.first()).toContainText('Go away');

  await openStep(page, 'Compare');
  await page.getByPlaceholder('Where does the goat live?').fill('Where is hat 5?');
  await page.keyboard.press('Enter');
  const answer = page.getByRole('article', { name: 'SFT' });
  await expect(answer).toContainText('May contain an insult.');
  await expect(answer).not.toContainText('Go away');
  await openStep(page, 'Rankings');
  await expect(page.getByTestId('exposure')).toContainText('1 harmful text read today');
});

test('on a phone a group is held out by tap, and weights are in reach', async ({ page }) => {
  await page.setViewportSize({ width: 360, height: 740 });
  await openClass(page);
  await openStep(page, 'Whose preferences');
  const group = page.getByRole('checkbox', { name: 'morning class: included' });
  const weight = page.getByRole('spinbutton', { name: 'morning class: weight' });
  for (const control of [group, weight]) {
    await control.scrollIntoViewIfNeeded();
    const box = (await control.boundingBox())!;
    expect(box.x).toBeGreaterThanOrEqual(0);
    expect(box.x + box.width).toBeLessThanOrEqual(360);
  }
  await group.uncheck();
  await expect(weight).toHaveValue('0');
  await expect(page.getByText(/morning class: 5\d rankings, 0 % of what/)).toBeVisible();
  await expect(page.getByRole('checkbox', { name: 'Ada: included' })).not.toBeChecked();
});
