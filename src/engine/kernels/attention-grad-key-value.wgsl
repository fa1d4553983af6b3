// dk and dv of causal attention: one invocation for each key of each key-value head, which sums
// over the heads that share it and the queries that see it. No atomics.
// D4 = head_dim / 4 is put before this as a const.
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

@compute @workgroup_size(32)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= size.B * KV_HEADS * size.T) { return; }
  let j = id.x % size.T;
  let kv_head = (id.x / size.T) % KV_HEADS;
  let b = id.x / (size.T * KV_HEADS);
  let kv_at = ((b * size.T + j) * KV_HEADS + kv_head) * D4;
  let shared_by = HEADS / KV_HEADS;

  var key: array<vec4f, D4>;
  var value: array<vec4f, D4>;
  var d_key: array<vec4f, D4>;
  var d_value: array<vec4f, D4>;
  for (var i = 0u; i < D4; i++) {
    key[i] = k[kv_at + i];
    value[i] = v[kv_at + i];
    d_key[i] = vec4f(0);
    d_value[i] = vec4f(0);
  }
  for (var h = kv_head * shared_by; h < (kv_head + 1u) * shared_by; h++) {
    for (var t = j; t < size.T; t++) {
      let at = ((b * size.T + t) * HEADS + h) * D4;
      var score = 0.0;
      var dp = 0.0;
      for (var i = 0u; i < D4; i++) {
        score += dot(q[at + i], key[i]);
        dp += dot(dout[at + i], value[i]);
      }
      let stat = stats[(b * HEADS + h) * size.T + t];
      let p = exp(score * SCALE - stat.x);
      let ds = p * (dp - stat.y) * SCALE;
      for (var i = 0u; i < D4; i++) {
        d_key[i] += ds * q[at + i];
        d_value[i] += p * dout[at + i];
      }
    }
  }
  for (var i = 0u; i < D4; i++) {
    dk[kv_at + i] = d_key[i];
    dv[kv_at + i] = d_value[i];
  }
}
