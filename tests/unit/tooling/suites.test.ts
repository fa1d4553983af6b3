import { describe, expect, test, vi } from 'vitest';
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

describe('the closing line', () => {
  const closing = (results: SuiteResult[]) => {
    const lines: string[] = [];
    const log = vi.spyOn(console, 'log').mockImplementation((line: string) => {
      lines.push(line);
    });
    const status = summarize(results);
    log.mockRestore();
    return { status, last: lines.at(-1), plain: lines.filter((line) => /^\d+ passed/.test(line)) };
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

  test('goes with a status that is not 0 when anything failed', () => {
    expect(closing([suite('a', 3, 0), suite('b', 4, 1)])).toMatchObject({
      status: 1,
      last: '7 passed, 1 failed',
    });
  });
});
