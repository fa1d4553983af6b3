/** The watch of fixture.ts itself: does it see what leaves, whoever asks? */
import { expect, foreignRequests, test } from './fixture';
import { Host, Stranger } from './host';

/** A page without a policy, in which everything is allowed. */
const UNGUARDED: Record<string, string> = {
  'index.html': '<!doctype html><title>Unguarded</title>',
  'sw.js': `self.addEventListener('install', () => self.skipWaiting());
    self.addEventListener('activate', (event) => event.waitUntil(self.clients.claim()));
    self.addEventListener('message', ({ data }) => void fetch(data));`,
};

test('a request to another origin is seen, whoever makes it', async ({ page }) => {
  const stranger = new Stranger();
  const there = await stranger.start();
  const host = new Host('dist', (path) => UNGUARDED[path === '' ? 'index.html' : path] ?? '');
  await page.goto(await host.start());
  expect(foreignRequests()).toEqual([]);

  await page.evaluate(async (url) => {
    const loaded = (element: HTMLElement, path: string): Promise<unknown> =>
      new Promise((done) => {
        element.addEventListener('load', done);
        element.addEventListener('error', done);
        element.setAttribute('src', url + path);
        document.body.append(element);
      });
    await fetch(`${url}page-fetch`);
    await loaded(new Image(), 'image');
    await loaded(document.createElement('script'), 'script');
    await loaded(document.createElement('iframe'), 'frame');
    await new Promise((done) => {
      new WebSocket(`${url.replace('http', 'ws')}socket`).addEventListener('error', done);
    });
    navigator.sendBeacon(`${url}beacon`);

    const code = `fetch('${url}worker-fetch').then(() => postMessage('done'))`;
    const worker = new Worker(URL.createObjectURL(new Blob([code])));
    await new Promise((done) => worker.addEventListener('message', done));

    await navigator.serviceWorker.register('./sw.js');
    const { active } = await navigator.serviceWorker.ready;
    active!.postMessage(`${url}offline-worker-fetch`);
  }, there);
  await expect.poll(() => stranger.asked).toContain('/offline-worker-fetch');

  const ways = ['page-fetch', 'image', 'script', 'socket', 'beacon', 'worker-fetch', 'offline-worker-fetch']; // prettier-ignore
  const seen = foreignRequests().map((url) => new URL(url).pathname);
  expect(seen).toEqual(expect.arrayContaining(ways.map((way) => `/${way}`)));
  await host.stop();
  await stranger.stop();
});
