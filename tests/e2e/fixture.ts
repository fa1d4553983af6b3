/**
 * What every end-to-end test stands on: `test` and `chromium` of Playwright, watched. A test fails when
 * anything that it opened (pages, workers, the offline worker, browsers of its own) asks another origin
 * than the one that its page came from.
 */
import {
  chromium as plainChromium,
  expect,
  test as plainTest,
  type Browser,
  type BrowserContext,
  type BrowserType,
  type Page,
  type Request,
} from '@playwright/test';

export { expect };

/** Addresses of requests that left the origin, since `foreignRequests` was last asked. */
let foreign: string[] = [];

const isHere = ({ hostname, protocol }: URL): boolean =>
  protocol === 'file:' || hostname === 'localhost' || hostname === '127.0.0.1';

/** Where the code runs that asked; null before a page has an address. */
function askedFrom(request: Request): string | null {
  const worker = request.serviceWorker();
  if (worker !== null) return worker.url();
  if (request.isNavigationRequest()) return null;
  const page = request.frame().page().url();
  return page === 'about:blank' ? null : page;
}

/** Whether a request stays where its page came from; the first address of a page is the test's choice. */
function staysHome(request: Request): boolean {
  const to = new URL(request.url());
  if (['data:', 'blob:', 'about:'].includes(to.protocol)) return true;
  const from = askedFrom(request);
  return from === null ? isHere(to) : to.origin === new URL(from).origin && isHere(to);
}

/** From now on every request of the context is judged. */
function watch(context: BrowserContext): void {
  context.on('request', (request) => {
    if (!staysHome(request)) foreign.push(request.url());
  });
  context.on('page', (page) => page.on('websocket', (socket) => foreign.push(socket.url())));
}

/** … and of every context that the browser is going to have. */
function watchBrowser(browser: Browser): () => void {
  browser.contexts().forEach(watch);
  browser.on('context', watch);
  return () => browser.off('context', watch);
}

/** What has left the origin since the last call. */
export function foreignRequests(): string[] {
  const found = foreign;
  foreign = [];
  return found;
}

/** Chromium with a profile of its own, or one that a test has started: watched like the others. */
export const chromium = {
  executablePath: (): string => plainChromium.executablePath(),
  async launchPersistentContext(
    ...args: Parameters<BrowserType['launchPersistentContext']>
  ): Promise<BrowserContext> {
    const context = await plainChromium.launchPersistentContext(...args);
    watch(context);
    return context;
  },
  async connectOverCDP(address: string): Promise<Browser> {
    const browser = await plainChromium.connectOverCDP(address);
    watchBrowser(browser);
    return browser;
  },
};

/** Until the page's script has run, so that `window.rlhf` is there. */
export async function scriptReady(page: Page): Promise<void> {
  await page.waitForFunction(() => 'rlhf' in window);
}

export const test = plainTest.extend<{ nothingLeaves: void }>({
  nothingLeaves: [
    async ({ browser }, use) => {
      foreignRequests();
      const unwatch = watchBrowser(browser);
      await use();
      unwatch();
      expect(foreignRequests(), 'requests to another origin').toEqual([]);
    },
    { auto: true },
  ],
});
