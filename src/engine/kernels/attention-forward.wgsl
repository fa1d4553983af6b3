// Causal attention with an online softmax (Milakov & Gimelshein 2018): no [T, T] matrix is stored,
// only the log-sum-exp of its rows. One invocation takes four queries of a head and meets four keys
// at a time, as 4×4 matrices: few loads, no barriers.
// D4 = head_dim / 4 is added to this as a const.
override HEADS: u32;
override KV_HEADS: u32;
override SCALE: f32; // 1 / sqrt(head_dim)
struct Size { B: u32, T: u32 }
@group(0) @binding(0) var<storage, read_write> out: array<vec4f>; // [B·T, HEADS, D4]
@group(0) @binding(1) var<storage, read_write> lse: array<f32>; // [B, HEADS, T]
@group(0) @binding(2) var<storage, read> q: array<vec4f>; // [B·T, HEADS, D4]
@group(0) @binding(3) var<storage, read> k: array<vec4f>; // [B·T, KV_HEADS, D4]
@group(0) @binding(4) var<storage, read> v: array<vec4f>; // [B·T, KV_HEADS, D4]
@group(0) @binding(5) var<uniform> size: Size;

const HIDDEN = -1e30; // exp of it is 0
const LOWER = mat4x4f(0, HIDDEN, HIDDEN, HIDDEN, 0, 0, HIDDEN, HIDDEN, 0, 0, 0, HIDDEN, 0, 0, 0, 0);

/// Where four positions from `t` on begin; those past the end repeat the last.
fn rows(b: u32, t: u32, head: u32, heads: u32) -> vec4u {
  let at = min(t + vec4u(0, 1, 2, 3), vec4u(size.T - 1u));
  return ((b * size.T + at) * heads + head) * D4;
}

fn highest(x: vec4f) -> f32 { return max(max(x.x, x.y), max(x.z, x.w)); }

@compute @workgroup_size(16)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let blocks = (size.T + 3u) / 4u;
  if (id.x >= size.B * HEADS * blocks) { return; }
  let t = (id.x % blocks) * 4u;
  let h = (id.x / blocks) % HEADS;
  let b = id.x / (blocks * HEADS);
  let q_at = rows(b, t, h, HEADS);

  // Columns are queries.
  var query: array<mat4x4f, D4>;
  var sum: array<mat4x4f, D4>;
  for (var i = 0u; i < D4; i++) {
    query[i] = SCALE * mat4x4f(q[q_at.x + i], q[q_at.y + i], q[q_at.z + i], q[q_at.w + i]);
    sum[i] = mat4x4f();
  }
  var most = vec4f(-3.0e38);
  var total = vec4f(0);
  for (var j = 0u; j <= t; j += 4u) {
    let at = rows(b, j, h / (HEADS / KV_HEADS), KV_HEADS);
    var score = mat4x4f(); // [key, query]
    for (var i = 0u; i < D4; i++) {
      score += transpose(mat4x4f(k[at.x + i], k[at.y + i], k[at.z + i], k[at.w + i])) * query[i];
    }
    if (j == t) { score += LOWER; }
    let new_most = max(most, vec4f(highest(score[0]), highest(score[1]), highest(score[2]), highest(score[3])));
    let shrink = exp(most - new_most);
    let p = mat4x4f(
      exp(score[0] - new_most.x), exp(score[1] - new_most.y),
      exp(score[2] - new_most.z), exp(score[3] - new_most.w));
    total = total * shrink + vec4f(1) * p;
    for (var i = 0u; i < D4; i++) {
      let old = sum[i];
      sum[i] = mat4x4f(old[0] * shrink.x, old[1] * shrink.y, old[2] * shrink.z, old[3] * shrink.w)
        + mat4x4f(v[at.x + i], v[at.y + i], v[at.z + i], v[at.w + i]) * p;
    }
    most = new_most;
  }
  let log_sum = most + log(total);
  for (var c = 0u; c < min(4u, size.T - t); c++) {
    for (var i = 0u; i < D4; i++) { out[q_at[c] + i] = sum[i][c] / total[c]; }
    lse[(b * HEADS + h) * size.T + t + c] = log_sum[c];
  }
}
