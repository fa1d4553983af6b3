// As rms-norm-forward for graphics cards: a workgroup takes a row. A reduce-*.wgsl comes before it.
override C4: u32; // C / 4
struct Size { rows: u32, eps: f32 }
@group(0) @binding(0) var<storage, read_write> y: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> r: array<f32>;
@group(0) @binding(2) var<storage, read> x: array<vec4f>;
@group(0) @binding(3) var<storage, read> weight: array<vec4f>;
@group(0) @binding(4) var<uniform> size: Size;

const WIDTH = 32u;
alias Summed = f32;

@compute @workgroup_size(WIDTH)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) t: u32,
) {
  let row = group.y * groups.x + group.x;
  let base = min(row, size.rows - 1u) * C4;
  var sum = 0.0;
  for (var c = t; c < C4; c += WIDTH) { sum += dot(x[base + c], x[base + c]); }
  let total = group_sum(sum, t);
  // Not inverseSqrt: its error is larger on some GPUs.
  let scale = 1.0 / sqrt(total / f32(4u * C4) + size.eps);
  if (row >= size.rows) { return; }
  if (t == 0u) { r[row] = scale; }
  for (var c = t; c < C4; c += WIDTH) { y[base + c] = x[base + c] * scale * weight[c]; }
}
