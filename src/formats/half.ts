/**
 * 16-bit floats on the host. `Float16Array` is not in every browser that has WebGPU, so the
 * conversions are written out. f16: 1 sign, 5 exponent, 10 mantissa bits. bf16: the upper half of f32.
 */

const f32 = new Float32Array(1);
const u32 = new Uint32Array(f32.buffer);

/** f16 bits → number, exact. */
export function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const mantissa = bits & 0x3ff;
  if (exponent === 0) return sign * mantissa * 2 ** -24;
  if (exponent === 31) return mantissa === 0 ? sign * Infinity : NaN;
  return sign * (1 + mantissa / 1024) * 2 ** (exponent - 15);
}

/** Number → f16 bits, rounded to nearest, ties to even. Above 65504 + 16 it becomes infinity. */
export function numberToHalf(value: number): number {
  f32[0] = value;
  const bits = u32[0]!;
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00; // NaN
  if (magnitude >= 0x477ff000) return sign | 0x7c00; // 65520 and above round to infinity
  if (magnitude < 0x38800000) {
    // Below 2^-14: subnormal, in steps of 2^-24. Scaling by a power of two is exact.
    return sign | roundTiesToEven(Math.abs(f32[0]) * 2 ** 24);
  }
  // Drop 13 mantissa bits with rounding; a carry may run into the exponent, as it should.
  const rounded = magnitude + 0xfff + ((magnitude >>> 13) & 1);
  return sign | ((rounded - 0x38000000) >>> 13);
}

function roundTiesToEven(x: number): number {
  const floor = Math.floor(x);
  const rest = x - floor;
  if (rest !== 0.5) return rest < 0.5 ? floor : floor + 1;
  return floor % 2 === 0 ? floor : floor + 1;
}

/** All 65536 f16 patterns as f32, made on first use: a lookup is many times faster than arithmetic. */
let halves: Float32Array | null = null;

/** f16 patterns → f32, exact. */
export function widenHalves(bits: Uint16Array): Float32Array<ArrayBuffer> {
  halves ??= Float32Array.from({ length: 65536 }, (_, pattern) => halfToNumber(pattern));
  const values = new Float32Array(bits.length);
  for (let i = 0; i < bits.length; i++) values[i] = halves[bits[i]!]!;
  return values;
}

/** bf16 patterns → f32, exact. */
export function widenBfloats(bits: Uint16Array): Float32Array<ArrayBuffer> {
  const patterns = new Uint32Array(bits.length);
  for (let i = 0; i < bits.length; i++) patterns[i] = bits[i]! << 16;
  return new Float32Array(patterns.buffer);
}
