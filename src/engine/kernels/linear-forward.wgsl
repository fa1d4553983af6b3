// y[N, M] = x[N, K] · w[M, K]ᵀ. One invocation makes a 4×4 tile of y in registers; no shared
// memory, because barriers cost software adapters more than the loads they save.
override K4: u32; // K / 4
override M4: u32; // M / 4
struct Size { rows: u32 }
@group(0) @binding(0) var<storage, read_write> y: array<vec4f>;
@group(0) @binding(1) var<storage, read> x: array<vec4f>;
@group(0) @binding(2) var<storage, read> w: array<vec4f>;
@group(0) @binding(3) var<uniform> size: Size;

fn dots(a: vec4f, b0: vec4f, b1: vec4f, b2: vec4f, b3: vec4f) -> vec4f {
  return vec4f(dot(a, b0), dot(a, b1), dot(a, b2), dot(a, b3));
}

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let row = id.y * 4u;
  if (id.x >= M4 || row >= size.rows) { return; }
  // Rows past the end repeat the last one: read, but not written.
  let last = size.rows - 1u;
  let x0 = row * K4;
  let x1 = min(row + 1u, last) * K4;
  let x2 = min(row + 2u, last) * K4;
  let x3 = min(row + 3u, last) * K4;
  let w0 = id.x * 4u * K4;
  let w1 = w0 + K4;
  let w2 = w1 + K4;
  let w3 = w2 + K4;
  var y0 = vec4f(0);
  var y1 = vec4f(0);
  var y2 = vec4f(0);
  var y3 = vec4f(0);
  for (var k = 0u; k < K4; k++) {
    let b0 = w[w0 + k];
    let b1 = w[w1 + k];
    let b2 = w[w2 + k];
    let b3 = w[w3 + k];
    y0 += dots(x[x0 + k], b0, b1, b2, b3);
    y1 += dots(x[x1 + k], b0, b1, b2, b3);
    y2 += dots(x[x2 + k], b0, b1, b2, b3);
    y3 += dots(x[x3 + k], b0, b1, b2, b3);
  }
  y[row * M4 + id.x] = y0;
  if (row + 1u < size.rows) { y[(row + 1u) * M4 + id.x] = y1; }
  if (row + 2u < size.rows) { y[(row + 2u) * M4 + id.x] = y2; }
  if (row + 3u < size.rows) { y[(row + 3u) * M4 + id.x] = y3; }
}
