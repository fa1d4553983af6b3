// Copies T new rows of keys and values of each sequence into its cache, from its own position on.
// k, v [B·T, W] → keys, values [B, P, W]. One invocation per element.
struct Shape { count: u32, T: u32, P: u32, W: u32 }
@group(0) @binding(0) var<storage, read_write> keys: array<f32>;
@group(0) @binding(1) var<storage, read_write> values: array<f32>;
@group(0) @binding(2) var<storage, read> k: array<f32>;
@group(0) @binding(3) var<storage, read> v: array<f32>;
@group(0) @binding(4) var<storage, read> start: array<i32>;
@group(0) @binding(5) var<uniform> shape: Shape;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * groups.x * 64u + id.x;
  if (i >= shape.count) { return; }
  let row = i / shape.W;
  let b = row / shape.T;
  let position = u32(start[b]) + row % shape.T;
  let to = (b * shape.P + position) * shape.W + i % shape.W;
  keys[to] = k[i];
  values[to] = v[i];
}
