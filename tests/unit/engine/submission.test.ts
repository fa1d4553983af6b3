import { expect, test } from 'vitest';
import { LONGEST_SUBMISSION_MS, SubmissionPacer } from '../../../src/engine/submission';

/** A GPU that needs so long for a kernel, given full submissions one after the other. */
function drive(pacer: SubmissionPacer, msPerKernel: number, submissions: number): number[] {
  const sizes: number[] = [];
  let now = 0;
  for (let i = 0; i < submissions; i++) {
    const { kernels } = pacer;
    sizes.push(kernels);
    pacer.done(kernels, now, now + kernels * msPerKernel);
    now += kernels * msPerKernel;
  }
  return sizes;
}

test('submissions that take too long become smaller until they do not', () => {
  const pacer = new SubmissionPacer();
  const sizes = drive(pacer, 20, 20);
  expect(sizes.slice(0, 4)).toEqual([64, 32, 16, 8]);
  expect(new Set(sizes.slice(3))).toEqual(new Set([8]));
  expect(8 * 20).toBeLessThan(LONGEST_SUBMISSION_MS);
});

test('short ones become larger again, with patience, up to a bound', () => {
  const pacer = new SubmissionPacer();
  drive(pacer, 20, 10);
  const sizes = drive(pacer, 0.1, 100);
  expect(sizes.slice(0, 16)).toEqual(Array<number>(16).fill(8));
  expect(sizes[16]).toBe(16);
  expect(sizes.at(-1)).toBe(64);
  // One long one in between starts the count anew.
  const other = new SubmissionPacer();
  other.kernels = 8;
  for (let i = 0; i < 100; i++) other.done(8, i * 1000, i * 1000 + (i % 10 === 0 ? 100 : 1));
  expect(other.kernels).toBe(8);
});

test('a kernel that is too long by itself is left alone', () => {
  const pacer = new SubmissionPacer();
  expect(drive(pacer, 400, 20).at(-1)).toBe(2);
});

test('waiting behind another submission is not held against one', () => {
  const pacer = new SubmissionPacer();
  // All handed over at once, each done 100 ms after the one before.
  for (let i = 1; i <= 20; i++) pacer.done(64, 0, i * 100);
  expect(pacer.kernels).toBe(64);
  expect(pacer.longestMs).toBe(100);
});

test('what was submitted before the last change does not change it again', () => {
  const pacer = new SubmissionPacer();
  for (let i = 1; i <= 5; i++) pacer.done(64, 0, i * 300);
  expect(pacer.kernels).toBe(32);
  pacer.kernels = 8;
  pacer.done(64, 0, 1800);
  expect(pacer.kernels).toBe(8);
});

test('a readback without kernels says nothing', () => {
  const pacer = new SubmissionPacer();
  pacer.done(0, 0, 10_000);
  expect([pacer.kernels, pacer.longestMs]).toEqual([64, 0]);
  // Nor does a small submission make them larger.
  pacer.kernels = 8;
  for (let i = 0; i < 50; i++) pacer.done(3, i, i + 0.1);
  expect(pacer.kernels).toBe(8);
});
