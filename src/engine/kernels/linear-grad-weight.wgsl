// dw[S, 4·M4, K] = dy[N, M]ᵀ · x[N, K], the N rows cut into S slices that are summed afterwards: a
// small weight alone keeps few invocations busy. A 16×16 tile of dw each, as 4×4 matrices.
struct Size { rows: u32, rows_per_slice: u32, K4: u32, M4: u32 } // rows_per_slice: a multiple of 4
@group(0) @binding(0) var<storage, read_write> dw: array<vec4f>;
@group(0) @binding(1) var<storage, read> dy: array<vec4f>;
@group(0) @binding(2) var<storage, read> x: array<vec4f>;
@group(0) @binding(3) var<uniform> size: Size;

/// Four columns of dy over four rows, as the columns' rows; rows past the end are 0.
fn dy_block(row: vec4u, column4: u32) -> mat4x4f {
  let at = min(row, vec4u(size.rows - 1u)) * size.M4 + min(column4, size.M4 - 1u);
  let block = mat4x4f(dy[at.x], dy[at.y], dy[at.z], dy[at.w]);
  let inside = select(vec4f(0), vec4f(1), row < vec4u(size.rows));
  return transpose(mat4x4f(
    block[0] * inside.x, block[1] * inside.y, block[2] * inside.z, block[3] * inside.w));
}

fn x_block(row: vec4u, column4: u32) -> mat4x4f {
  let at = min(row, vec4u(size.rows - 1u)) * size.K4 + min(column4, size.K4 - 1u);
  return mat4x4f(x[at.x], x[at.y], x[at.z], x[at.w]);
}

fn put(slice: u32, row: u32, column4: u32, value: vec4f) {
  if (row >= size.M4 * 4u || column4 >= size.K4) { return; }
  dw[(slice * size.M4 * 4u + row) * size.K4 + column4] = value;
}

/// Four blocks side by side; a block's columns are rows of dw.
fn store(slice: u32, row: u32, column4: u32, b0: mat4x4f, b1: mat4x4f, b2: mat4x4f, b3: mat4x4f) {
  for (var i = 0u; i < 4u; i++) {
    put(slice, row + i, column4, b0[i]);
    put(slice, row + i, column4 + 1u, b1[i]);
    put(slice, row + i, column4 + 2u, b2[i]);
    put(slice, row + i, column4 + 3u, b3[i]);
  }
}

@compute @workgroup_size(4, 4)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let m = id.y * 4u;
  let k = id.x * 4u;
  if (k >= size.K4 || m >= size.M4) { return; }
  var d00 = mat4x4f(); var d01 = mat4x4f(); var d02 = mat4x4f(); var d03 = mat4x4f();
  var d10 = mat4x4f(); var d11 = mat4x4f(); var d12 = mat4x4f(); var d13 = mat4x4f();
  var d20 = mat4x4f(); var d21 = mat4x4f(); var d22 = mat4x4f(); var d23 = mat4x4f();
  var d30 = mat4x4f(); var d31 = mat4x4f(); var d32 = mat4x4f(); var d33 = mat4x4f();
  let first = id.z * size.rows_per_slice;
  let end = min(first + size.rows_per_slice, size.rows);
  for (var n = first; n < end; n += 4u) {
    let row = n + vec4u(0, 1, 2, 3);
    let x0 = x_block(row, k);
    let x1 = x_block(row, k + 1u);
    let x2 = x_block(row, k + 2u);
    let x3 = x_block(row, k + 3u);
    let dy0 = dy_block(row, m);
    d00 += x0 * dy0; d01 += x1 * dy0; d02 += x2 * dy0; d03 += x3 * dy0;
    let dy1 = dy_block(row, m + 1u);
    d10 += x0 * dy1; d11 += x1 * dy1; d12 += x2 * dy1; d13 += x3 * dy1;
    let dy2 = dy_block(row, m + 2u);
    d20 += x0 * dy2; d21 += x1 * dy2; d22 += x2 * dy2; d23 += x3 * dy2;
    let dy3 = dy_block(row, m + 3u);
    d30 += x0 * dy3; d31 += x1 * dy3; d32 += x2 * dy3; d33 += x3 * dy3;
  }
  store(id.z, m * 4u, k, d00, d01, d02, d03);
  store(id.z, m * 4u + 4u, k, d10, d11, d12, d13);
  store(id.z, m * 4u + 8u, k, d20, d21, d22, d23);
  store(id.z, m * 4u + 12u, k, d30, d31, d32, d33);
}
