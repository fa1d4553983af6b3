// dk and dv of causal attention: one invocation takes four keys of a key-value head and sums over
// the heads that share them and the queries that see them, four at a time. No atomics.
// D4 = head_dim / 4 is added to this as a const.
override HEADS: u32;
override KV_HEADS: u32;
override SCALE: f32; // 1 / sqrt(head_dim)
struct Size { B: u32, T: u32 }
@group(0) @binding(0) var<storage, read_write> dk: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> dv: array<vec4f>;
@group(0) @binding(2) var<storage, read> q: array<vec4f>;
@group(0) @binding(3) var<storage, read> k: array<vec4f>;
@group(0) @binding(4) var<storage, read> v: array<vec4f>;
@group(0) @binding(5) var<storage, read> dout: array<vec4f>;
@group(0) @binding(6) var<storage, read> stats: array<vec2f>; // [B, HEADS, T]: lse, delta
@group(0) @binding(7) var<uniform> size: Size;

/// Where four positions from `t` on begin; those past the end repeat the last.
fn rows(b: u32, t: u32, head: u32, heads: u32) -> vec4u {
  let at = min(t + vec4u(0, 1, 2, 3), vec4u(size.T - 1u));
  return ((b * size.T + at) * heads + head) * D4;
}

@compute @workgroup_size(16)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let blocks = (size.T + 3u) / 4u;
  if (id.x >= size.B * KV_HEADS * blocks) { return; }
  let j = (id.x % blocks) * 4u;
  let kv_head = (id.x / blocks) % KV_HEADS;
  let b = id.x / (blocks * KV_HEADS);
  let kv_at = rows(b, j, kv_head, KV_HEADS);
  let shared_by = HEADS / KV_HEADS;

  // Columns are keys.
  var key: array<mat4x4f, D4>;
  var value: array<mat4x4f, D4>;
  var d_key: array<mat4x4f, D4>;
  var d_value: array<mat4x4f, D4>;
  for (var i = 0u; i < D4; i++) {
    key[i] = SCALE * mat4x4f(k[kv_at.x + i], k[kv_at.y + i], k[kv_at.z + i], k[kv_at.w + i]);
    value[i] = mat4x4f(v[kv_at.x + i], v[kv_at.y + i], v[kv_at.z + i], v[kv_at.w + i]);
    d_key[i] = mat4x4f();
    d_value[i] = mat4x4f();
  }
  for (var h = kv_head * shared_by; h < (kv_head + 1u) * shared_by; h++) {
    for (var t = j; t < size.T; t += 4u) {
      let at = rows(b, t, h, HEADS);
      var score = mat4x4f(); // [query, key]
      var dp = mat4x4f();
      for (var i = 0u; i < D4; i++) {
        score += transpose(mat4x4f(q[at.x + i], q[at.y + i], q[at.z + i], q[at.w + i])) * key[i];
        dp += transpose(mat4x4f(dout[at.x + i], dout[at.y + i], dout[at.z + i], dout[at.w + i])) * value[i];
      }
      let query = t + vec4u(0, 1, 2, 3);
      let stat = (b * HEADS + h) * size.T + min(query, vec4u(size.T - 1u));
      let log_sum = vec4f(stats[stat.x].x, stats[stat.y].x, stats[stat.z].x, stats[stat.w].x);
      let delta = vec4f(stats[stat.x].y, stats[stat.y].y, stats[stat.z].y, stats[stat.w].y);
      var p = mat4x4f();
      var ds = mat4x4f();
      for (var c = 0u; c < 4u; c++) {
        // A query sees the keys up to its own; queries past the end are none.
        let seen = (query >= vec4u(j + c)) & (query < vec4u(size.T));
        p[c] = select(vec4f(0), exp(score[c] - log_sum), seen);
        ds[c] = p[c] * (dp[c] - delta) * SCALE;
      }
      for (var i = 0u; i < D4; i++) {
        d_key[i] += mat4x4f(q[at.x + i], q[at.y + i], q[at.z + i], q[at.w + i]) * ds;
        d_value[i] += mat4x4f(dout[at.x + i], dout[at.y + i], dout[at.z + i], dout[at.w + i]) * p;
      }
    }
  }
  for (var c = 0u; c < min(4u, size.T - j); c++) {
    for (var i = 0u; i < D4; i++) {
      dk[kv_at[c] + i] = d_key[i][c];
      dv[kv_at[c] + i] = d_value[i][c];
    }
  }
}
