// Σ g² of each chunk of the flat gradient and whether it holds a NaN or infinity. WGSL may assume
// that there is none, so the test is on the bits. A chunk lies within one parameter and is summed by
// one invocation: a fixed order, hence the same bits in every run.
struct Size { chunks: u32 }
@group(0) @binding(0) var<storage, read_write> sums: array<vec2f>; // (Σ g², 0 or 1) of each chunk
@group(0) @binding(1) var<storage, read> gradient: array<u32>;
@group(0) @binding(2) var<storage, read> chunks: array<vec2u>; // first, end
@group(0) @binding(3) var<uniform> size: Size;

@compute @workgroup_size(32)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let c = id.y * groups.x * 32u + id.x;
  if (c >= size.chunks) { return; }
  let range = chunks[c];
  var sum = 0.0;
  var bad = 0.0;
  for (var i = range.x; i < range.y; i++) {
    let bits = gradient[i];
    if ((bits & 0x7f800000u) == 0x7f800000u) { bad = 1.0; }
    let g = bitcast<f32>(bits);
    sum += g * g;
  }
  sums[c] = vec2f(sum, bad);
}
