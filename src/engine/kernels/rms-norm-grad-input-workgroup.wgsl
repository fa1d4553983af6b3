// As rms-norm-grad-input for graphics cards: a workgroup takes a row. A reduce-*.wgsl comes before it.
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

const WIDTH = 32u;
alias Summed = f32;

@compute @workgroup_size(WIDTH)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) t: u32,
) {
  let row = min(group.y * groups.x + group.x, size.rows - 1u);
  let base = row * C4;
  var sum = 0.0;
  for (var c = t; c < C4; c += WIDTH) { sum += dot(dy[base + c] * weight[c], x[base + c]); }
  let total = group_sum(sum, t);
  let scale = r[row];
  let mean = total * scale / f32(4u * C4);
  if (group.y * groups.x + group.x >= size.rows) { return; }
  for (var c = t; c < C4; c += WIDTH) {
    let d = scale * (dy[base + c] * weight[c] - x[base + c] * (scale * mean));
    if (ADD == 1u) { dx[base + c] = residual[base + c] + d; } else { dx[base + c] = d; }
  }
}
