// dx[N, K] = dy[N, M] · w[M, K]: a 4×4 tile of dx for each invocation.
override K4: u32; // K / 4
override M4: u32; // M / 4
struct Size { rows: u32 }
@group(0) @binding(0) var<storage, read_write> dx: array<vec4f>;
@group(0) @binding(1) var<storage, read> dy: array<vec4f>;
@group(0) @binding(2) var<storage, read> w: array<vec4f>;
@group(0) @binding(3) var<uniform> size: Size;

fn combine(a: vec4f, b0: vec4f, b1: vec4f, b2: vec4f, b3: vec4f) -> vec4f {
  return a.x * b0 + a.y * b1 + a.z * b2 + a.w * b3;
}

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let row = id.y * 4u;
  if (id.x >= K4 || row >= size.rows) { return; }
  // Rows past the end repeat the last one: read, but not written.
  let last = size.rows - 1u;
  let dy0 = row * M4;
  let dy1 = min(row + 1u, last) * M4;
  let dy2 = min(row + 2u, last) * M4;
  let dy3 = min(row + 3u, last) * M4;
  var dx0 = vec4f(0);
  var dx1 = vec4f(0);
  var dx2 = vec4f(0);
  var dx3 = vec4f(0);
  for (var m = 0u; m < M4; m++) {
    let at = m * 4u * K4 + id.x;
    let b0 = w[at];
    let b1 = w[at + K4];
    let b2 = w[at + 2u * K4];
    let b3 = w[at + 3u * K4];
    dx0 += combine(dy[dy0 + m], b0, b1, b2, b3);
    dx1 += combine(dy[dy1 + m], b0, b1, b2, b3);
    dx2 += combine(dy[dy2 + m], b0, b1, b2, b3);
    dx3 += combine(dy[dy3 + m], b0, b1, b2, b3);
  }
  dx[row * K4 + id.x] = dx0;
  if (row + 1u < size.rows) { dx[(row + 1u) * K4 + id.x] = dx1; }
  if (row + 2u < size.rows) { dx[(row + 2u) * K4 + id.x] = dx2; }
  if (row + 3u < size.rows) { dx[(row + 3u) * K4 + id.x] = dx3; }
}
