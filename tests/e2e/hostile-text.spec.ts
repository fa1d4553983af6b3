/**
 * Text is data: what people write, and what files from elsewhere hold, never becomes part of the page.
 * A payload that was parsed as markup leaves an element with `data-xss`, also where the policy stops it
 * from running.
 */
import { cpSync, mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Page } from '@playwright/test';
import { writeProjectFile } from '../../src/formats/project-file';
import { bundle } from '../unit/formats/project-bundle';
import { expect, test } from './fixture';
import { STEPS } from './steps';

const CORPUS = [
  '<img src=x data-xss onerror=xss()>',
  '<script data-xss>xss()</script>',
  '<svg data-xss onload=xss()><a xlink:href="javascript:xss()">x</a></svg>',
  '"><iframe data-xss srcdoc="<script>parent.xss()</script>"></iframe>',
  '</textarea></title></style><a data-xss href="javascript:xss()" autofocus onfocus=xss()>x</a>',
  '<img src="http://example.invalid/leak" data-xss>',
  '<math><mtext><table><mglyph><style data-xss><img src=x onerror=xss()>',
  `' onmouseover=xss() data-xss='`,
  '{{constructor.constructor("xss()")()}} ${xss()} {@html "<b data-xss>"}',
  '&lt;img src=x data-xss onerror=xss()&gt;',
  'javascript:xss()',
];
const ALL = CORPUS.join('\n');
/** Names have at most 80 characters. */
const short = (field: string, i = 0): string => `${CORPUS[i]} ${field}`;

interface Watched {
  dialogs: string[];
  errors: string[];
}

async function watchScripts(page: Page): Promise<Watched> {
  const watched: Watched = { dialogs: [], errors: [] };
  page.on('dialog', (dialog) => {
    watched.dialogs.push(dialog.message());
    void dialog.dismiss();
  });
  page.on('pageerror', (error) => watched.errors.push(error.message));
  await page.addInitScript(() => {
    const found: string[] = [];
    Object.assign(window, { found, xss: () => found.push('a script ran') });
    document.addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) => {
      found.push(`${violatedDirective} ${blockedURI}`);
    });
  });
  return watched;
}

/** What of the payloads became part of the page, or tried to. */
const harm = (page: Page): Promise<string[]> =>
  page.evaluate(() => [
    ...new Set((window as unknown as { found: string[] }).found),
    ...[...document.querySelectorAll('[data-xss], mglyph, [onerror], a[href^="javascript:"]')].map(
      ({ outerHTML }) => outerHTML.slice(0, 100),
    ),
  ]);

/** The text that a person sees, fields and tooltips included. */
const shownText = (page: Page): Promise<string> =>
  page.evaluate(() =>
    [
      document.body.innerText,
      ...[...document.querySelectorAll<HTMLInputElement>('input, textarea')].map((e) => e.value),
      ...[...document.querySelectorAll('option, title, [title], [aria-label]')].map(
        (e) => `${e.textContent} ${e.getAttribute('title')} ${e.getAttribute('aria-label')}`,
      ),
    ].join('\n'),
  );

/** A project with a payload in every field that text can stand in. */
function hostileProject(): Promise<Blob> {
  const given = bundle();
  const { project, runs } = given;
  project.name = short('PROJECT');
  project.page = 'rankings';
  project.electorate = { [short('LABELER')]: 2 };
  project.guidelines = [{ version: 1, text: `${ALL} GUIDELINE`, createdAt: 1 }];
  project.labelers = [
    { code: short('LABELER'), groups: [short('GROUP')], consentedAt: 1, simulated: null, dailyHarmLimit: null }, // prettier-ignore
  ];
  const { electorate, harmDial } = project.experiments!;
  for (const model of electorate!.models) model.name = short('MODEL', 0);
  electorate!.judges[0]!.name = short('JUDGE');
  electorate!.changed = [{ prompt: `${ALL} CHANGED`, completions: [ALL, 'b'], best: [1] }];
  electorate!.warnings = [`${ALL} WARNING`];
  electorate!.shownPrompts = [`${ALL} SHOWN-PROMPT`];
  electorate!.policies![0]!.shown = [`${ALL} SHOWN-ANSWER`];
  harmDial!.inputHash = ALL;
  given.demonstrations = [true, false].map((heldOut, seq) => ({
    id: `d${seq}`,
    projectId: project.id,
    prompt: `${ALL} DEMONSTRATION`,
    completion: `${ALL} RESPONSE`,
    heldOut,
    seq,
  }));
  given.prompts[0]!.text = `${ALL} PROMPT`;
  const completions = CORPUS.slice(0, 4).map((text, i) => `${text} COMPLETION-${i}`);
  const [set] = given.sets;
  given.sets = [0, 1].map((seq) => ({
    ...set!,
    id: `s${seq}`,
    seq,
    prompt: `${ALL} SET-${seq}`,
    completions: completions.map((text) => ({ text, tokens: [5], logprobs: [-1], finish: 'eos' })),
    order: [0, 1, 2, 3],
  }));
  delete project.askFirst;
  given.rankings = [1, 2].map((first, seq) => ({
    ...given.rankings[0]!,
    id: `r${seq}`,
    seq,
    setId: 's1',
    prompt: given.sets[1]!.prompt,
    completions,
    ranks: [first, 3, 4, 3 - first],
    flags: [['insult'], [], [], []],
    order: [0, 1, 2, 3],
    labeler: seq === 0 ? short('LABELER') : short('OTHER'),
    comment: `${ALL} COMMENT`,
  }));
  runs[0]!.error = `${ALL} RUN-ERROR`;
  given.metrics[0]!.rows = [1, 2].map((step) => ({
    step,
    loss: 1 / step,
    [short('METRIC')]: step,
  }));
  const [sample] = given.samples[0]!.steps[0]!.samples;
  given.samples[0]!.steps[0]!.samples = [
    { ...sample!, prompt: `${ALL} SAMPLE-PROMPT`, text: `${ALL} SAMPLE`, tokens: [ALL], logprobs: [-1] }, // prettier-ignore
  ];
  given.inputs = [];
  return writeProjectFile(given);
}

