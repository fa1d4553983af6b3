import { createServer, type Server } from 'node:http';
import { cpSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';
import { expect, test, type Page } from '@playwright/test';
import { releaseOf } from '../../tools/offline/release';

const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.json': 'application/json',
  '.wasm': 'application/wasm',
  '.svg': 'image/svg+xml',
};

/** A plain host of static files below a sub-path, without a special header. */
class Host {
  folder: string;
  asked: string[] = [];
  private server: Server | null = null;

  constructor(folder: string) {
    this.folder = folder;
  }

  async start(): Promise<string> {
    this.server = createServer((request, response) => {
      const path = new URL(request.url!, 'http://host').pathname.replace(/^\/deep\/down\//, '');
      this.asked.push(path);
      const file = join(this.folder, path === '' ? 'index.html' : path);
      const found = statSync(file, { throwIfNoEntry: false })?.isFile() === true;
      response.writeHead(found ? 200 : 404, { 'content-type': TYPES[extname(file)] ?? 'x/y' });
      response.end(found ? readFileSync(file) : 'not here');
    });
    await new Promise<void>((done) => this.server!.listen(0, 'localhost', done));
    return `http://localhost:${(this.server.address() as AddressInfo).port}/deep/down/`;
  }

  async stop(): Promise<void> {
    this.server?.closeAllConnections();
    await new Promise((done) => this.server?.close(done));
    this.server = null;
  }
}

const worksOffline = (page: Page) =>
  expect(page.getByText('Works offline')).toBeVisible({ timeout: 60_000 });

test('with the server stopped the page opens, trains, saves and opens again', async ({ page }) => {
  const host = new Host('dist');
  const address = await host.start();
  await page.goto(address);
  await worksOffline(page);
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
