import { svelte } from '@sveltejs/vite-plugin-svelte';
import { playwright } from '@vitest/browser-playwright';
import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config';
import { soakPlan } from './tests/soak.ts';
import { CHROMIUM_ARGS, presentBrowsers } from './tools/dev/chromium.mjs';

// `npm test` looks for a browser with WebGPU and hands it over in CHROME_BIN; started directly,
// vitest takes the first browser that is installed, and the first test says whether it will do.
const [executablePath] = presentBrowsers();

/** Tests of rune classes: still in Node, but compiled as the page compiles them. */
const RUNE_TESTS = ['tests/unit/state/**/*.test.ts', 'tests/unit/**/*.svelte.test.ts'];

const UNIT_TEST_TIMEOUT_MS = 20_000;
const GPU_TEST_TIMEOUT_MS = 120_000;

/** Keeps both cores busy by itself, and has to be done in a minute. */
const ALONE = 'tests/wasm/exact-optimum.test.ts';

/** Tests that run in Chromium. */
const inBrowser = (
  name: string,
  own: TestProjectInlineConfiguration['test'],
): TestProjectInlineConfiguration => ({
  plugins: [svelte()],
  // Found before the first test: a dependency discovered midway would reload the page.
  optimizeDeps: { entries: ['src/**/*.ts', 'tests/{gpu,wasm}/**/*.ts'] },
  worker: { format: 'es' },
  test: {
    name,
    testTimeout: GPU_TEST_TIMEOUT_MS,
    hookTimeout: GPU_TEST_TIMEOUT_MS,
    browser: {
      enabled: true,
      headless: true,
      screenshotFailures: false,
      provider: playwright({
        launchOptions: {
          args: CHROMIUM_ARGS,
          ...(executablePath !== undefined && { executablePath }),
        },
      }),
      instances: [{ browser: 'chromium' }],
    },
    ...own,
  },
});

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          environment: 'node',
          include: ['tests/unit/**/*.test.ts'],
          exclude: RUNE_TESTS,
          testTimeout: UNIT_TEST_TIMEOUT_MS,
        },
      },
      {
        plugins: [svelte()],
        resolve: { conditions: ['browser'] },
        test: {
          name: 'unit-runes',
          environment: './tools/dev/node-client-environment.mjs',
          include: RUNE_TESTS,
          testTimeout: UNIT_TEST_TIMEOUT_MS,
        },
      },
      // One adapter, one file at a time: timings and device loss stay attributable.
      inBrowser('gpu', {
        include: ['tests/gpu/**/*.test.ts'],
        provide: { soak: soakPlan() },
        fileParallelism: false,
      }),
      // Long runs of small models, and what the worker does with stages and storage: WebAssembly is
      // fastest there, and keeps one core busy.
      inBrowser('wasm', { include: ['tests/wasm/**/*.test.ts'], exclude: [ALONE], maxWorkers: 2 }),
      inBrowser('wasm-alone', { include: [ALONE], sequence: { groupOrder: 1 } }),
    ],
  },
});
