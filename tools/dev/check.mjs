/**
 * `npm run check`: format, lint (with the import table), types, the type canary, dead code, unit
 * tests. Each step counts as one, the unit tests count one by one.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { failure, vitestFailures } from './failures.mjs';
import { ensureInstalled } from './install.mjs';
import { ROOT, runTool } from './process.mjs';
import {
  freshReport,
  judge,
  readReport,
  reportPath,
  summarize,
  vitestCounts,
  writeReport,
} from './suites.mjs';

/** @typedef {import('./suites.mjs').SuiteResult} SuiteResult */

const STEP_TIMEOUT_MS = 5 * 60_000;

const CANARY_FOLDER = resolve(ROOT, '.cache/canary');
const CANARY_NAME = 'canary_is_not_a_number';
/**
 * Type errors that must be reported by the very runs that judge the real files: some versions of
 * the checkers silently report nothing, which looks like success.
 */
const CANARIES = {
  'canary.ts': `export const ${CANARY_NAME}: number = 'text';\n`,
  'Canary.svelte': `<script lang="ts">\n  const ${CANARY_NAME}: number = 'text';\n</script>\n\n<p>{${CANARY_NAME}}</p>\n`,
};

/**
 * @param {string} name
 * @param {string} text printed when the step failed
 * @param {boolean} ok
 * @param {number} seconds
 * @returns {SuiteResult}
 */
function step(name, text, ok, seconds) {
  console.log(`\n== ${name}: ${ok ? 'ok' : 'FAILED'} (${seconds.toFixed(1)} s)`);
  if (!ok) console.log(text.trim());
  const failures = ok ? [] : [failure(name, text)];
  return { name, passed: ok ? 1 : 0, failed: ok ? 0 : 1, seconds, failures };
}

/**
 * A step that is a command line tool: it passes when it ends with status 0.
 * @param {string} name
 * @param {string} entry
 * @param {string[]} args
 */
async function toolStep(name, entry, args) {
  const end = await runTool(entry, args, { quiet: true, timeoutMs: STEP_TIMEOUT_MS });
  return step(name, end.output, end.code === 0, end.seconds);
}

/**
 * @param {string} path as a checker prints it
 * @returns {boolean}
 */
function isCanary(path) {
  return !relative(CANARY_FOLDER, resolve(ROOT, path)).startsWith('..');
}

/** The page's TypeScript files, and the canary among them. */
async function typesOfPage() {
  const end = await runTool(
    'typescript/bin/tsc',
    ['--project', 'tsconfig.json', '--pretty', 'false'],
    { quiet: true, timeoutMs: STEP_TIMEOUT_MS },
  );
  // An error is a line `path(line,column): error TS…` and the indented lines that follow it.
  const errors = end.output.split(/\n(?=\S)/).filter((block) => /error TS\d+/.test(block));
  const [planted, real] = [true, false].map((wanted) =>
    errors.filter((block) => isCanary(block.split('(')[0] ?? '') === wanted),
  );
  return {
    step: step(
      'types: page (tsc)',
      end.output,
      real?.length === 0 && end.code !== 124 && end.code !== 127,
      end.seconds,
    ),
    canarySeen: planted?.some((block) => block.includes('canary.ts')) ?? false,
  };
}

/** Svelte components: types, compiler warnings, accessibility; and the canary among them. */
async function typesOfComponents() {
  const end = await runTool(
    'svelte-check/bin/svelte-check',
    ['--tsconfig', './tsconfig.json', '--output', 'machine-verbose', '--fail-on-warnings'],
    { quiet: true, timeoutMs: STEP_TIMEOUT_MS },
  );
  /** @type {{ type: string, filename: string, start: { line: number }, message: string }[]} */
  const findings = end.output.split('\n').flatMap((line) => {
    const json = /^\d+ (\{.*\})$/.exec(line)?.[1];
    return json === undefined ? [] : [JSON.parse(json)];
  });
  const planted = findings.filter(({ filename }) => isCanary(filename));
  const real = findings.filter(({ filename }) => !isCanary(filename));
  // Without its closing line the checker did not get to its end.
  const completed = / COMPLETED /.test(end.output);
  const text = real
    .map(({ type, filename, start, message }) => `${filename}:${start.line + 1} ${type} ${message}`)
    .join('\n');
  return {
    step: step(
      'types: components (svelte-check)',
      completed ? text : end.output,
      completed && real.length === 0,
      end.seconds,
    ),
    canarySeen: planted.some(
      ({ filename, message }) =>
        filename.endsWith('Canary.svelte') && message.includes('not assignable'),
    ),
  };
}

/** @returns {Promise<SuiteResult[]>} */
async function types() {
  rmSync(CANARY_FOLDER, { recursive: true, force: true });
  mkdirSync(CANARY_FOLDER, { recursive: true });
  for (const [name, text] of Object.entries(CANARIES)) {
    writeFileSync(resolve(CANARY_FOLDER, name), text);
  }
  try {
    const page = await typesOfPage();
    const components = await typesOfComponents();
    const unseen = [
      ...(page.canarySeen ? [] : ['tsc did not report the type error planted in canary.ts']),
      ...(components.canarySeen
        ? []
        : ['svelte-check did not report the type error planted in Canary.svelte']),
    ];
    return [
      page.step,
      components.step,
      step('types: planted errors are seen', unseen.join('\n'), unseen.length === 0, 0),
    ];
  } finally {
    rmSync(CANARY_FOLDER, { recursive: true, force: true });
  }
}

/** @returns {Promise<SuiteResult>} */
async function unitTests() {
  console.log('\n== unit tests');
  freshReport('unit');
  const end = await runTool(
    'vitest/vitest.mjs',
    [
      'run',
      '--project=unit*',
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${reportPath('unit')}`,
    ],
    { timeoutMs: STEP_TIMEOUT_MS },
  );
  const report = readReport('unit');
  return judge('unit tests', vitestCounts(report), end, vitestFailures(report));
}

/** @param {(() => Promise<SuiteResult | SuiteResult[]>)[]} steps */
async function inTurn(steps) {
  const results = [];
  for (const one of steps) results.push(await one());
  return results.flat();
}

/**
 * Runs every step, also after one failed, and keeps the results for `npm test -- --reuse-check`.
 * @returns {Promise<SuiteResult[]>}
 */
export async function check() {
  freshReport('check');
  const tsc = (/** @type {string} */ name, /** @type {string} */ project) =>
    toolStep(`types: ${name} (tsc)`, 'typescript/bin/tsc', ['-p', project]);
  // Side by side: each uses one core.
  const [linted, rest] = await Promise.all([
    toolStep('lint and imports (eslint)', 'eslint/bin/eslint.js', ['--max-warnings=0', '.']),
    inTurn([
      () => toolStep('format (prettier)', 'prettier/bin/prettier.cjs', ['--check', '.']),
      types,
      () => tsc('workers', 'tsconfig.worker.json'),
      () => tsc('tests and tools', 'tsconfig.node.json'),
      () => toolStep('dead code (knip)', 'knip/bin/knip.js', []),
    ]),
  ]);
  const results = [linted, ...rest, await unitTests()];
  writeReport('check', results);
  return results;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  await ensureInstalled();
  process.exit(summarize(await check()));
}
