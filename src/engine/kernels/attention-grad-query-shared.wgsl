// dq and delta for graphics cards: as attention-grad-query, one query for each invocation; the 64
// queries of a workgroup are of one head and read its keys and values from shared memory.
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
@group(0) @binding(7) var<storage, read> lse: array<f32>;
@group(0) @binding(8) var<uniform> size: Size;

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
  let last = min(t, size.T - 1u);
  let q_at = ((b * size.T + last) * HEADS + h) * D4;
  let stat = (b * HEADS + h) * size.T + last;

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
  let log_sum = lse[stat];
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
        var dp = 0.0;
        for (var i = 0u; i < D4; i++) {
          score += dot(query[i], keys[at + i]);
          dp += dot(d_out[i], values[at + i]);
        }
        let ds = exp(score - log_sum) * (dp - delta) * SCALE;
        for (var i = 0u; i < D4; i++) { d_query[i] += ds * keys[at + i]; }
      }
    }
    workgroupBarrier();
  }
  if (t >= size.T) { return; }
  stats[stat] = vec2f(log_sum, delta);
  for (var i = 0u; i < D4; i++) { dq[q_at + i] = d_query[i]; }
}
