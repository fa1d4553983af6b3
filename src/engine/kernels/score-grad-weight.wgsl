// dw [C] and d bias [1] from the partial sums [S, C + 1]. One invocation per column.
struct Shape { C: u32, S: u32 }
@group(0) @binding(0) var<storage, read_write> dw: array<f32>;
@group(0) @binding(1) var<storage, read_write> d_bias: array<f32>;
@group(0) @binding(2) var<storage, read> partials: array<f32>;
@group(0) @binding(3) var<uniform> shape: Shape;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let c = id.x;
  if (c > shape.C) { return; }
  var sum = 0.0;
  for (var s = 0u; s < shape.S; s++) { sum += partials[s * (shape.C + 1u) + c]; }
  if (c < shape.C) { dw[c] = sum; } else { d_bias[0] = sum; }
}
