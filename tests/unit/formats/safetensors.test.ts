import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { WeightMap } from '../../../src/core/domain';
import { PlaygroundError } from '../../../src/core/errors';
import { findDuplicateKey } from '../../../src/formats/json-keys';
import { halfToNumber, numberToHalf } from '../../../src/formats/half';
import { readSafetensors, writeSafetensors } from '../../../src/formats/safetensors';

const folder = new URL('../../golden/safetensors/', import.meta.url);
const golden = (name: string): Uint8Array => new Uint8Array(readFileSync(new URL(name, folder)));
type Expected = Record<'f32' | 'f16' | 'bf16', Record<string, { shape: number[]; bits: number[] }>>;
const expected = JSON.parse(readFileSync(new URL('expected.json', folder), 'utf8')) as Expected;

const bitsOf = (data: Float32Array): number[] => [
  ...new Uint32Array(data.buffer, data.byteOffset, data.length),
];

/** A file from a header and some data bytes. */
function file(header: unknown, data: Uint8Array | number = 0, headerLength?: bigint): Uint8Array {
  const json = new TextEncoder().encode(
    typeof header === 'string' ? header : JSON.stringify(header),
  );
  const body = typeof data === 'number' ? new Uint8Array(data) : data;
  const out = new Uint8Array(8 + json.length + body.length);
  new DataView(out.buffer).setBigUint64(0, headerLength ?? BigInt(json.length), true);
  out.set(json, 8);
  out.set(body, 8 + json.length);
  return out;
}

const t = (dtype: string, shape: unknown, begin: unknown, end: unknown): unknown => ({
  dtype,
  shape,
  data_offsets: [begin, end],
});

