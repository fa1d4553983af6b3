/** Composition root: the App on this browser's database and worker, the page, `window.rlhf`. */
import { mount } from 'svelte';
import { createApi, type RlhfApi } from './api';
import { browserParts } from './state/app-parts';
import { App } from './state/app.svelte';
import Page from './ui/App.svelte';

declare global {
  interface Window {
    readonly rlhf: RlhfApi;
  }
}

const root = document.getElementById('app');
if (root === null) throw new Error('index.html has no element with the id "app"');

const app = new App(
  await browserParts(() =>
    app.notify(
      'error',
      'A newer release of this page was opened in another tab, so this one can no longer store anything.',
      'Reload this page.',
    ),
  ),
);
Object.defineProperty(window, 'rlhf', { value: createApi(app), enumerable: true });

// What is waiting to be stored goes now: after this the page may never run again.
window.addEventListener('pagehide', () => app.project?.leave());
document.addEventListener('visibilitychange', () => {
  if (document.hidden) void app.project?.flush().catch(() => {});
});

mount(Page, { target: root, props: { app } });
void app.start().then(() => {
  // Once the page works: what is kept for later must not slow down the first visit.
  if (import.meta.env.PROD && location.protocol !== 'file:') void app.offline.start('./sw.js');
});
