/**
 * `npm test`: installs what is missing, finds a Chromium with WebGPU, and runs every suite.
 *
 *   npm test                        everything
 *   npm test -- gpu e2e             only these suites: check, size, gpu, wasm, e2e
 *   npm test -- gpu --filter ppo    only the test files of a suite whose path contains the word
 *   npm test -- --reuse-check       takes the results of an `npm run check` just made
 */
import { createServer } from 'node:net';
import { parseArgs } from 'node:util';
import { check } from './check.mjs';
import { findChromium } from './chromium.mjs';
import { failure, playwrightFailures, vitestFailures } from './failures.mjs';
import { ensureInstalled } from './install.mjs';
import { run, runTool } from './process.mjs';
import {
  freshReport,
  judge,
  playwrightCounts,
  readReport,
  reportPath,
  summarize,
  vitestCounts,
} from './suites.mjs';

/** @typedef {import('./suites.mjs').SuiteResult} SuiteResult */

const MINUTE_MS = 60_000;
// Against what hangs: each takes about half of it on two cores without a graphics card.
const BROWSER_TIMEOUT_MS = 25 * MINUTE_MS;
const E2E_TIMEOUT_MS = 30 * MINUTE_MS;

/** @returns {Promise<number>} a port that nobody listens on */
function freePort() {
  return new Promise((done, fail) => {
    const server = createServer();
    server.on('error', fail);
    server.listen(0, '127.0.0.1', () => {
      const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
      server.close(() => done(port));
    });
  });
}

/**
 * Builds the page and measures what a first visit loads: two checks, the build and the size.
 * @returns {Promise<SuiteResult>}
 */
async function size() {
  console.log('\n== production build and its size');
  const build = await runTool('vite/bin/vite.js', ['build', '--logLevel', 'warn'], {
    timeoutMs: 5 * MINUTE_MS,
  });
  if (build.code !== 0) return judge('build and size', { passed: 0, failed: 1, skipped: 0 }, build);
  const measured = await run(process.execPath, ['tools/dev/check-size.mjs']);
  const ok = measured.code === 0;
  return {
    name: 'build and size',
    passed: ok ? 2 : 1,
    failed: ok ? 0 : 1,
    seconds: build.seconds + measured.seconds,
  };
}

/**
 * The tests of one folder, in Chromium.
 * @param {'gpu' | 'wasm'} project
 * @param {string} name
 * @param {string} chromium
 * @param {string[]} filter
 * @returns {Promise<SuiteResult>}
 */
async function inBrowser(project, name, chromium, filter) {
  console.log(`\n== ${name}: real Chromium`);
  freshReport(project);
  const end = await runTool(
    'vitest/vitest.mjs',
    [
      'run',
      `--project=${project}*`,
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${reportPath(project)}`,
      ...filter,
    ],
    { env: { CHROME_BIN: chromium }, timeoutMs: BROWSER_TIMEOUT_MS },
  );
  const report = readReport(project);
  return judge(name, vitestCounts(report), end, vitestFailures(report));
}

/**
 * @param {string} chromium
 * @param {string[]} filter
 * @returns {Promise<SuiteResult>}
 */
async function e2e(chromium, filter) {
  console.log('\n== end-to-end tests: a person’s journeys through the production build');
  freshReport('e2e');
  const end = await runTool('@playwright/test/cli.js', ['test', ...filter], {
    env: {
      CHROME_BIN: chromium,
      E2E_PORT: String(await freePort()),
      E2E_REPORT: reportPath('e2e'),
    },
    timeoutMs: E2E_TIMEOUT_MS,
  });
  const report = readReport('e2e');
  return judge('end-to-end tests', playwrightCounts(report), end, playwrightFailures(report));
}

/**
 * A suite that could not even start.
 * @param {string} name
 * @param {unknown} error
 * @returns {SuiteResult}
 */
function broken(name, error) {
  const why = error instanceof Error ? error.message : String(error);
  console.error(`\n${why}`);
  return { name, passed: 0, failed: 1, seconds: 0, failures: [failure(name, why)] };
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    filter: { type: 'string', multiple: true, default: [] },
    'reuse-check': { type: 'boolean', default: false },
  },
});
const SUITES = ['check', 'size', 'gpu', 'wasm', 'e2e'];
const unknown = positionals.filter((name) => !SUITES.includes(name));
if (unknown.length > 0) {
  console.error(`Unknown suite: ${unknown.join(', ')}. There are: ${SUITES.join(', ')}.`);
  process.exit(2);
}
const wanted = new Set(positionals.length > 0 ? positionals : SUITES);

await ensureInstalled();

/** @type {SuiteResult[]} */
const results = [];

if (wanted.has('check')) {
  const earlier = values['reuse-check'] ? readReport('check') : undefined;
  results.push(...(earlier ?? (await check())));
}
// The end-to-end tests visit the production build.
if (wanted.has('size') || wanted.has('e2e')) results.push(await size());
if (['gpu', 'wasm', 'e2e'].some((suite) => wanted.has(suite))) {
  try {
    const chromium = await findChromium();
    const { filter } = values;
    if (wanted.has('gpu')) results.push(await inBrowser('gpu', 'GPU tests', chromium, filter));
    if (wanted.has('wasm')) {
      results.push(await inBrowser('wasm', 'WebAssembly tests', chromium, filter));
    }
    if (wanted.has('e2e')) results.push(await e2e(chromium, filter));
  } catch (error) {
    results.push(broken('browser', error));
  }
}

process.exit(summarize(results));
