/**
 * What failed, and why, in a few lines each: they stand right above the closing line, because of a
 * long run often nothing but its end is kept.
 */
import { relative } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { ROOT } from './process.mjs';

const LINES_EACH = 6;
const LINE_LENGTH = 200;

/**
 * @param {string} where
 * @param {string} [why]
 */
export function failure(where, why = '') {
  const lines = stripVTControlCharacters(why)
    .split('\n')
    .filter((line) => line.trim() !== '')
    .slice(0, LINES_EACH)
    .map((line) => `    ${line.slice(0, LINE_LENGTH)}`);
  return [`  ${where}`, ...lines].join('\n');
}

/**
 * Of a vitest JSON report.
 * @param {any} report
 * @returns {string[]}
 */
export function vitestFailures(report) {
  if (report === undefined) return [];
  return report.testResults.flatMap(
    /** @param {any} file */
    (file) => {
      const path = relative(ROOT, file.name);
      if (file.status === 'failed' && file.assertionResults.length === 0) {
        return [failure(path, file.message)];
      }
      return file.assertionResults
        .filter((/** @type {any} */ { status }) => status !== 'passed')
        .map((/** @type {any} */ { fullName, status, failureMessages }) =>
          failure(`${path}: ${fullName}`, failureMessages?.join('\n') || status),
        );
    },
  );
}

/**
 * Of a Playwright JSON report.
 * @param {any} report
 * @returns {string[]}
 */
export function playwrightFailures(report) {
  if (report === undefined) return [];
  return [
    ...report.errors.map((/** @type {any} */ { message }) => failure('outside tests', message)),
    ...report.suites.flatMap(failedSpecs),
  ];
}

/**
 * @param {any} suite suites hold suites
 * @returns {string[]}
 */
function failedSpecs(suite) {
  const own = (suite.specs ?? [])
    .filter((/** @type {any} */ { ok, tests }) => !ok || tests.some(isSkipped))
    .map((/** @type {any} */ { file, line, title, tests }) => {
      const errors = tests.flatMap((/** @type {any} */ { results }) =>
        results.flatMap((/** @type {any} */ result) => result.errors ?? []),
      );
      const why = errors.map((/** @type {any} */ { message }) => message).join('\n');
      return failure(`${file}:${line} ${title}`, why || 'skipped');
    });
  return [...own, ...(suite.suites ?? []).flatMap(failedSpecs)];
}

const isSkipped = (/** @type {any} */ { status }) => status === 'skipped';
