/** A real Chromium on a profile that outlives it, and two ways to end it without a warning. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { Browser, BrowserContext, Page } from '@playwright/test';
import { chromium } from '../fixture';
import { CHROMIUM_ARGS, presentBrowsers } from '../../../tools/dev/chromium.mjs';

const START_MS = 60_000;

export class KillableBrowser {
  readonly context: BrowserContext;
  private readonly browser: Browser;
  private readonly process: ChildProcess;

  private constructor(browser: Browser, child: ChildProcess) {
    this.browser = browser;
    this.context = browser.contexts()[0]!;
    this.process = child;
  }

  /** Starts Chromium by hand: Playwright hides the process of a persistent profile. */
  static async start(profile: string): Promise<KillableBrowser> {
    const path = presentBrowsers()[0] ?? chromium.executablePath();
    const child = spawn(
      path,
      [
        ...CHROMIUM_ARGS,
        '--headless=new',
        `--user-data-dir=${profile}`,
        '--remote-debugging-port=0',
        '--no-first-run',
        '--no-default-browser-check',
        '--disable-breakpad',
        '--disable-extensions',
        '--disable-background-networking',
        '--disable-background-timer-throttling',
        '--disable-renderer-backgrounding',
        '--disable-backgrounding-occluded-windows',
        '--disable-dev-shm-usage',
        '--password-store=basic',
        '--use-mock-keychain',
        'about:blank',
      ],
      // A group of its own, so that one signal reaches all its processes.
      { stdio: ['ignore', 'ignore', 'pipe'], detached: process.platform !== 'win32' },
    );
    const address = await debuggingAddress(child);
    return new KillableBrowser(await chromium.connectOverCDP(address), child);
  }

  /** Crashes the process of a page, workers included; the browser stays. */
  async crash(page: Page): Promise<void> {
    const crashed = page.waitForEvent('crash');
    const session = await this.context.newCDPSession(page);
    // It never answers: the process that would is gone.
    void session.send('Page.crash').catch(() => undefined);
    await crashed;
    await page.close();
  }

  /** SIGKILL for every process of the browser: nothing gets to run its last words. */
  async kill(): Promise<void> {
    const { pid } = this.process;
    if (pid === undefined || this.process.exitCode !== null) return;
    // Closing a browser that is being killed may wait for an answer for ever.
    const ended = Promise.all([
      once(this.process, 'exit'),
      new Promise((gone) => this.browser.once('disconnected', gone)),
    ]);
    if (process.platform === 'win32') this.process.kill('SIGKILL');
    else process.kill(-pid, 'SIGKILL');
    await ended;
  }
}

function debuggingAddress(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = '';
    const late = setTimeout(() => reject(new Error(`Chromium did not start: ${said}`)), START_MS);
    child.stderr!.on('data', (bytes: Buffer) => {
      said += bytes.toString();
      const address = /DevTools listening on (ws:\S+)/.exec(said)?.[1];
      if (address === undefined) return;
      clearTimeout(late);
      resolve(address);
    });
    child.on('exit', (code) => reject(new Error(`Chromium ended with ${code}: ${said}`)));
  });
}
