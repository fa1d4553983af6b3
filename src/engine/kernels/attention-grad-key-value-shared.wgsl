// dk and dv for graphics cards: as attention-grad-key-value, one key for each invocation; the 64
// keys of a workgroup are of one key-value head and read queries and their gradients from shared
// memory. D4 = head_dim / 4 is added to this as a const.
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

const KEYS = 64u;
const QUERIES = 16u;
var<workgroup> queries: array<vec4f, QUERIES * D4>;
var<workgroup> d_outs: array<vec4f, QUERIES * D4>;
var<workgroup> query_stats: array<vec2f, QUERIES>;

@compute @workgroup_size(KEYS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let kv_head = group.y;
  let b = group.z;
  let first = group.x * KEYS;
  let j = first + local;
  let kv_at = ((b * size.T + min(j, size.T - 1u)) * KV_HEADS + kv_head) * D4;
  let shared_by = HEADS / KV_HEADS;

  var key: array<vec4f, D4>;
  var value: array<vec4f, D4>;
  var d_key: array<vec4f, D4>;
  var d_value: array<vec4f, D4>;
  for (var i = 0u; i < D4; i++) {
    key[i] = k[kv_at + i] * SCALE;
    value[i] = v[kv_at + i];
    d_key[i] = vec4f(0);
    d_value[i] = vec4f(0);
  }
  for (var h = kv_head * shared_by; h < (kv_head + 1u) * shared_by; h++) {
    for (var t0 = first; t0 < size.T; t0 += QUERIES) {
      for (var n = local; n < QUERIES * D4; n += KEYS) {
        let at = ((b * size.T + min(t0 + n / D4, size.T - 1u)) * HEADS + h) * D4 + n % D4;
        queries[n] = q[at];
        d_outs[n] = dout[at];
      }
      if (local < QUERIES) {
        query_stats[local] = stats[(b * HEADS + h) * size.T + min(t0 + local, size.T - 1u)];
      }
      workgroupBarrier();
      for (var t = max(t0, j); t < min(t0 + QUERIES, size.T); t++) {
        let at = (t - t0) * D4;
        var score = 0.0;
        var dp = 0.0;
        for (var i = 0u; i < D4; i++) {
          score += dot(queries[at + i], key[i]);
          dp += dot(d_outs[at + i], value[i]);
        }
        let stat = query_stats[t - t0];
        let p = exp(score - stat.x);
        let ds = p * (dp - stat.y) * SCALE;
        for (var i = 0u; i < D4; i++) {
          d_key[i] += ds * queries[at + i];
          d_value[i] += p * d_outs[at + i];
        }
      }
      workgroupBarrier();
    }
  }
  if (j >= size.T) { return; }
  for (var i = 0u; i < D4; i++) {
    dk[kv_at + i] = d_key[i];
    dv[kv_at + i] = d_value[i];
  }
}
