// y[N, M] = x[N, K] · w[M, K]ᵀ (+ residual). One invocation makes a 16×16 tile of y in registers,
// as 4×4 matrices, without barriers: software adapters, which pay for every load and every barrier.
// With M not a multiple of 4, y has 4·M4 columns and those past M repeat the last. A storage-*.wgsl,
// which reads w, comes before it.
override ADD: u32 = 0; // 1: y starts from residual
override FEW: u32 = 0; // 1: tiles of 4 rows, for a handful of sequences that are being written
struct Size { rows: u32, columns: u32, K4: u32, M4: u32 }
@group(0) @binding(0) var<storage, read_write> y: array<vec4f>;
@group(0) @binding(1) var<storage, read> x: array<vec4f>;
@group(0) @binding(3) var<storage, read> residual: array<vec4f>;
@group(0) @binding(4) var<uniform> size: Size;

/// Where four rows begin; rows past the last repeat it.
fn starts(first: u32, last: u32) -> vec4u {
  return min(first + vec4u(0, 1, 2, 3), vec4u(last)) * size.K4;
}

fn x_block(at: vec4u, k: u32) -> mat4x4f {
  return mat4x4f(x[at.x + k], x[at.y + k], x[at.z + k], x[at.w + k]);
}

fn w_block(at: vec4u, k: u32) -> mat4x4f {
  return transpose(mat4x4f(
    stored4(at.x + k), stored4(at.y + k), stored4(at.z + k), stored4(at.w + k)));
}

fn put(row: u32, column4: u32, value: vec4f) {
  if (row >= size.rows || column4 >= size.M4) { return; }
  let at = row * size.M4 + column4;
  if (ADD == 1u) { y[at] = residual[at] + value; } else { y[at] = value; }
}

/// Four blocks side by side; a block's columns are rows of y.
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
  let row = id.y * select(16u, 4u, FEW == 1u);
  let column4 = id.x * 4u;
  if (column4 >= size.M4 || row >= size.rows) { return; }
  let n0 = starts(row, size.rows - 1u);
  let n1 = starts(row + 4u, size.rows - 1u);
  let n2 = starts(row + 8u, size.rows - 1u);
  let n3 = starts(row + 12u, size.rows - 1u);
  let m0 = starts(column4 * 4u, size.columns - 1u);
  let m1 = starts(column4 * 4u + 4u, size.columns - 1u);
  let m2 = starts(column4 * 4u + 8u, size.columns - 1u);
  let m3 = starts(column4 * 4u + 12u, size.columns - 1u);
  var y00 = mat4x4f(); var y01 = mat4x4f(); var y02 = mat4x4f(); var y03 = mat4x4f();
  var y10 = mat4x4f(); var y11 = mat4x4f(); var y12 = mat4x4f(); var y13 = mat4x4f();
  var y20 = mat4x4f(); var y21 = mat4x4f(); var y22 = mat4x4f(); var y23 = mat4x4f();
  var y30 = mat4x4f(); var y31 = mat4x4f(); var y32 = mat4x4f(); var y33 = mat4x4f();
  for (var k = 0u; k < size.K4; k++) {
    let w0 = w_block(m0, k);
    let w1 = w_block(m1, k);
    let w2 = w_block(m2, k);
    let w3 = w_block(m3, k);
    let x0 = x_block(n0, k);
    y00 += w0 * x0; y01 += w1 * x0; y02 += w2 * x0; y03 += w3 * x0;
    if (FEW == 0u) {
      let x1 = x_block(n1, k);
      y10 += w0 * x1; y11 += w1 * x1; y12 += w2 * x1; y13 += w3 * x1;
      let x2 = x_block(n2, k);
      y20 += w0 * x2; y21 += w1 * x2; y22 += w2 * x2; y23 += w3 * x2;
      let x3 = x_block(n3, k);
      y30 += w0 * x3; y31 += w1 * x3; y32 += w2 * x3; y33 += w3 * x3;
    }
  }
  store(row, column4, y00, y01, y02, y03);
  if (FEW == 1u) { return; }
  store(row + 4u, column4, y10, y11, y12, y13);
  store(row + 8u, column4, y20, y21, y22, y23);
  store(row + 12u, column4, y30, y31, y32, y33);
}
