// dw[S, M, K] = dy[N, M]ᵀ · x[N, K], the N rows cut into S slices that are summed afterwards:
// a small weight alone would keep only a few hundred invocations busy. A 4×4 tile of dw each.
override K4: u32; // K / 4
override M4: u32; // M / 4
struct Size { rows: u32, rows_per_slice: u32 }
@group(0) @binding(0) var<storage, read_write> dw: array<vec4f>;
@group(0) @binding(1) var<storage, read> dy: array<vec4f>;
@group(0) @binding(2) var<storage, read> x: array<vec4f>;
@group(0) @binding(3) var<uniform> size: Size;

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= K4 || id.y >= M4) { return; }
  var dw0 = vec4f(0);
  var dw1 = vec4f(0);
  var dw2 = vec4f(0);
  var dw3 = vec4f(0);
  let first = id.z * size.rows_per_slice;
  let end = min(first + size.rows_per_slice, size.rows);
  for (var n = first; n < end; n++) {
    let a = dy[n * M4 + id.y];
    let b = x[n * K4 + id.x];
    dw0 += a.x * b;
    dw1 += a.y * b;
    dw2 += a.z * b;
    dw3 += a.w * b;
  }
  let at = (id.z * M4 + id.y) * 4u * K4 + id.x;
  dw[at] = dw0;
  dw[at + K4] = dw1;
  dw[at + 2u * K4] = dw2;
  dw[at + 3u * K4] = dw3;
}