function errorOf(action: () => unknown): PlaygroundError {
  try {
    action();
  } catch (error) {
    if (error instanceof PlaygroundError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

describe('files of the official library', () => {
  it.each(['f32', 'f16', 'bf16'] as const)('%s is read bit for bit', (name) => {
    const weights = readSafetensors(golden(`${name}.safetensors`), name);
    expect([...weights.keys()].sort()).toEqual(Object.keys(expected[name]).sort());
    for (const [key, { shape, data }] of weights) {
      expect(shape, key).toEqual(expected[name][key]!.shape);
      expect(bitsOf(data), key).toEqual(expected[name][key]!.bits);
    }
  });

  it('is written byte for byte as the library writes it', () => {
    const weights = readSafetensors(golden('f32.safetensors'), 'f32');
    expect(writeSafetensors(weights)).toEqual(golden('f32.safetensors'));
    expect(writeSafetensors(weights, { dtype: 'F16' })).toEqual(golden('f16.safetensors'));
  });
});

describe('half floats', () => {
  it('all 65536 patterns survive the way to a number and back', () => {
    for (let bits = 0; bits < 65536; bits++) {
      const value = halfToNumber(bits);
      if (Number.isNaN(value)) expect(numberToHalf(value) & 0x7e00).toBe(0x7e00);
      else if (numberToHalf(value) !== bits) expect.fail(`pattern ${bits}`);
    }
  });

  it('round to the nearest, ties to even', () => {
    fc.assert(
      fc.property(fc.float({ min: -65504, max: 65504, noNaN: true }), (value) => {
        const bits = numberToHalf(value);
        const chosen = Math.abs(halfToNumber(bits) - value);
        for (const neighbour of [bits - 1, bits + 1]) {
          const other = halfToNumber(neighbour & 0xffff);
          if (!Number.isFinite(other) || Math.sign(other) !== Math.sign(value)) continue;
          const distance = Math.abs(other - value);
          expect(chosen < distance || (chosen === distance && bits % 2 === 0)).toBe(true);
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe('round trip', () => {
  it('keeps f32 exactly, −0 and subnormals included, at any alignment', () => {
    const tensor = fc
      .array(fc.float({ noNaN: true, noDefaultInfinity: true }), { maxLength: 12 })
      .map((values) => ({ shape: [values.length], data: Float32Array.from(values) }));
    const name = fc
      .oneof(fc.string({ unit: 'binary' }), fc.constant('__proto__'))
      .filter((n) => n !== '__metadata__');
    fc.assert(
      fc.property(fc.array(fc.tuple(name, tensor)), fc.nat(7), (entries, shift) => {
        const weights: WeightMap = new Map(entries);
        const bytes = writeSafetensors(weights);
        const moved = new Uint8Array(bytes.length + shift);
        moved.set(bytes, shift);
        const again = readSafetensors(moved.subarray(shift), 'x');
        expect([...again.keys()].sort()).toEqual([...weights.keys()].sort());
        for (const [key, { shape, data }] of again) {
          expect(shape).toEqual(weights.get(key)!.shape);
          expect(bitsOf(data)).toEqual(bitsOf(weights.get(key)!.data));
        }
      }),
      { numRuns: 200 },
    );
  });

  it('does not depend on the order of the map', () => {
    const a = { shape: [1], data: Float32Array.of(1) };
    const b = { shape: [2], data: Float32Array.of(2, 3) };
    const one = writeSafetensors(
      new Map([
        ['a', a],
        ['b', b],
      ]),
    );
    expect(
      writeSafetensors(
        new Map([
          ['b', b],
          ['a', a],
        ]),
      ),
    ).toEqual(one);
  });
});

describe('files that lie', () => {
  const nan = new Uint8Array(new Float32Array([1, NaN]).buffer);
  const halfInfinity = new Uint8Array(Uint16Array.of(0x7c00).buffer);
  const cases: [string, Uint8Array, RegExp, string][] = [
    ['too short', new Uint8Array(7), /too short/, 'm.st'],
    ['a header beyond 1 MB', file({}, 0, 1_000_001n), /claims 1000001/, 'm.st'],
    [
      'a header length of 2^64 − 1',
      file({}, 0, 2n ** 64n - 1n),
      /claims 18446744073709551615/,
      'm.st',
    ],
    ['a header past the end', file({}, 0, 3n), /past the end/, 'm.st'],
    ['a header that is not JSON', file('{"a":'), /not JSON/, 'm.st'],
    ['a header that is not UTF-8', file({}, Uint8Array.of(0xff), 3n), /not JSON/, 'm.st'],
    ['a header that is a list', file([]), /not a JSON object/, 'm.st'],
    ['a header that starts with spaces', file(' {}'), /not a JSON object/, 'm.st'],
    ['no description', file({ a: null }), /no description/, 'a'],
    ['an unknown dtype', file({ a: t('I64', [1], 0, 8) }, 8), /"I64" is not one of/, 'a'],
    ['a negative size', file({ a: t('F32', [-1], 0, 4) }, 4), /shape \[-1\]/, 'a'],
    [
      'nine dimensions',
      file({ a: t('F32', Array(9).fill(1), 0, 4) }, 4),
      /shape a list is not/,
      'a',
    ],
    ['a shape of lists', file({ a: t('F32', [[1]], 0, 4) }, 4), /shape a list is not/, 'a'],
    ['a fractional size', file({ a: t('F32', [0.5], 0, 2) }, 2), /shape \[0.5\]/, 'a'],
    ['an overflowing shape', file({ a: t('F32', [2 ** 40, 2 ** 40], 0, 4) }, 4), /needs/, 'a'],
    ['bad offsets', file({ a: t('F32', [1], 0, '4') }, 4), /data_offsets/, 'a'],
    [
      'shape ≠ bytes',
      file({ a: t('F32', [2], 0, 4) }, 4),
      /needs 8 bytes, data_offsets give 4/,
      'a',
    ],
    ['reversed offsets', file({ a: t('F32', [1], 4, 0) }, 4), /give -4/, 'a'],
    ['a cut-off file', file({ a: t('F32', [2], 0, 8) }, 7), /cut off/, 'a'],
    ['an overlap', file({ a: t('F32', [2], 0, 8), b: t('F32', [1], 4, 8) }, 8), /overlaps/, 'b'],
    [
      'a hole',
      file({ a: t('F32', [1], 0, 4), b: t('F32', [1], 8, 12) }, 12),
      /4 unused bytes/,
      'b',
    ],
    ['a hole at the start', file({ a: t('F32', [1], 4, 8) }, 8), /4 unused bytes/, 'a'],
    ['bytes left over', file({ a: t('F32', [1], 0, 4) }, 6), /2 bytes after the last/, 'm.st'],
    [
      'a name twice',
      file(
        `{"a":${JSON.stringify(t('F32', [1], 0, 4))},"\\u0061":${JSON.stringify(t('F32', [1], 0, 4))}}`,
        4,
      ),
      /twice/,
      'a',
    ],
    ['NaN', file({ a: t('F32', [2], 0, 8) }, nan), /value 1 is NaN/, 'a'],
    ['f16 infinity', file({ a: t('F16', [1], 0, 2) }, halfInfinity), /value 0 is Infinity/, 'a'],
  ];
  it.each(cases)('%s is refused by name', (_name, bytes, message, field) => {
    const error = errorOf(() => readSafetensors(bytes, 'm.st'));
    expect(error.code).toBe('format');
    expect(error.message).toMatch(message);
    expect(error.message).toContain('m.st');
    expect(error.field).toBe(field);
  });

  it('any damage to a good file is refused or read as other finite numbers, never worse', () => {
    const good = golden('f16.safetensors');
    fc.assert(
      fc.property(fc.nat(good.length - 1), fc.nat(255), (at, value) => {
        const damaged = good.slice();
        damaged[at] = value;
        try {
          for (const { shape, data } of readSafetensors(damaged, 'x').values()) {
            expect(shape.reduce((a, b) => a * b, 1)).toBe(data.length);
            expect(data.every(Number.isFinite)).toBe(true);
          }
        } catch (error) {
          expect(error).toBeInstanceOf(PlaygroundError);
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe('tensors that cannot be written', () => {
  const one = (shape: number[], ...values: number[]): WeightMap =>
    new Map([['w', { shape, data: Float32Array.from(values) }]]);
  it.each<[string, () => unknown, RegExp]>([
    ['wrong shape', () => writeSafetensors(one([3], 1)), /does not fit 1 values/],
    ['NaN', () => writeSafetensors(one([2], 1, NaN)), /value 1 is NaN/],
    ['infinity', () => writeSafetensors(one([1], -Infinity)), /-Infinity/],
    ['beyond f16', () => writeSafetensors(one([1], 65520), { dtype: 'F16' }), /range of F16/],
  ])('%s is refused by name', (_name, action, message) => {
    const error = errorOf(action);
    expect(error.field).toBe('w');
    expect(error.message).toMatch(message);
  });
});

describe('findDuplicateKey', () => {
  it('looks at keys only, one object at a time', () => {
    expect(findDuplicateKey('{"a":{"a":"a","b":["a","a"]},"b":{"b":1}}')).toBeNull();
    expect(findDuplicateKey('{"x":[{"k":1},{"k":2, "j\\"":3, "j\\u0022" :4}]}')).toBe('j"');
    expect(findDuplicateKey('{"{\\"a":1,"a":"}","b":2,"a":3}')).toBe('a');
  });
});
