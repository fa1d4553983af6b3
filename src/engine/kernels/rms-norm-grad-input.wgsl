// dx = r · (g − h · mean_c(g · h)) with g = dy · weight and h = x · r. One row each.
override C4: u32; // C / 4
override ADD: u32 = 0; // 1: dx starts from residual
struct Size { rows: u32 }
@group(0) @binding(0) var<storage, read_write> dx: array<vec4f>;
@group(0) @binding(1) var<storage, read> dy: array<vec4f>;
@group(0) @binding(2) var<storage, read> x: array<vec4f>;
@group(0) @binding(3) var<storage, read> weight: array<vec4f>;
@group(0) @binding(4) var<storage, read> r: array<f32>;
@group(0) @binding(5) var<storage, read> residual: array<vec4f>;
@group(0) @binding(6) var<uniform> size: Size;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let row = id.y * groups.x * 64u + id.x;
  if (row >= size.rows) { return; }
  let base = row * C4;
  let scale = r[row];
  var sum = vec4f(0);
  for (var c = 0u; c < C4; c++) { sum += dy[base + c] * weight[c] * x[base + c]; }
  let mean = (sum.x + sum.y + sum.z + sum.w) * scale / f32(4u * C4);
  for (var c = 0u; c < C4; c++) {
    let d = scale * (dy[base + c] * weight[c] - x[base + c] * (scale * mean));
    if (ADD == 1u) { dx[base + c] = residual[base + c] + d; } else { dx[base + c] = d; }
  }
}
