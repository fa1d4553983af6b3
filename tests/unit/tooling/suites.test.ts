import { describe, expect, test, vi } from 'vitest';
import { playwrightFailures, vitestFailures } from '../../../tools/dev/failures.mjs';
import {
  judge,
  playwrightCounts,
  summarize,
  vitestCounts,
  type SuiteResult,
} from '../../../tools/dev/suites.mjs';

const ENDED_WELL = { code: 0, timedOut: false, seconds: 1 };
const counts = (passed: number, failed = 0, skipped = 0) => ({ passed, failed, skipped });

describe('a suite passes only if', () => {
  test('all its tests passed', () => {
    expect(judge('s', counts(3), ENDED_WELL)).toMatchObject({ passed: 3, failed: 0 });
    expect(judge('s', counts(3, 2), { ...ENDED_WELL, code: 1 })).toMatchObject({ failed: 2 });
  });

  test('it ran at least one test', () => {
    expect(judge('s', counts(0), ENDED_WELL)).toMatchObject({ failed: 1, note: 'no tests ran' });
  });

  test('it skipped none', () => {
    expect(judge('s', counts(3, 0, 2), ENDED_WELL)).toMatchObject({ passed: 3, failed: 2 });
  });

  test('it wrote a report', () => {
    expect(judge('s', undefined, ENDED_WELL)).toMatchObject({ failed: 1 });
  });

  test('its process ended with status 0, in time', () => {
    expect(judge('s', counts(3), { ...ENDED_WELL, code: 2 })).toMatchObject({ failed: 1 });
    const late = { code: 124, timedOut: true, seconds: 9 };
    expect(judge('s', counts(3), late)).toMatchObject({ failed: 1, note: 'ran out of time' });
  });
});

test('a test file that does not load is a failure, although it has no failed test', () => {
  const report = {
    numPassedTests: 4,
    numFailedTests: 0,
    numPendingTests: 0,
    numTodoTests: 0,
    testResults: [
      { status: 'passed', assertionResults: [{}, {}, {}, {}] },
      { status: 'failed', assertionResults: [] },
    ],
  };
  expect(vitestCounts(report)).toEqual(counts(4, 1));
});

test('a flaky end-to-end test and an error outside tests are failures', () => {
  const report = {
    stats: { expected: 5, unexpected: 1, flaky: 1, skipped: 2 },
    errors: [{ message: 'the server did not start' }],
  };
  expect(playwrightCounts(report)).toEqual(counts(5, 3, 2));
});

describe('why a test failed is said in a few lines', () => {
  const long = ['\u001b[31mexpected 1 to be 2\u001b[39m', '', ...Array<string>(20).fill('at x')];
  const six = ['expected 1 to be 2', ...Array<string>(5).fill('at x')].map((line) => `    ${line}`);

  test('of vitest, also for a file that does not load', () => {
    const passed = { fullName: 'adds', status: 'passed', failureMessages: [] };
    const failed = { fullName: 'counts', status: 'failed', failureMessages: [long.join('\n')] };
    const skipped = { fullName: 'waits', status: 'pending', failureMessages: [] };
    const report = {
      testResults: [
        { name: 'tests/a.test.ts', status: 'failed', assertionResults: [passed, failed, skipped] },
        { name: 'tests/b.test.ts', status: 'failed', message: 'no such', assertionResults: [] },
      ],
    };
    expect(vitestFailures(report)).toEqual([
      ['  tests/a.test.ts: counts', ...six].join('\n'),
      '  tests/a.test.ts: waits\n    pending',
      '  tests/b.test.ts\n    no such',
    ]);
  });

  test('of Playwright, also in a group and outside tests', () => {
    const spec = (title: string, status: string, errors: { message: string }[]) => ({
      ok: status !== 'unexpected',
      file: 'a.spec.ts',
      line: 3,
      title,
      tests: [{ status, results: [{ errors }] }],
    });
    const report = {
      errors: [{ message: 'no server' }],
      suites: [
        {
          specs: [spec('adds', 'expected', []), spec('waits', 'skipped', [])],
          suites: [{ specs: [spec('counts', 'unexpected', [{ message: long.join('\n') }])] }],
        },
      ],
    };
    expect(playwrightFailures(report)).toEqual([
      '  outside tests\n    no server',
      '  a.spec.ts:3 waits\n    skipped',
      ['  a.spec.ts:3 counts', ...six].join('\n'),
    ]);
  });
});

describe('the closing line', () => {
  const closing = (results: SuiteResult[]) => {
    const lines: string[] = [];
    const log = vi.spyOn(console, 'log').mockImplementation((line: string) => {
      lines.push(line);
    });
    const status = summarize(results);
    log.mockRestore();
    const plain = lines.filter((line) => /^\d+ passed/.test(line));
    return { status, last: lines.at(-1), above: lines.at(-3), plain };
  };
  const suite = (name: string, passed: number, failed: number) => ({
    name,
    passed,
    failed,
    seconds: 1,
  });

  test('sums over all suites and stands alone', () => {
    const { status, last, plain } = closing([suite('a', 3, 0), suite('b', 4, 0)]);
    expect({ status, last, plain }).toEqual({
      status: 0,
      last: '7 passed, 0 failed',
      plain: ['7 passed, 0 failed'],
    });
  });

  test('comes right after what failed', () => {
    const failed = { ...suite('a', 3, 1), failures: ['  counts\n    expected 1 to be 2'] };
    expect(closing([failed, suite('b', 4, 0)])).toMatchObject({
      above: '\n  counts\n    expected 1 to be 2',
      last: '7 passed, 1 failed',
    });
  });

  test('goes with a status that is not 0 when anything failed', () => {
    expect(closing([suite('a', 3, 0), suite('b', 4, 1)])).toMatchObject({
      status: 1,
      last: '7 passed, 1 failed',
    });
  });
});
