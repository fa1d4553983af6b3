import { defineConfig, devices } from '@playwright/test';
import { CHROMIUM_ARGS, presentBrowsers } from './tools/dev/chromium.mjs';

const [executablePath] = presentBrowsers();
const port = Number(process.env['E2E_PORT'] ?? 4179);
const report = process.env['E2E_REPORT'];

export default defineConfig({
  testDir: 'tests/e2e',
  testMatch: '**/*.spec.ts',
  outputDir: 'test-results',
  // One browser at a time: training in two would halve the speed of both.
  workers: 1,
  fullyParallel: false,
  forbidOnly: true,
  retries: 0,
  timeout: 300_000,
  expect: { timeout: 15_000 },
  reporter: [
    ['list'],
    ...(report === undefined ? [] : [['json', { outputFile: report }] as ['json', object]]),
  ],
  use: {
    ...devices['Desktop Chrome'],
    baseURL: `http://localhost:${port}/`,
    serviceWorkers: 'allow',
    screenshot: 'only-on-failure',
    // A trace of every journey costs a tenth of its time: `npx playwright test --trace on` when one fails.
    trace: 'off',
    launchOptions: {
      args: CHROMIUM_ARGS,
      ...(executablePath !== undefined && { executablePath }),
    },
  },
  webServer: {
    // The production build, with its strict policy; `npm test` has just built it.
    command: `node node_modules/vite/bin/vite.js preview --port ${port} --strictPort`,
    url: `http://localhost:${port}/`,
    reuseExistingServer: false,
    timeout: 30_000,
  },
});
