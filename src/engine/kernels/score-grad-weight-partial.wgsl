// Sums over slices of rows: partials [S, C + 1], column c < C holds Σ d[n]·x[n, c], the last Σ d[n].
// Slice s takes rows s, s + S, …: a fixed order, hence the same bits in every run.
struct Shape { N: u32, C: u32, S: u32 }
@group(0) @binding(0) var<storage, read_write> partials: array<f32>;
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
  partials[id.x] = sum;
}
