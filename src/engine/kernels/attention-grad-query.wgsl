// dq of causal attention, and delta = Σ_i dout · out of every query for the next kernel
// (Dao et al. 2022, FlashAttention, algorithm 4). One invocation takes four queries of a head and
// meets four keys at a time, as 4×4 matrices.
// D4 = head_dim / 4 is added to this as a const.
override HEADS: u32;
override KV_HEADS: u32;
override SCALE: f32; // 1 / sqrt(head_dim)
struct Size { B: u32, T: u32 }
@group(0) @binding(0) var<storage, read_write> dq: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> stats: array<vec2f>; // [B, HEADS, T]: lse, delta
@group(0) @binding(2) var<storage, read> q: array<vec4f>;
@group(0) @binding(3) var<storage, read> k: array<vec4f>;
@group(0) @binding(4) var<storage, read> v: array<vec4f>;
@group(0) @binding(5) var<storage, read> out: array<vec4f>;
@group(0) @binding(6) var<storage, read> dout: array<vec4f>;
// lse goes on in `stats`: the next kernel then stays within the 8 storage buffers that every
// device has.
@group(0) @binding(7) var<storage, read> lse: array<f32>;
@group(0) @binding(8) var<uniform> size: Size;

const HIDDEN = -1e30; // exp of it is 0
const LOWER = mat4x4f(0, HIDDEN, HIDDEN, HIDDEN, 0, 0, HIDDEN, HIDDEN, 0, 0, 0, HIDDEN, 0, 0, 0, 0);

/// Where four positions from `t` on begin; those past the end repeat the last.
fn rows(b: u32, t: u32, head: u32, heads: u32) -> vec4u {
  let at = min(t + vec4u(0, 1, 2, 3), vec4u(size.T - 1u));
  return ((b * size.T + at) * heads + head) * D4;
}

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
  var d_query: array<mat4x4f, D4>;
  var d_out: array<mat4x4f, D4>;
  var delta = vec4f(0);
  for (var i = 0u; i < D4; i++) {
    query[i] = SCALE * mat4x4f(q[q_at.x + i], q[q_at.y + i], q[q_at.z + i], q[q_at.w + i]);
    d_query[i] = mat4x4f();
    let d = mat4x4f(dout[q_at.x + i], dout[q_at.y + i], dout[q_at.z + i], dout[q_at.w + i]);
    d_out[i] = d;
    delta += vec4f(
      dot(d[0], out[q_at.x + i]), dot(d[1], out[q_at.y + i]),
      dot(d[2], out[q_at.z + i]), dot(d[3], out[q_at.w + i]));
  }
  var log_sum = vec4f(0);
  for (var c = 0u; c < min(4u, size.T - t); c++) {
    let at = (b * HEADS + h) * size.T + t + c;
    log_sum[c] = lse[at];
    stats[at] = vec2f(log_sum[c], delta[c]);
  }
  for (var j = 0u; j <= t; j += 4u) {
    let at = rows(b, j, h / (HEADS / KV_HEADS), KV_HEADS);
    var score = mat4x4f(); // [key, query]
    var dp = mat4x4f();
    for (var i = 0u; i < D4; i++) {
      score += transpose(mat4x4f(k[at.x + i], k[at.y + i], k[at.z + i], k[at.w + i])) * query[i];
      dp += transpose(mat4x4f(v[at.x + i], v[at.y + i], v[at.z + i], v[at.w + i])) * d_out[i];
    }
    if (j == t) { score += LOWER; }
    let ds = mat4x4f(
      exp(score[0] - log_sum.x) * (dp[0] - delta.x) * SCALE,
      exp(score[1] - log_sum.y) * (dp[1] - delta.y) * SCALE,
      exp(score[2] - log_sum.z) * (dp[2] - delta.z) * SCALE,
      exp(score[3] - log_sum.w) * (dp[3] - delta.w) * SCALE);
    for (var i = 0u; i < D4; i++) {
      d_query[i] += mat4x4f(k[at.x + i], k[at.y + i], k[at.z + i], k[at.w + i]) * ds;
    }
  }
  for (var c = 0u; c < min(4u, size.T - t); c++) {
    for (var i = 0u; i < D4; i++) { dq[q_at[c] + i] = d_query[i][c]; }
  }
}
