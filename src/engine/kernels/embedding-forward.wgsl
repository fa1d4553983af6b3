// y[n, :] = weight[ids[n], :]. A storage-*.wgsl, which reads the weight, comes before this.
override C4: u32; // C / 4
struct Size { rows: u32 }
@group(0) @binding(0) var<storage, read_write> y: array<vec4f>;
@group(0) @binding(1) var<storage, read> ids: array<u32>;
@group(0) @binding(3) var<uniform> size: Size;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * groups.x * 64u + id.x;
  if (i >= size.rows * C4) { return; }
  y[i] = stored4(ids[i / C4] * C4 + i % C4);
}
