// Causal attention for graphics cards: as attention-forward, one query for each invocation; the 64
// queries of a workgroup are of one head and read its keys and values from shared memory.
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

const QUERIES = 64u;
const KEYS = 16u;
var<workgroup> keys: array<vec4f, KEYS * D4>;
var<workgroup> values: array<vec4f, KEYS * D4>;

@compute @workgroup_size(QUERIES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let h = group.y;
  let b = group.z;
  let t = group.x * QUERIES + local;
  let kv_head = h / (HEADS / KV_HEADS);
  let q_at = ((b * size.T + min(t, size.T - 1u)) * HEADS + h) * D4;

  var query: array<vec4f, D4>;
  var sum: array<vec4f, D4>;
  for (var i = 0u; i < D4; i++) {
    query[i] = q[q_at + i] * SCALE;
    sum[i] = vec4f(0);
  }
  var most = -3.0e38;
  var total = 0.0;
  let end = min((group.x + 1u) * QUERIES, size.T);
  for (var j0 = 0u; j0 < end; j0 += KEYS) {
    for (var n = local; n < KEYS * D4; n += QUERIES) {
      let j = min(j0 + n / D4, size.T - 1u);
      let at = ((b * size.T + j) * KV_HEADS + kv_head) * D4 + n % D4;
      keys[n] = k[at];
      values[n] = v[at];
    }
    workgroupBarrier();
    if (t < size.T) {
      for (var j = j0; j <= min(t, j0 + KEYS - 1u); j++) {
        let at = (j - j0) * D4;
        var score = 0.0;
        for (var i = 0u; i < D4; i++) { score += dot(query[i], keys[at + i]); }
        let new_most = max(most, score);
        let shrink = exp(most - new_most);
        let p = exp(score - new_most);
        total = total * shrink + p;
        for (var i = 0u; i < D4; i++) { sum[i] = sum[i] * shrink + p * values[at + i]; }
        most = new_most;
      }
    }
    workgroupBarrier();
  }
  if (t >= size.T) { return; }
  for (var i = 0u; i < D4; i++) { out[q_at + i] = sum[i] / total; }
  lse[(b * HEADS + h) * size.T + t] = most + log(total);
}
