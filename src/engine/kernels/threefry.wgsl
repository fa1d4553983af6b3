// Threefry-2x32 with 20 rounds (Salmon et al. 2011), the bits of core/rng.ts.
fn rotate_left(x: u32, bits: u32) -> u32 { return (x << bits) | (x >> (32u - bits)); }

fn four_rounds(x: vec2u, a: u32, b: u32, c: u32, d: u32) -> vec2u {
  var y = x;
  y.x += y.y; y.y = rotate_left(y.y, a) ^ y.x;
  y.x += y.y; y.y = rotate_left(y.y, b) ^ y.x;
  y.x += y.y; y.y = rotate_left(y.y, c) ^ y.x;
  y.x += y.y; y.y = rotate_left(y.y, d) ^ y.x;
  return y;
}

fn threefry2x32(key: vec2u, counter: vec2u) -> vec2u {
  let k2 = key.x ^ key.y ^ 0x1bd11bdau;
  var x = counter + key;
  x = four_rounds(x, 13u, 15u, 26u, 6u) + vec2u(key.y, k2 + 1u);
  x = four_rounds(x, 17u, 29u, 16u, 24u) + vec2u(k2, key.x + 2u);
  x = four_rounds(x, 13u, 15u, 26u, 6u) + vec2u(key.x, key.y + 3u);
  x = four_rounds(x, 17u, 29u, 16u, 24u) + vec2u(key.y, k2 + 4u);
  return four_rounds(x, 13u, 15u, 26u, 6u) + vec2u(k2, key.x + 5u);
}
