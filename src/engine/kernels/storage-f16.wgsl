// As storage-f32 for numbers of 16 bits as sixteen-bits.ts packs them: 1 sign, 5 exponent (from
// 2^-24 up), 10 mantissa. Two in a word, the first in its lower half. Not unpack2x16float, which may
// take small f16 for 0.
@group(0) @binding(2) var<storage, read> stored: array<vec2i>;

/// Patterns in the upper halves of words → f32, exact: moved to where f32 has them (the mask takes off
/// what the shift repeats of the sign), they are the numbers themselves times 2^-102.
fn widened(patterns: vec4i) -> vec4f {
  return bitcast<vec4f>((patterns >> vec4u(3)) & vec4i(-0x70002000)) * 0x1p102;
}

fn stored4(i: u32) -> vec4f {
  let words = stored[i];
  return widened(vec4i(words.x << 16u, words.x, words.y << 16u, words.y));
}

fn stored1(i: u32) -> f32 {
  return widened(vec4i((stored[i / 4u][i / 2u % 2u] >> (16u * (i % 2u))) << 16u)).x;
}