const openProjects = (page: Page): Promise<void> =>
  page.getByRole('button', { name: /^Project:/ }).click();

const upload = (name: string, content: string | Buffer) => ({
  name,
  mimeType: 'application/octet-stream',
  buffer: Buffer.from(content),
});

/** Every step, everything in it that can be opened, every chart under the pointer. */
async function lookEverywhere(page: Page): Promise<string> {
  const texts: string[] = [];
  for (const step of STEPS) {
    await page.getByRole('navigation', { name: 'Steps' }).getByText(step, { exact: true }).click();
    await page.waitForTimeout(300);
    const guideline = page.getByRole('button', { name: 'Guideline', expanded: false });
    if ((await guideline.count()) === 1) await guideline.click();
    await page.evaluate(() => {
      for (const details of document.querySelectorAll('details')) details.open = true;
    });
    for (const chart of await page.locator('.u-over:visible').all()) {
      await chart.hover();
      texts.push(await shownText(page));
    }
    texts.push(await shownText(page));
    expect(await harm(page), step).toEqual([]);
  }
  return texts.join('\n');
}

test('payloads in every field of a project file are shown as text', async ({ page }) => {
  const watched = await watchScripts(page);
  await page.goto('/');
  await page.evaluate(() => window.rlhf.ready());
  const file = Buffer.from(await (await hostileProject()).arrayBuffer());

  await openProjects(page);
  const input = page.locator('label', { hasText: 'Import file' }).locator('input');
  await input.setInputFiles(upload(`${short('FILE').replace('/', '')}.rlhf.zip`, file));
  await page.getByRole('button', { name: 'Import and open' }).click();
  await expect(page.getByRole('button', { name: /^Project:/ })).toContainText('PROJECT');
  await page.keyboard.press('Escape');
  const shown = await lookEverywhere(page);

  const fields = ['PROJECT', 'LABELER', 'GROUP', 'GUIDELINE', 'DEMONSTRATION', 'RESPONSE', 'PROMPT', 'SET-0', 'COMPLETION-0', 'SAMPLE']; // prettier-ignore
  expect(fields.filter((field) => !shown.includes(field))).toEqual([]);
  expect(shown).toContain('<img src=x data-xss onerror=xss()>');
  expect(watched).toEqual({ dialogs: [], errors: [] });
});

