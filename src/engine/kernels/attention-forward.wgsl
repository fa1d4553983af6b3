// Causal attention with an online softmax (Milakov & Gimelshein 2018): one invocation for each
// query of each head; no [T, T] matrix is stored, only the log-sum-exp of its rows.
// D4 = head_dim / 4 is put before this as a const.
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

@compute @workgroup_size(32)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= size.B * HEADS * size.T) { return; }
  let t = id.x % size.T;
  let h = (id.x / size.T) % HEADS;
  let b = id.x / (size.T * HEADS);
  let q_at = ((b * size.T + t) * HEADS + h) * D4;
  let kv_head = h / (HEADS / KV_HEADS);

  var query: array<vec4f, D4>;
  var sum: array<vec4f, D4>;
  for (var i = 0u; i < D4; i++) {
    query[i] = q[q_at + i] * SCALE;
    sum[i] = vec4f(0);
  }
  var most = -3.0e38;
  var total = 0.0;
  for (var j = 0u; j <= t; j++) {
    let at = ((b * size.T + j) * KV_HEADS + kv_head) * D4;
    var score = 0.0;
    for (var i = 0u; i < D4; i++) { score += dot(query[i], k[at + i]); }
    let new_most = max(most, score);
    let shrink = exp(most - new_most);
    let p = exp(score - new_most);
    total = total * shrink + p;
    for (var i = 0u; i < D4; i++) { sum[i] = sum[i] * shrink + p * v[at + i]; }
    most = new_most;
  }
  for (var i = 0u; i < D4; i++) { out[q_at + i] = sum[i] / total; }
  lse[id.x] = most + log(total);
}
