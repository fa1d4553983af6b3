/**
 * `npm run test:soak`: every suite that has full numbers, with SOAK=1, and what they counted in
 * docs/reliability.json.
 *
 *   npm run test:soak                             everything (an hour and more)
 *   npm run test:soak -- kills device-loss        only test files whose path contains a word
 *   npm run test:soak -- --part 2/5 kills         the second fifth of the numbers
 *   npm run test:soak -- --collect                nothing is run; parts run before are put together
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { findChromium, probe } from '../dev/chromium.mjs';
import { runTool } from '../dev/process.mjs';
import { collected, type CountsRecord } from './collect';

const KEPT = '.cache/soak';
const RESULT = 'docs/reliability.json';
const SUITE_TIMEOUT_MS = 3 * 60 * 60_000;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    part: { type: 'string', default: '1/1' },
    collect: { type: 'boolean', default: false },
  },
});

/** Test files that read SOAK, themselves or through the plan. */
const files = readdirSync('tests', { recursive: true, encoding: 'utf8' })
  .map((path) => `tests/${path.replaceAll('\\', '/')}`)
  .filter((path) => /\.(spec|test)\.ts$/.test(path))
  .filter((path) => /soakPlan|soakAmount|\bSOAK\b/.test(readFileSync(path, 'utf8')))
  .filter((path) => positionals.length === 0 || positionals.some((word) => path.includes(word)))
  .sort();

const chromium = await findChromium();
const failed: string[] = [];
if (!values.collect) {
  if (files.length === 0) throw new Error(`No suite is called ${positionals.join(' or ')}.`);
  if (positionals.length === 0 && values.part === '1/1') {
    rmSync(KEPT, { recursive: true, force: true });
  }
  const env = { SOAK: '1', SOAK_PART: values.part, CHROME_BIN: chromium };
  const options = { env, timeoutMs: SUITE_TIMEOUT_MS };
  if (files.some((path) => path.startsWith('tests/e2e/'))) {
    const { code } = await runTool('vite/bin/vite.js', ['build', '--logLevel', 'warn'], options);
    if (code !== 0) throw new Error('The page could not be built.');
  }
  for (const path of files) {
    console.log(`\n== ${path}`);
    const { code } = path.startsWith('tests/e2e/')
      ? await runTool('@playwright/test/cli.js', ['test', path], options)
      : await runTool('vitest/vitest.mjs', ['run', path], options);
    if (code !== 0) failed.push(path);
  }
}

mkdirSync(KEPT, { recursive: true });
const records = readdirSync(KEPT).map(
  (name) => JSON.parse(readFileSync(`${KEPT}/${name}`, 'utf8')) as CountsRecord,
);
const found = await probe(chromium);
const result = {
  date: new Date().toISOString(),
  commit: execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim(),
  adapter: 'adapter' in found ? found.adapter : found.problem,
  failed,
  suites: collected(records),
};
writeFileSync(RESULT, `${JSON.stringify(result, undefined, 2)}\n`);
console.log(`\n${RESULT} is written: ${records.length} parts, ${failed.length} suites failed.`);
for (const path of failed) console.log(`FAILED ${path}`);
process.exit(failed.length === 0 ? 0 : 1);
