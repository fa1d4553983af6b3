/** What the Content-Security-Policy refuses, in the page and inside its workers, on two kinds of host. */
import type { Page, Worker } from '@playwright/test';
import { expect, foreignRequests, test } from './fixture';
import { Host, Stranger } from './host';

/** What was tried and went through. */
type Allowed = string[];

/**
 * Tries what an attacker would, in a worker of any kind. From a timer: what the test's own connection
 * evaluates directly is exempt from the policy.
 */
async function triesOfWorker(stranger: string): Promise<Allowed> {
  const evaluated = await new Promise<Allowed>((done) => {
    setTimeout(() => {
      const tries: Record<string, () => unknown> = {
        eval: () => (0, eval)('1') as unknown,
        Function: () => (Reflect.construct(Function, ['return 1']) as () => unknown)(),
      };
      const through = Object.keys(tries).filter((name) => {
        try {
          return tries[name]!() === 1;
        } catch {
          return false;
        }
      });
      done(through);
    });
  });
  const fetched = await fetch(`${stranger}worker-fetch`).then(
    () => ['fetch'],
    () => [],
  );
  const socket = await new Promise<Allowed>((done) => {
    try {
      const tried = new WebSocket(`${stranger.replace('http', 'ws')}worker-socket`);
      // A socket that is refused by the policy fails as well: the stranger knows who asked.
      tried.addEventListener('error', () => done([]));
    } catch {
      done([]);
    }
  });
  return [...evaluated, ...fetched, ...socket];
}

async function triesOfPage(stranger: string): Promise<Allowed> {
  const through: Allowed = [];
  const mark = window as unknown as Record<string, (name: string) => void>;
  mark['ran'] = (name) => void through.push(name);
  const add = (tag: string, set: Record<string, string>, text = ''): void => {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(set)) element.setAttribute(name, value);
    element.textContent = text;
    document.body.append(element);
    if (tag === 'a') element.click();
    if (tag === 'form') (element as HTMLFormElement).requestSubmit();
  };
  add('script', {}, 'ran("inline script")');
  add('script', { src: 'data:text/javascript,ran("data: script")' });
  add('script', { src: `${stranger}script` });
  add('img', { src: 'data:,', onerror: 'ran("handler")' });
  add('img', { src: `${stranger}image` });
  add('a', { href: 'javascript:ran("link")' });
  add('iframe', { src: 'javascript:parent.ran("frame")' });
  add('iframe', { src: `${stranger}frame` });
  add('object', { data: `${stranger}object` });
  add('form', { action: `${stranger}form`, target: 'elsewhere' });
  add('style', {}, '#app { color: rgb(1, 2, 3) }');
  add('link', { rel: 'stylesheet', href: `${stranger}styles` });
  if (getComputedStyle(document.querySelector('#app')!).color === 'rgb(1, 2, 3)') {
    through.push('style');
  }
  setTimeout(() => {
    try {
      if ((0, eval)('1') === 1) through.push('eval');
    } catch {
      // refused, as it should be
    }
  });
  await fetch(`${stranger}page-fetch`).then(
    () => through.push('fetch'),
    () => {},
  );
  await new Promise((later) => setTimeout(later, 500));
  return through;
}

const trainingWorker = async (page: Page): Promise<Worker> => {
  await page.evaluate(() => window.rlhf.ready());
  const [worker, ...others] = page.workers();
  expect(others).toEqual([]);
  return worker!;
};

const offlineWorker = async (page: Page): Promise<Worker> => {
  await expect(page.getByText('Works offline')).toBeVisible({ timeout: 60_000 });
  return page.context().serviceWorkers()[0]!;
};

/** Everything is refused in the page and in the training worker, and nobody else hears of it. */
async function expectRefusals(page: Page, stranger: Stranger, there: string): Promise<void> {
  const worker = await trainingWorker(page);
  expect(await worker.evaluate(triesOfWorker, there)).toEqual([]);
  expect(await page.evaluate(triesOfPage, there)).toEqual([]);
  expect(stranger.asked).toEqual([]);
  foreignRequests(); // the browser tells of requests that it then refuses
}

/** index.html as a careless build would have it. */
const withoutPolicy = (path: string, file: Buffer): Buffer | string =>
  path === ''
    ? file.toString().replace(/http-equiv="Content-Security-Policy"/, 'name="nothing"')
    : file;

test.describe('the policy', () => {
  const stranger = new Stranger();
  let there: string;
  test.beforeAll(async () => {
    there = await stranger.start();
  });
  test.beforeEach(() => {
    stranger.asked.length = 0;
  });
  test.afterAll(() => stranger.stop());

  test('holds in the page and in its worker, as `npm start` serves them', async ({ page }) => {
    const answer = await page.goto('/');
    expect(answer!.headers()['content-security-policy']).toContain("connect-src 'self'");
    await expectRefusals(page, stranger, there);
    expect(await (await offlineWorker(page)).evaluate(triesOfWorker, there)).toEqual([]);
    expect(stranger.asked).toEqual([]);
  });

  test('holds in the page and in its worker on a host without headers, online and offline', async ({
    page,
  }) => {
    const host = new Host('dist');
    await page.goto(await host.start());
    await expectRefusals(page, stranger, there);
    await offlineWorker(page);
    await host.stop();
    await page.reload();
    await expectRefusals(page, stranger, there);
  });

  test('is what refuses: without it all of this goes through', async ({ page }) => {
    const host = new Host('dist', withoutPolicy);
    await page.goto(await host.start());
    const worker = await trainingWorker(page);
    expect(await worker.evaluate(triesOfWorker, there)).toEqual(['eval', 'Function', 'fetch']);
    const through = await page.evaluate(triesOfPage, there);
    expect(through.sort()).toEqual(['data: script', 'eval', 'fetch', 'frame', 'handler', 'inline script', 'link', 'style']); // prettier-ignore
    const asked = stranger.asked.filter((path) => path !== '/favicon.ico').sort();
    expect(asked).toEqual(['/form?', '/frame', '/image', '/object', '/page-fetch', '/script', '/styles', '/worker-fetch', '/worker-socket']); // prettier-ignore
    foreignRequests();
    await host.stop();
  });

  test('does not reach what a host without headers serves as a worker: the offline worker', async ({
    page,
  }) => {
    const host = new Host('dist');
    await page.goto(await host.start());
    // a training worker that came by its own address would be no better off
    expect(await (await offlineWorker(page)).evaluate(triesOfWorker, there)).toEqual(['eval', 'Function', 'fetch']); // prettier-ignore
    foreignRequests();
    await host.stop();
  });
});
