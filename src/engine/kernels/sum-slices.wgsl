// total[i] = Σ_s slices[s, i], in the order of s: the second half of a sum that was cut into slices.
struct Size { slices: u32, count4: u32 } // count4: vec4s in one slice
@group(0) @binding(0) var<storage, read_write> total: array<vec4f>;
@group(0) @binding(1) var<storage, read> slices: array<vec4f>;
@group(0) @binding(2) var<uniform> size: Size;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * groups.x * 64u + id.x;
  if (i >= size.count4) { return; }
  var sum = vec4f(0);
  for (var s = 0u; s < size.slices; s++) { sum += slices[s * size.count4 + i]; }
  total[i] = sum;
}
