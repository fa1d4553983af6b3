/**
 * What a suite's result is, and how results become the closing line.
 */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { ROOT } from './process.mjs';

/**
 * @typedef {object} SuiteResult
 * @property {string} name
 * @property {number} passed
 * @property {number} failed
 * @property {number} seconds
 * @property {string} [note] what went wrong, in a few words
 * @property {string[]} [failures] which tests failed and why, some lines each
 */

/** Reports lie here; nothing in it is tracked. */
export const REPORTS = resolve(ROOT, '.cache/reports');

/** @param {string} name */
export function reportPath(name) {
  return resolve(REPORTS, `${name}.json`);
}

/**
 * Removes an old report, so that a suite that dies early cannot be judged by the run before.
 * @param {string} name
 */
export function freshReport(name) {
  const path = reportPath(name);
  mkdirSync(dirname(path), { recursive: true });
  rmSync(path, { force: true });
  return path;
}

/**
 * @param {string} name
 * @param {unknown} content
 */
export function writeReport(name, content) {
  writeFileSync(freshReport(name), JSON.stringify(content, undefined, 2));
}

/**
 * @param {string} name
 * @returns {any} the report, or undefined when it is missing or cut off
 */
export function readReport(name) {
  const path = reportPath(name);
  if (!existsSync(path)) return undefined;
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}

/**
 * Judges a suite by its counts and its exit status. A skipped test, an empty suite and a suite
 * that ended badly without naming a failed test count as failures.
 * @param {string} name
 * @param {{ passed: number, failed: number, skipped: number } | undefined} counts
 * @param {{ code: number, timedOut: boolean, seconds: number }} end
 * @param {string[]} [failures]
 * @returns {SuiteResult}
 */
export function judge(name, counts, end, failures = []) {
  const { seconds } = end;
  const passed = counts?.passed ?? 0;
  const skipped = counts?.skipped ?? 0;
  let failed = (counts?.failed ?? 0) + skipped;
  const notes = [];
  if (skipped > 0) notes.push(`${skipped} skipped, counted as failed`);
  if (end.timedOut) notes.push('ran out of time');
  if (counts === undefined) notes.push('no report was written');
  else if (passed + failed === 0) notes.push('no tests ran');
  else if (!end.timedOut && end.code !== 0 && failed === 0)
    notes.push(`ended with status ${end.code}`);
  if (failed === 0 && (notes.length > 0 || end.code !== 0)) failed = 1;
  const note = notes.join('; ');
  return { name, passed, failed, seconds, failures, ...(note !== '' && { note }) };
}

/**
 * Counts of a vitest JSON report. A file that fails to load has no tests but is a failure.
 * @param {any} report
 */
export function vitestCounts(report) {
  if (report === undefined) return undefined;
  const unloadable = report.testResults.filter(
    /** @param {any} file */
    (file) => file.status === 'failed' && file.assertionResults.length === 0,
  ).length;
  return {
    passed: report.numPassedTests,
    failed: report.numFailedTests + unloadable,
    skipped: report.numPendingTests + report.numTodoTests,
  };
}

/**
 * Counts of a Playwright JSON report.
 * @param {any} report
 */
export function playwrightCounts(report) {
  if (report === undefined) return undefined;
  const { expected, unexpected, flaky, skipped } = report.stats;
  return { passed: expected, failed: unexpected + flaky + report.errors.length, skipped };
}

/**
 * Prints one line per suite, what failed, and the closing line, and returns the exit status.
 * @param {SuiteResult[]} results
 */
export function summarize(results) {
  console.log('');
  const width = Math.max(...results.map(({ name }) => name.length));
  let passed = 0;
  let failed = 0;
  for (const result of results) {
    passed += result.passed;
    failed += result.failed;
    const state = result.failed === 0 ? 'ok    ' : 'FAILED';
    const time = `${result.seconds.toFixed(1)} s`.padStart(8);
    const counts = `${result.passed} of ${result.passed + result.failed}`;
    const note = result.note === undefined ? '' : ` (${result.note})`;
    console.log(`${state} ${result.name.padEnd(width)} ${time}  ${counts} passed${note}`);
  }
  for (const one of results.flatMap(({ failures = [] }) => failures)) console.log(`\n${one}`);
  console.log('');
  console.log(`${passed} passed, ${failed} failed`);
  return failed === 0 && passed > 0 ? 0 : 1;
}
