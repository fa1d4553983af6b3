// y[n, c] = x[n, c] · r[n] · weight[c], r[n] = 1 / sqrt(mean_c x[n, c]² + eps). One row each.
override C4: u32; // C / 4
struct Size { rows: u32, eps: f32 }
@group(0) @binding(0) var<storage, read_write> y: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> r: array<f32>;
@group(0) @binding(2) var<storage, read> x: array<vec4f>;
@group(0) @binding(3) var<storage, read> weight: array<vec4f>;
@group(0) @binding(4) var<uniform> size: Size;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let row = id.y * groups.x * 64u + id.x;
  if (row >= size.rows) { return; }
  let base = row * C4;
  var squares = vec4f(0);
  for (var c = 0u; c < C4; c++) {
    let v = x[base + c];
    squares += v * v;
  }
  let mean = (squares.x + squares.y + squares.z + squares.w) / f32(4u * C4);
  // Not inverseSqrt: its error is larger on some GPUs.
  let scale = 1.0 / sqrt(mean + size.eps);
  r[row] = scale;
  for (var c = 0u; c < C4; c++) { y[base + c] = x[base + c] * scale * weight[c]; }
}
