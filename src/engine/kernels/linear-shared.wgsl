// C[R, S] = A · B for graphics cards, in the three layouts of a linear layer: a workgroup of 16×16
// makes a 64×64 tile, of which each invocation holds every 16th row and column, from slabs of A and
// B in shared memory: neighbours then read and write neighbouring columns.
//   forward     y = x · wᵀ     A = x [R, I]          B = w [S, I]: B_TRANSPOSED
//   grad input  dx = dy · w    A = dy [R, I]         B = w [I, S]
//   grad weight dw = dyᵀ · x   A = dy [I, R]: A_TRANSPOSED   B = x [I, S], I cut into slices along z
// Any sizes with rows of B a multiple of 4: what lies outside reads as 0. A storage-*.wgsl, which
// reads B, comes before this.
override A_TRANSPOSED: u32 = 0;
override B_TRANSPOSED: u32 = 0;
override ADD: u32 = 0; // 1: C starts from residual
struct Size { R: u32, S: u32, I: u32, slice: u32 } // slice: how much of I one z takes
@group(0) @binding(0) var<storage, read_write> c: array<f32>; // [z, R, S]
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(3) var<storage, read> residual: array<f32>;
@group(0) @binding(4) var<uniform> size: Size;

const TILE = 64u;
const DEPTH = 16u;
// One more than the tile, so that neighbours that store one below the other meet different banks.
const STRIDE = 65u;

var<workgroup> slab_a: array<array<f32, STRIDE>, DEPTH>;
var<workgroup> slab_b: array<array<f32, STRIDE>, DEPTH>;

@compute @workgroup_size(16, 16)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_id) local: vec3u,
  @builtin(local_invocation_index) index: u32,
) {
  let row0 = group.y * TILE;
  let column0 = group.x * TILE;
  let end = min((group.z + 1u) * size.slice, size.I);
  var tile: array<vec4f, 4>;
  for (var i0 = group.z * size.slice; i0 < end; i0 += DEPTH) {
    // 256 invocations bring 1 024 numbers of each, neighbours reading neighbours.
    for (var part = 0u; part < 4u; part++) {
      let n = index + part * 256u;
      var r = n / DEPTH;
      var i = n % DEPTH;
      if (A_TRANSPOSED == 1u) { r = n % TILE; i = n / TILE; }
      var value = 0.0;
      if (row0 + r < size.R && i0 + i < end) {
        if (A_TRANSPOSED == 1u) { value = a[(i0 + i) * size.R + row0 + r]; }
        else { value = a[(row0 + r) * size.I + i0 + i]; }
      }
      slab_a[i][r] = value;
      var s = n % TILE;
      var j = n / TILE;
      if (B_TRANSPOSED == 1u) { s = n / DEPTH; j = n % DEPTH; }
      value = 0.0;
      if (column0 + s < size.S && i0 + j < end) {
        if (B_TRANSPOSED == 1u) { value = stored1((column0 + s) * size.I + i0 + j); }
        else { value = stored1((i0 + j) * size.S + column0 + s); }
      }
      slab_b[j][s] = value;
    }
    workgroupBarrier();
    for (var i = 0u; i < DEPTH; i++) {
      let s = local.x;
      let across = vec4f(slab_b[i][s], slab_b[i][s + 16u], slab_b[i][s + 32u], slab_b[i][s + 48u]);
      for (var r = 0u; r < 4u; r++) { tile[r] += slab_a[i][local.y + 16u * r] * across; }
    }
    workgroupBarrier();
  }
  for (var r = 0u; r < 4u; r++) {
    let row = row0 + local.y + 16u * r;
    for (var s = 0u; s < 4u; s++) {
      let column = column0 + local.x + 16u * s;
      if (row < size.R && column < size.S) {
        let at = row * size.S + column;
        let start = select(0.0, residual[at], ADD == 1u);
        c[group.z * size.R * size.S + at] = start + tile[r][s];
      }
    }
  }
}
