// dx[N, K] = dy[N, M] · w[M, K] (+ residual): a 16×16 tile of dx for each invocation, as 4×4 matrices. With M not
// a multiple of 4, dy has 4·M4 columns and those past M are 0.
override ADD: u32 = 0; // 1: dx starts from residual
struct Size { rows: u32, columns: u32, K4: u32, M4: u32 } // columns: M
@group(0) @binding(0) var<storage, read_write> dx: array<vec4f>;
@group(0) @binding(1) var<storage, read> dy: array<vec4f>;
@group(0) @binding(2) var<storage, read> w: array<vec4f>;
@group(0) @binding(3) var<storage, read> residual: array<vec4f>;
@group(0) @binding(4) var<uniform> size: Size;

/// Where four rows of dy begin; rows past the last repeat it.
fn starts(first: u32) -> vec4u {
  return min(first + vec4u(0, 1, 2, 3), vec4u(size.rows - 1u)) * size.M4;
}

fn dy_block(at: vec4u, m4: u32) -> mat4x4f {
  return mat4x4f(dy[at.x + m4], dy[at.y + m4], dy[at.z + m4], dy[at.w + m4]);
}

/// Four rows of w that begin at `at`; a column past the end repeats the last.
fn w_block(at: vec4u, column4: u32) -> mat4x4f {
  let c = min(column4, size.K4 - 1u);
  return mat4x4f(w[at.x + c], w[at.y + c], w[at.z + c], w[at.w + c]);
}

fn put(row: u32, column4: u32, value: vec4f) {
  if (row >= size.rows || column4 >= size.K4) { return; }
  let at = row * size.K4 + column4;
  if (ADD == 1u) { dx[at] = residual[at] + value; } else { dx[at] = value; }
}

/// Four blocks side by side; a block's columns are rows of dx.
fn store(row: u32, column4: u32, b0: mat4x4f, b1: mat4x4f, b2: mat4x4f, b3: mat4x4f) {
  for (var i = 0u; i < 4u; i++) {
    put(row + i, column4, b0[i]);
    put(row + i, column4 + 1u, b1[i]);
    put(row + i, column4 + 2u, b2[i]);
    put(row + i, column4 + 3u, b3[i]);
  }
}

@compute @workgroup_size(4, 4)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let row = id.y * 16u;
  let column4 = id.x * 4u;
  if (column4 >= size.K4 || row >= size.rows) { return; }
  let n0 = starts(row);
  let n1 = starts(row + 4u);
  let n2 = starts(row + 8u);
  let n3 = starts(row + 12u);
  var d00 = mat4x4f(); var d01 = mat4x4f(); var d02 = mat4x4f(); var d03 = mat4x4f();
  var d10 = mat4x4f(); var d11 = mat4x4f(); var d12 = mat4x4f(); var d13 = mat4x4f();
  var d20 = mat4x4f(); var d21 = mat4x4f(); var d22 = mat4x4f(); var d23 = mat4x4f();
  var d30 = mat4x4f(); var d31 = mat4x4f(); var d32 = mat4x4f(); var d33 = mat4x4f();
  for (var m4 = 0u; m4 < size.M4; m4++) {
    let m = min(m4 * 4u + vec4u(0, 1, 2, 3), vec4u(size.columns - 1u)) * size.K4;
    let w0 = w_block(m, column4);
    let w1 = w_block(m, column4 + 1u);
    let w2 = w_block(m, column4 + 2u);
    let w3 = w_block(m, column4 + 3u);
    let dy0 = dy_block(n0, m4);
    d00 += w0 * dy0; d01 += w1 * dy0; d02 += w2 * dy0; d03 += w3 * dy0;
    let dy1 = dy_block(n1, m4);
    d10 += w0 * dy1; d11 += w1 * dy1; d12 += w2 * dy1; d13 += w3 * dy1;
    let dy2 = dy_block(n2, m4);
    d20 += w0 * dy2; d21 += w1 * dy2; d22 += w2 * dy2; d23 += w3 * dy2;
    let dy3 = dy_block(n3, m4);
    d30 += w0 * dy3; d31 += w1 * dy3; d32 += w2 * dy3; d33 += w3 * dy3;
  }
  store(row, column4, d00, d01, d02, d03);
  store(row + 4u, column4, d10, d11, d12, d13);
  store(row + 8u, column4, d20, d21, d22, d23);
  store(row + 12u, column4, d30, d31, d32, d33);
}
