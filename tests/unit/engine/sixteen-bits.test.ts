import { describe, expect, test } from 'vitest';
import { exactBfloats, exactHalves } from '../../../src/engine/sixteen-bits';
import { widenBfloats, widenHalves } from '../../../src/formats/half';

const patterns = Uint16Array.from({ length: 65536 }, (_, pattern) => pattern);
const finite = patterns.filter((pattern) => (pattern & 0x7c00) !== 0x7c00);

/** The number of a pattern, from its definition. */
function numberOf(pattern: number): number {
  const sign = pattern & 0x8000 ? -1 : 1;
  const exponent = (pattern >> 10) & 31;
  return exponent === 0 ? sign * 0 : sign * (1 + (pattern & 0x3ff) / 1024) * 2 ** (exponent - 25);
}

describe('numbers that 16 bits hold exactly', () => {
  test('every f16 below 128 is among them, −0 and subnormals included', () => {
    const halves = widenHalves(finite).filter((value) => Math.abs(value) < 128);
    expect(halves.length).toBe(2 * 22 * 1024);
    const packed = exactHalves(halves)!;
    expect(Float32Array.from(packed, numberOf)).toEqual(halves);
  });

  test('every bf16 that is not subnormal is its own upper half', () => {
    const bfloats = widenBfloats(
      patterns.filter((pattern) => {
        const exponent = pattern & 0x7f80;
        return exponent !== 0x7f80 && (exponent !== 0 || (pattern & 0x7f) === 0);
      }),
    );
    expect(bfloats.length).toBe(2 * 254 * 128 + 2);
    expect(widenBfloats(exactBfloats(bfloats)!)).toEqual(bfloats);
  });

  test.each([
    ['one bit too many', 1 + 2 ** -11],
    ['too large', 128],
    ['too small', 2 ** -25],
    ['infinite', -Infinity],
    ['no number', NaN],
    ['subnormal', 2 ** -130],
  ])('f16 refuses what is %s', (_, value) => {
    expect(exactHalves(Float32Array.of(1, value))).toBeNull();
  });

  test.each([
    ['one bit too many', 1 + 2 ** -8],
    ['subnormal', 2 ** -130],
    ['infinite', Infinity],
    ['no number', NaN],
  ])('bf16 refuses what is %s', (_, value) => {
    expect(exactBfloats(Float32Array.of(1, value))).toBeNull();
  });

  test('of a part of an array only that part is looked at', () => {
    const all = Float32Array.of(0.1, 2, -3, 0.1);
    expect(exactBfloats(all.subarray(1, 3))).toEqual(Uint16Array.of(0x4000, 0xc040));
  });
});
