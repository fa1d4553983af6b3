/** x [N, C] · w [C] + bias → [N]. One invocation per row. */
export const SCORE_FORWARD = /* wgsl */ `
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
`;

/** dx [N, C] = d [N] ⊗ w [C]. One invocation per element. */
export const SCORE_BACKWARD_X = /* wgsl */ `
struct Shape { N: u32, C: u32 }
@group(0) @binding(0) var<storage, read_write> dx: array<f32>;
@group(0) @binding(1) var<storage, read> d: array<f32>;
@group(0) @binding(2) var<storage, read> w: array<f32>;
@group(0) @binding(3) var<uniform> shape: Shape;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * groups.x * 64u + id.x;
  if (i >= shape.N * shape.C) { return; }
  dx[i] = d[i / shape.C] * w[i % shape.C];
}
`;

/**
 * Sums over slices of rows: partial [S, C + 1], column c < C holds Σ d[n]·x[n, c], the last Σ d[n].
 * Slice s takes rows s, s + S, …: a fixed order, hence the same bits in every run.
 */
export const SCORE_BACKWARD_W_PARTIAL = /* wgsl */ `
struct Shape { N: u32, C: u32, S: u32 }
@group(0) @binding(0) var<storage, read_write> partial: array<f32>;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> d: array<f32>;
@group(0) @binding(3) var<uniform> shape: Shape;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let columns = shape.C + 1u;
  if (id.x >= shape.S * columns) { return; }
  let c = id.x % columns;
  var sum = 0.0;
  for (var n = id.x / columns; n < shape.N; n += shape.S) {
    if (c < shape.C) { sum += d[n] * x[n * shape.C + c]; } else { sum += d[n]; }
  }
  partial[id.x] = sum;
}
`;

/** dw [C] and d bias [1] from the partial sums [S, C + 1]. One invocation per column. */
export const SCORE_BACKWARD_W = /* wgsl */ `
struct Shape { C: u32, S: u32 }
@group(0) @binding(0) var<storage, read_write> dw: array<f32>;
@group(0) @binding(1) var<storage, read_write> d_bias: array<f32>;
@group(0) @binding(2) var<storage, read> partial: array<f32>;
@group(0) @binding(3) var<uniform> shape: Shape;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let c = id.x;
  if (c > shape.C) { return; }
  var sum = 0.0;
  for (var s = 0u; s < shape.S; s++) { sum += partial[s * (shape.C + 1u) + c]; }
  if (c < shape.C) { dw[c] = sum; } else { d_bias[0] = sum; }
}
`;
