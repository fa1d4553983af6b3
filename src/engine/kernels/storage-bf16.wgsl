// As storage-f32 for bf16, the upper half of an f32: two in a word, the first in its lower half.
@group(0) @binding(2) var<storage, read> stored: array<vec2u>;

fn stored4(i: u32) -> vec4f {
  let words = stored[i];
  let upper = words & vec2u(0xffff0000u);
  return bitcast<vec4f>(vec4u(words.x << 16u, upper.x, words.y << 16u, upper.y));
}

fn stored1(i: u32) -> f32 {
  return bitcast<f32>((stored[i / 4u][i / 2u % 2u] >> (16u * (i % 2u))) << 16u);
}
