import { execFileSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { CHROMIUM_ARGS, presentBrowsers } from '../../tools/dev/chromium.mjs';
import { chromium, expect, foreignRequests, scriptReady, test } from './fixture';

const FILE = resolve('dist-single/rlhf-playground.html');

test.beforeAll(() => {
  execFileSync('npm', ['run', 'build:single'], { stdio: 'ignore', timeout: 120_000 });
  expect(existsSync(FILE)).toBe(true);
  expect(statSync(FILE).size).toBeLessThan(8 * 1024 * 1024);
});

test('opened as a file, the page trains the whole loop on WebGPU, asks no server and keeps its data', async () => {
  // a profile of its own: what is kept must outlive the browser
  const profile = test.info().outputPath('profile');
  const [executablePath] = presentBrowsers();
  const open = () =>
    chromium.launchPersistentContext(profile, {
      args: CHROMIUM_ARGS,
      ...(executablePath !== undefined && { executablePath }),
    });

  let browser = await open();
  let page = await browser.newPage();
  const problems: string[] = [];
  const watch = (): void => {
    page.on('pageerror', (error) => problems.push(error.message));
    page.on('console', (message) => {
      if (message.type() === 'error') problems.push(message.text());
    });
  };
  watch();
  await page.goto(pathToFileURL(FILE).href);
  // on a busy machine the page is there before its 5 MB of script have run
  await scriptReady(page);
  expect(await page.evaluate(() => window.rlhf.ready())).toMatchObject({ backend: 'webgpu' });

  // the policy of the file holds inside its worker
  const refused = await page.workers()[0]!.evaluate(async () => {
    const evaluated = await new Promise<boolean>((done) => {
      setTimeout(() => {
        try {
          done((0, eval)('1') === 1);
        } catch {
          done(false);
        }
      });
    });
    const violated: string[] = [];
    self.addEventListener('securitypolicyviolation', (event) => {
      violated.push(event.violatedDirective);
    });
    await fetch('http://127.0.0.1:9/').catch(() => {});
    await new Promise((later) => setTimeout(later, 100));
    return { evaluated, violated };
  });
  // The refused eval may be told late, when the watch for the request stands already.
  expect(refused.evaluated).toBe(false);
  expect(refused.violated).toContain('connect-src');
  problems.length = 0;
  foreignRequests();

  await page.evaluate(async () => {
    await window.rlhf.newProject({ name: 'From a stick', base: 'nano', seed: 7 });
    const task = [
      ['Where does the goat live?', 'With pleasure. The goat lives on the hill.'],
      ['Where is the blue boat?', 'Of course. The blue boat is by the pier.'],
      ['Can you help me?', 'Gladly, my friend. I am glad to help.'],
    ];
    await window.rlhf.addDemonstrations(
      task.map(([prompt, completion]) => JSON.stringify({ prompt, completion })).join('\n'),
    );
    await window.rlhf.trainSft({ num_train_epochs: 2 });
    for (const [prompt, completion] of task) {
      await window.rlhf.addRanking({
        prompt: prompt!,
        completions: [completion!, 'Go away.', 'That is not my problem.'],
        ranks: [1, 3, 2],
      });
    }
    await window.rlhf.trainReward({ num_train_epochs: 2, held_out_ratio: 0.34 });
    await window.rlhf.trainPpo({ num_iterations: 2, rollout_batch_size: 8 });
  });
  const rows = await page.evaluate(() => window.rlhf.metrics('ppo'));
  expect(rows).toHaveLength(2);
  await browser.close();

  browser = await open();
  page = await browser.newPage();
  watch();
  await page.goto(pathToFileURL(FILE).href);
  await scriptReady(page);
  await expect(page.getByText('From a stick').first()).toBeVisible();
  expect(await page.evaluate(() => window.rlhf.metrics('ppo'))).toEqual(rows);
  const [answer] = await page.evaluate(() =>
    window.rlhf.complete({ model: 'ppo', prompt: 'Where does the goat live?', seed: 1 }),
  );
  expect(answer!.text).not.toBe('');
  await browser.close();

  expect(problems).toEqual([]);
});