test('payloads that are typed, pasted, dropped or said by an error are shown as text', async ({
  page,
}, info) => {
  const watched = await watchScripts(page);
  await page.goto('/');
  await page.evaluate(() => window.rlhf.ready());

  // a name, and files that are refused by name
  await openProjects(page);
  await page.getByLabel('Name of this project').fill(short('TYPED-NAME'));
  await page.getByRole('button', { name: 'Rename' }).click();
  await expect(page.getByRole('button', { name: /^Project:/ })).toContainText('TYPED-NAME');
  const bad = CORPUS[0]!;
  for (const [label, name] of [
    ['Import file', `${bad}.rlhf.zip`],
    ['Open a class file', `${bad}.class.json`],
  ] as const) {
    const input = page.locator('label', { hasText: label }).locator('input');
    await input.setInputFiles(upload(name, `{"${bad}": ${ALL}`));
    await expect(page.getByRole('alert').first()).toBeVisible();
    expect(await harm(page), label).toEqual([]);
  }
  await page.keyboard.press('Escape');

  // demonstrations by hand and by file
  const steps = page.getByRole('navigation', { name: 'Steps' });
  await steps.getByText('SFT', { exact: true }).click();
  await page.getByTestId('paste').fill(`Prompt: ${CORPUS[0]}\nResponse: ${ALL} PASTED`);
  await page.getByTestId('add-demonstrations').click();
  await page
    .locator('label', { hasText: 'Open files' })
    .locator('input')
    .setInputFiles([
      upload(`${bad} FILE-NAME.jsonl`, `{"messages":[{"role":${JSON.stringify(bad)}}]}\n`),
      upload(`${bad}.csv`, `prompt,completion,${bad}\n=cmd,"${CORPUS[0]}"\n`),
    ]);
  await expect(page.getByText('FILE-NAME').first()).toBeVisible();

  // a model in a folder with a hostile name, asked a hostile question
  const folder = info.outputPath(bad);
  mkdirSync(folder, { recursive: true });
  cpSync(resolve('tests/golden/hugging-face-import/mqa-tied-f16'), folder, { recursive: true });
  await steps.getByText('Base', { exact: true }).click();
  await page.locator('input[webkitdirectory]').setInputFiles(folder);
  await expect(page.getByTestId('imported')).toContainText(bad);
  const errors = await page.evaluate(async (text) => {
    const said: string[] = [];
    const ask = (work: Promise<unknown>) => work.catch((error: Error) => said.push(error.message));
    await ask(window.rlhf.newProject({ base: text }));
    await ask(window.rlhf.openProject(text));
    await ask(window.rlhf.addRanking({ prompt: text, completions: [text, 'b'], ranks: [1, 2], labeler: text })); // prettier-ignore
    await ask(window.rlhf.complete({ model: 'base', prompt: text, maxNewTokens: 4 }));
    return said;
  }, bad);
  expect(errors.length).toBeGreaterThan(1);

  // a class file with a payload everywhere, opened, ranked, and brought in again with a clash
  const merged = {
    format: 'rlhf-playground-class',
    version: 1,
    origin: 'o',
    madeIn: 'm',
    project: short('CLASS'),
    task: `${ALL} TASK`,
    groups: [short('CLASS-GROUP')],
    guidelines: [{ version: 1, text: `${ALL} CLASS-GUIDELINE`, createdAt: 0 }],
    labelers: [],
    sets: [0, 1].map((i) => ({
      id: `s${i}`,
      prompt: `${ALL} CLASS-SET`,
      completions: CORPUS.slice(i, i + 3).map((text) => ({ text, finish: 'eos' })),
    })),
    rankings: [{ id: ALL, labeler: bad }],
    exposures: [],
  };
  await openProjects(page);
  await page
    .locator('label', { hasText: 'Open a class file' })
    .locator('input')
    .setInputFiles(upload(`${bad}.class.json`, JSON.stringify(merged)));
  await page.getByLabel('Your name or code').fill(short('STUDENT'));
  await page.getByLabel(short('CLASS-GROUP'), { exact: true }).check();
  expect(await shownText(page)).toContain('TASK');
  await page.getByRole('button', { name: 'Start ranking' }).click();
  await expect(page.getByTestId('ranking-prompt')).toContainText('CLASS-SET');
  const shown = await lookEverywhere(page);
  expect(['CLASS', 'CLASS-GUIDELINE', 'CLASS-SET', 'STUDENT'].filter((f) => !shown.includes(f))).toEqual([]); // prettier-ignore
  const theirs = { ...merged, sets: merged.sets.slice(0, 1), labelers: [{ code: bad }] };
  await page
    .locator('label', { hasText: 'Bring rankings in' })
    .locator('input')
    .setInputFiles(upload(`${bad}.rankings.json`, JSON.stringify(theirs)));
  await expect(page.getByTestId('merge-preview')).toContainText(bad);
  await page.evaluate(() => {
    for (const details of document.querySelectorAll('details')) details.open = true;
  });
  expect(await harm(page)).toEqual([]);
  expect(watched).toEqual({ dialogs: [], errors: [] });
});

test('the watch sees a payload that is parsed, also where the policy stops it', async ({
  page,
}) => {
  const watched = await watchScripts(page);
  await page.goto('/');
  await page.evaluate((html) => {
    document.body.insertAdjacentHTML('beforeend', html);
  }, CORPUS[0]!);
  await expect
    .poll(() => harm(page))
    .toEqual(['script-src-attr inline', '<img src="x" data-xss="" onerror="xss()">']);
  // A document of its own: what is written into this one stays under its policy.
  await page.goto('about:blank');
  await page.evaluate((html) => {
    Object.assign(window, { xss: () => alert('ran') });
    document.body.insertAdjacentHTML('beforeend', html);
  }, CORPUS[0]!);
  await expect.poll(() => watched.dialogs).toEqual(['ran']);
});
