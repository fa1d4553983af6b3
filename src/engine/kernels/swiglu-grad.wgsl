// dgate = dy · up · s · (1 + g · (1 − s)) and dup = dy · g · s, with s = 1 / (1 + exp(−g))
struct Size { count4: u32 }
@group(0) @binding(0) var<storage, read_write> dgate: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> dup: array<vec4f>;
@group(0) @binding(2) var<storage, read> dy: array<vec4f>;
@group(0) @binding(3) var<storage, read> gate: array<vec4f>;
@group(0) @binding(4) var<storage, read> up: array<vec4f>;
@group(0) @binding(5) var<uniform> size: Size;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * groups.x * 64u + id.x;
  if (i >= size.count4) { return; }
  let g = gate[i];
  let s = 1.0 / (1.0 + exp(min(-g, vec4f(80.0))));
  let d = dy[i];
  dgate[i] = d * up[i] * s * (1.0 + g * (1.0 - s));
  dup[i] = d * g * s;
}
