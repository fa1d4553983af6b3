/** f32 numbers as patterns of 16 bits that a kernel turns back into the same f32, or not at all. */

const EXPONENT = 0x7f800000;

/**
 * bf16: the upper half of the f32.
 * @returns null when a number has more bits than that, is not finite, or is subnormal, which a GPU
 *   may take for 0
 */
export function exactBfloats(numbers: Float32Array): Uint16Array<ArrayBuffer> | null {
  const bits = bitsOf(numbers);
  const patterns = new Uint16Array(bits.length);
  for (let i = 0; i < bits.length; i++) {
    const pattern = bits[i]!;
    const exponent = pattern & EXPONENT;
    if ((pattern & 0xffff) !== 0 || exponent === EXPONENT) return null;
    if (exponent === 0 && pattern << 1 !== 0) return null;
    patterns[i] = pattern >>> 16;
  }
  return patterns;
}

/** Exponents of f32 that the 5 bits of `exactHalves` hold as 1 … 31: 2^-24 … 2^6. */
const LOWEST = (127 - 24) << 23;
const HIGHEST = (127 + 6) << 23;

/**
 * Sign, 5 bits of exponent and 10 of mantissa as in f16, but the exponents begin at 2^-24: what is
 * subnormal in f16, 1 in 400 weights of standard deviation 0.02, is an ordinary number here and needs
 * no other treatment. Holds every f16 below 128.
 * @returns null when a number is not among them
 */
export function exactHalves(numbers: Float32Array): Uint16Array<ArrayBuffer> | null {
  const bits = bitsOf(numbers);
  const patterns = new Uint16Array(bits.length);
  for (let i = 0; i < bits.length; i++) {
    const pattern = bits[i]!;
    const exponent = pattern & EXPONENT;
    const sign = (pattern >>> 16) & 0x8000;
    if (pattern << 1 === 0) {
      patterns[i] = sign;
    } else {
      if ((pattern & 0x1fff) !== 0 || exponent < LOWEST || exponent > HIGHEST) return null;
      patterns[i] = sign | (((pattern & 0x7fffffff) - LOWEST + (1 << 23)) >>> 13);
    }
  }
  return patterns;
}

function bitsOf(numbers: Float32Array): Uint32Array {
  return new Uint32Array(numbers.buffer, numbers.byteOffset, numbers.length);
}
