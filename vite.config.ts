import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig, type Plugin } from 'vite';
import { thirdPartyNotice } from './tools/licences/notice.ts';
import { offlineRelease } from './tools/offline/release.ts';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** The policy as index.html states it: the one place where it is written. */
function contentSecurityPolicy(): string {
  const policy = /http-equiv="Content-Security-Policy"\s+content="([^"]+)"/.exec(
    readFileSync(here('index.html'), 'utf8'),
  )?.[1];
  if (policy === undefined) throw new Error('index.html has no Content-Security-Policy');
  return policy;
}

/**
 * The development server only: hot replacement adds <style> elements and needs a web socket.
 * The production build keeps index.html's policy as it is.
 */
function developmentPolicy(): Plugin {
  return {
    name: 'development-content-security-policy',
    apply: 'serve',
    transformIndexHtml: (html) =>
      html
        .replace("style-src 'self'", "style-src 'self' 'unsafe-inline'")
        .replace("connect-src 'self'", "connect-src 'self' ws:"),
  };
}

/**
 * Fails the build if TensorFlow.js gets into the page's own chunks: it belongs to the worker, so
 * that the page is interactive before the engine is loaded. (Workers are built with
 * `worker.plugins`, which this one is not among.)
 */
function tensorflowOnlyInWorker(): Plugin {
  return {
    name: 'tensorflow-only-in-worker',
    apply: 'build',
    generateBundle(_options, bundle) {
      for (const chunk of Object.values(bundle)) {
        if (chunk.type !== 'chunk') continue;
        const found = chunk.moduleIds.find((id) => id.includes('/node_modules/@tensorflow/'));
        if (found !== undefined) {
          this.error(`${found} is in the page's chunk ${chunk.fileName}; only workers may load it`);
        }
      }
    },
  };
}

// The offline worker must keep its name and place: its scope is the folder it is served from.
const offlineWorker = here('src/sw.ts');
const notice = thirdPartyNotice();

export default defineConfig({
  // Relative addresses: the built page works from any folder of any host.
  base: './',
  plugins: [svelte(), developmentPolicy(), tensorflowOnlyInWorker(), notice.page, offlineRelease()],
  worker: { format: 'es', plugins: () => [notice.worker()] },
  build: {
    target: 'esnext',
    // Nothing as data: URLs; the policy allows those for pictures only.
    assetsInlineLimit: 0,
    manifest: true,
    modulePreload: { polyfill: false },
    // The worker is large by nature; the page's own limit is kept by tools/dev/check-size.mjs.
    chunkSizeWarningLimit: 4096,
    rolldownOptions: {
      input: {
        page: here('index.html'),
        sw: offlineWorker,
      },
      output: {
        entryFileNames: ({ name }) => (name === 'sw' ? 'sw.js' : 'assets/[name]-[hash].js'),
      },
    },
  },
  preview: {
    headers: {
      'Content-Security-Policy': `${contentSecurityPolicy()}; frame-ancestors 'none'`,
      'X-Content-Type-Options': 'nosniff',
      'Referrer-Policy': 'no-referrer',
    },
  },
});
