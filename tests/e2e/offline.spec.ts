import { cpSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from '@playwright/test';
import { releaseOf } from '../../tools/offline/release';
import { expect, test } from './fixture';
import { Host } from './host';

const worksOffline = (page: Page) =>
  expect(page.getByText('Works offline')).toBeVisible({ timeout: 60_000 });

test('with the server stopped the page opens, trains, saves and opens again', async ({ page }) => {
  const host = new Host('dist');
  const address = await host.start();
  await page.goto(address);
  await worksOffline(page);
  const devtools = await page.context().newCDPSession(page);
  const { installabilityErrors } = await devtools.send('Page.getInstallabilityErrors');
  // the one thing that is wrong is the test's own window
  expect(installabilityErrors.map(({ errorId }) => errorId)).toEqual(['in-incognito']);
  await host.stop();

  await page.reload();
  await page.evaluate(async () => {
    await window.rlhf.ready();
    await window.rlhf.newProject({ name: 'On a plane', base: 'tiny', seed: 3 });
    await window.rlhf.newProject({ name: 'On a train', base: 'nano', seed: 3 });
    await window.rlhf.addDemonstrations(
      '{"prompt":"Where is it?","completion":"It is on the hill."}\n{"prompt":"Who is it?","completion":"It is Rosa."}',
    );
    await window.rlhf.trainSft({ num_train_epochs: 1 });
  });
  await page.reload();
  await expect(page.getByText('On a train').first()).toBeVisible();
  const rows = await page.evaluate(() => window.rlhf.metrics('sft'));
  expect(rows.length).toBeGreaterThan(0);
  // both shipped bases of a first visit are there
  const text = await page.evaluate(async () => {
    const [project] = (await window.rlhf.listProjects()).filter(({ base }) => base === 'tiny');
    await window.rlhf.openProject(project!.id);
    const [answer] = await window.rlhf.complete({ model: 'base', prompt: 'Once', n: 1 });
    return answer!.text;
  });
  expect(text).not.toBe('');
});

/** The same release with one chunk under another name and another word in its page. */
function newerRelease(folder: string): void {
  cpSync('dist', folder, { recursive: true });
  const assets = join(folder, 'assets');
  const chunk = readdirSync(assets).find((name) => /^project-file-.*\.js$/.test(name))!;
  renameSync(join(assets, chunk), join(assets, 'project-file-newer.js'));
  for (const name of readdirSync(assets).filter((file) => file.endsWith('.js'))) {
    const path = join(assets, name);
    writeFileSync(path, readFileSync(path, 'utf8').replaceAll(chunk, 'project-file-newer.js'));
  }
  const index = join(folder, 'index.html');
  writeFileSync(
    index,
    readFileSync(index, 'utf8').replace('<html lang="en">', '<html lang="en" data-release="B">'),
  );
  const worker = join(folder, 'sw.js');
  const release = JSON.stringify(JSON.stringify(releaseOf(folder)));
  writeFileSync(
    worker,
    readFileSync(worker, 'utf8').replace(
      /JSON\.parse\("(?:[^"\\]|\\.)*"\)/,
      () => `JSON.parse(${release})`,
    ),
  );
}

test('a new release waits until it is asked for, and the old one stays whole meanwhile', async ({
  page,
}, testInfo) => {
  const host = new Host('dist');
  const address = await host.start();
  await page.goto(address);
  await worksOffline(page);
  await page.evaluate(() => window.rlhf.newProject({ name: 'Kept', seed: 5 }));

  host.folder = testInfo.outputPath('newer');
  newerRelease(host.folder);
  await page.reload();
  const offer = page.getByRole('button', { name: 'Load it' });
  await expect(offer).toBeVisible({ timeout: 30_000 });
  await expect(page.locator('html[data-release="B"]')).toHaveCount(0);
  // a chunk of the old release that nobody serves any more
  expect(await page.evaluate(async () => (await window.rlhf.exportProject()).size)).toBeGreaterThan(
    0,
  );
  // what has not changed is not fetched again
  expect(host.asked.filter((path) => path === 'models/tiny/model.safetensors')).toHaveLength(1);

  await page.evaluate(async () => {
    await window.rlhf.ready();
    await window.rlhf.addDemonstrations('{"prompt":"Who?","completion":"Rosa."}');
    void window.rlhf.trainSft({ num_train_epochs: 30 });
    while ((await window.rlhf.metrics('sft')).length === 0) {
      await new Promise((done) => setTimeout(done, 50));
    }
  });
  await expect(offer).toBeDisabled();
  await page.evaluate(() => window.rlhf.stop());
  await expect(offer).toBeEnabled();
  await offer.click();
  await expect(page.locator('html[data-release="B"]')).toHaveCount(1, { timeout: 30_000 });
  await expect(page.getByText('Kept').first()).toBeVisible();
  expect(
    await page.evaluate(async () => (await window.rlhf.metrics('sft')).length),
  ).toBeGreaterThan(0);
  await host.stop();
  await page.reload();
  await expect(page.locator('html[data-release="B"]')).toHaveCount(1);
});
