import { describe, expect, test } from 'vitest';
import {
  chosenFallback,
  fastestCorrect,
  withFallbackChosen,
  type Measured,
} from '../../../src/core/variant-choice';

const measured = (variant: Measured['variant'], ms: number | null, wrong = false): Measured => ({
  variant,
  ms,
  maxError: 0,
  problem: wrong ? { kind: 'wrong', reason: 'planted' } : null,
});
const choice = (...candidates: Measured[]) => fastestCorrect(candidates).chosen;

describe('of the variants of a kernel', () => {
  test('the fastest is chosen', () => {
    expect(choice(measured('registers', 3), measured('shared', 1))).toBe('shared');
    expect(choice(measured('registers', 1), measured('shared', 3))).toBe('registers');
  });

  test('the simplest wins a tie of 5 %, and no more than that', () => {
    expect(choice(measured('registers', 1.049), measured('shared', 1))).toBe('registers');
    expect(choice(measured('registers', 1.06), measured('shared', 1))).toBe('shared');
    expect(choice(measured('shared', 0), measured('registers', 0))).toBe('registers');
    expect(choice(measured('subgroups', 1), measured('shared', 1.04))).toBe('shared');
    expect(choice(measured('subgroups', 1), measured('shared', 1.06))).toBe('subgroups');
  });

  test('a wrong one is never chosen, and takes no part in the comparison', () => {
    expect(choice(measured('registers', 9), measured('shared', 1, true))).toBe('registers');
    expect(choice(measured('registers', 1, true), measured('shared', 9))).toBe('shared');
  });

  test('none that is right leaves the reference', () => {
    expect(choice(measured('registers', 1, true), measured('shared', 1, true))).toBe('reference');
    expect(choice()).toBe('reference');
  });

  test('one that was not timed loses to one that was, and is taken when it is alone', () => {
    expect(choice(measured('registers', null), measured('shared', 5))).toBe('shared');
    expect(choice(measured('registers', null))).toBe('registers');
  });

  test('each is told its verdict', () => {
    const { candidates } = fastestCorrect([
      measured('registers', 3),
      measured('shared', 1),
      measured('shared', 1, true),
    ]);
    expect(candidates.map(({ verdict, reason }) => [verdict, reason])).toEqual([
      ['slower', null],
      ['chosen', null],
      ['wrong', 'planted'],
    ]);
  });
});

describe('without WebGPU', () => {
  const wasm = (ms: number | null) => ({
    backend: 'wasm' as const,
    ms,
    reason: ms === null ? 'no' : null,
  });
  const webgl = (ms: number | null) => ({ ...wasm(ms), backend: 'webgl' as const });

  test('WebGL is taken where it is clearly faster, else WebAssembly', () => {
    const chosen = (a: number | null, b: number | null) =>
      chosenFallback(withFallbackChosen([wasm(a), webgl(b)]));
    expect(chosen(100, 89)).toBe('webgl');
    expect(chosen(100, 91)).toBe('wasm');
    expect(chosen(100, null)).toBe('wasm');
    expect(chosen(null, 500)).toBe('webgl');
  });

  test('the other one is told why not; none at all is an error with both reasons', () => {
    expect(withFallbackChosen([wasm(5), webgl(2)])).toEqual([
      { backend: 'wasm', ms: 5, reason: 'slower' },
      { backend: 'webgl', ms: 2, reason: null },
    ]);
    expect(() => withFallbackChosen([wasm(null), webgl(null)])).toThrow('wasm: no, webgl: no');
  });
});
