/** Runs a module of the repository in a real Chromium with WebGPU, served by vite. */
import { basename, resolve } from 'node:path';
import { chromium } from 'playwright';
import { createServer, type Plugin } from 'vite';
import { CHROMIUM_ARGS, presentBrowsers } from './chromium.mjs';

/** The repository's root folder. */
export const ROOT_FOLDER = resolve(import.meta.dirname, '../..');

export interface BrowserPage {
  /** Process id of the browser. */
  pid: number;
  /** Version of Chromium. */
  version: string;
  /** Calls an exported function of the module; arguments and result are JSON. */
  call<T>(name: string, ...args: unknown[]): Promise<T>;
  close(): Promise<void>;
}

export interface BrowserPageOptions {
  /** Modules besides the first that the page will load, as paths from the root or glob patterns. */
  entries?: string[];
  plugins?: Plugin[];
}

/**
 * Serves the repository, public/ included, and opens an empty tab in which the exported functions of
 * one module can be called.
 * @param module path from the repository's root, with `/`
 */
export async function openBrowserPage(
  module: string,
  { entries = [], plugins = [] }: BrowserPageOptions = {},
): Promise<BrowserPage> {
  const server = await createServer({
    root: ROOT_FOLDER,
    configFile: false,
    logLevel: 'warn',
    // Of its own, and complete before the first request: a dependency discovered midway reloads.
    cacheDir: `.cache/vite-${basename(module, '.ts')}`,
    optimizeDeps: { entries: [module, ...entries] },
    plugins,
    // Files that change during a run must not change the run.
    server: { host: '127.0.0.1', port: 0, hmr: false, watch: null },
  });
  await server.listen();
  const blank = `${server.resolvedUrls!.local[0]!}blank`;

  const [executablePath] = presentBrowsers();
  const started = await chromium.launchServer({
    args: CHROMIUM_ARGS,
    ...(executablePath !== undefined && { executablePath }),
  });
  const browser = await chromium.connect(started.wsEndpoint());
  const tab = await browser.newPage();
  tab.on('pageerror', (error) => console.error(error));
  await tab.route(blank, (route) =>
    route.fulfill({ contentType: 'text/html', body: '<!doctype html><title>module</title>' }),
  );
  await tab.goto(blank);
  return {
    pid: started.process().pid!,
    version: browser.version(),
    call: (name, ...args) => {
      const list = args.map((value) => JSON.stringify(value)).join(', ');
      // A string: what a bundler makes of a function need not run in the page.
      return tab.evaluate(`import('/${module}').then((module) => module.${name}(${list}))`);
    },
    close: async () => {
      await browser.close();
      await started.close();
      await server.close();
    },
  };
}
