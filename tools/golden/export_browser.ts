/** Runs a module of the repository in a real browser with WebGPU, served by vite. */
import { resolve } from 'node:path';
import { chromium } from 'playwright';
import { createServer } from 'vite';
import { CHROMIUM_ARGS, presentBrowsers } from '../dev/chromium.mjs';

export const root = resolve(import.meta.dirname, '../..');

export interface ExportPage {
  /** Process id of the browser. */
  pid: number;
  /** Calls an exported function of the module; arguments and result are JSON. */
  call<T>(name: string, ...args: unknown[]): Promise<T>;
  close(): Promise<void>;
}

/** @param module path from the repository's root */
export async function openExportPage(module: string): Promise<ExportPage> {
  const server = await createServer({
    root,
    logLevel: 'error',
    // Of its own, and complete before the first request: a dependency discovered midway reloads.
    cacheDir: '.cache/vite-export',
    optimizeDeps: { entries: ['tools/golden/export_*_page.ts'] },
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
  await tab.route(blank, (route) =>
    route.fulfill({ contentType: 'text/html', body: '<!doctype html><title>export</title>' }),
  );
  await tab.goto(blank);
  return {
    pid: started.process().pid!,
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
