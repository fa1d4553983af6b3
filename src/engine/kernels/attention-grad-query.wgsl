// dq of causal attention, and delta = Σ_i dout · out of every query for the next kernel
// (Dao et al. 2022, FlashAttention, algorithm 4). One invocation for each query of each head.
// D4 = head_dim / 4 is put before this as a const.
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

@compute @workgroup_size(32)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= size.B * HEADS * size.T) { return; }
  let t = id.x % size.T;
  let h = (id.x / size.T) % HEADS;
  let b = id.x / (size.T * HEADS);
  let q_at = ((b * size.T + t) * HEADS + h) * D4;
  let kv_head = h / (HEADS / KV_HEADS);

  var query: array<vec4f, D4>;
  var d_query: array<vec4f, D4>;
  var d_out: array<vec4f, D4>;
  var delta = 0.0;
  for (var i = 0u; i < D4; i++) {
    query[i] = q[q_at + i] * SCALE;
    d_query[i] = vec4f(0);
    d_out[i] = dout[q_at + i];
    delta += dot(d_out[i], out[q_at + i]);
  }
  let log_sum = lse[id.x];
  stats[id.x] = vec2f(log_sum, delta);
  for (var j = 0u; j <= t; j++) {
    let at = ((b * size.T + j) * KV_HEADS + kv_head) * D4;
    var score = 0.0;
    var dp = 0.0;
    for (var i = 0u; i < D4; i++) {
      score += dot(query[i], k[at + i]);
      dp += dot(d_out[i], v[at + i]);
    }
    let ds = exp(score - log_sum) * (dp - delta) * SCALE;
    for (var i = 0u; i < D4; i++) { d_query[i] += ds * k[at + i]; }
  }
  for (var i = 0u; i < D4; i++) { dq[q_at + i] = d_query[i]; }
}
