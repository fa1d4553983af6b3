// dweight[s, c] = Σ dy[n, c] · x[n, c] · r[n] over the rows n = s, s + S, s + 2S, …
override C4: u32; // C / 4
struct Size { rows: u32, slices: u32 }
@group(0) @binding(0) var<storage, read_write> dweight: array<vec4f>;
@group(0) @binding(1) var<storage, read> dy: array<vec4f>;
@group(0) @binding(2) var<storage, read> x: array<vec4f>;
@group(0) @binding(3) var<storage, read> r: array<f32>;
@group(0) @binding(4) var<uniform> size: Size;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let c = id.x % C4;
  let slice = id.x / C4;
  if (slice >= size.slices) { return; }
  var sum = vec4f(0);
  for (var n = slice; n < size.rows; n += size.slices) {
    sum += dy[n * C4 + c] * x[n * C4 + c] * r[n];
  }
  dweight[slice * C4 + c] = sum;
}
