// x [N, C] · w [C] + bias → [N]. One invocation per row.
struct Shape { N: u32, C: u32 }
@group(0) @binding(0) var<storage, read_write> scores: array<f32>;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> w: array<f32>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<uniform> shape: Shape;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let n = id.x;
  if (n >= shape.N) { return; }
  var sum = 0.0;
  for (var c = 0u; c < shape.C; c++) { sum += x[n * shape.C + c] * w[c]; }
  scores[n] = sum + bias[0];
}
