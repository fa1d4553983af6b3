// dweight[v, :] = Σ dy[n, :] over the positions n of token v, in the order of the index:
// no atomics, so two runs agree to the last bit.
override C4: u32; // C / 4
struct Size { vocab: u32 }
@group(0) @binding(0) var<storage, read_write> dweight: array<vec4f>;
@group(0) @binding(1) var<storage, read> dy: array<vec4f>;
@group(0) @binding(2) var<storage, read> order: array<u32>;
@group(0) @binding(3) var<storage, read> offsets: array<u32>;
@group(0) @binding(4) var<uniform> size: Size;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * groups.x * 64u + id.x;
  if (i >= size.vocab * C4) { return; }
  let v = i / C4;
  let c = i % C4;
  var sum = vec4f(0);
  for (var at = offsets[v]; at < offsets[v + 1u]; at++) { sum += dy[order[at] * C4 + c]; }
  dweight[i] = sum;
}
