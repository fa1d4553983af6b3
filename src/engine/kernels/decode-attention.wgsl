// Attention of one new query per sequence over its cache, softmax in one pass (Milakov & Gimelshein
// 2018, "Online normalizer calculation for softmax"). One invocation per (sequence, head).
// Defines: HEADS, KV_HEADS, HEAD4 = head_dim / 4.
struct Shape { B: u32, P: u32 }
@group(0) @binding(0) var<storage, read_write> attended: array<vec4f>;
@group(0) @binding(1) var<storage, read> q: array<vec4f>;
@group(0) @binding(2) var<storage, read> keys: array<vec4f>;
@group(0) @binding(3) var<storage, read> values: array<vec4f>;
@group(0) @binding(4) var<storage, read> positions: array<i32>;
@group(0) @binding(5) var<uniform> shape: Shape;

@compute @workgroup_size(32)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let i = id.x;
  if (i >= shape.B * HEADS) { return; }
  let b = i / HEADS;
  let kv = (i % HEADS) / (HEADS / KV_HEADS);
  let last = u32(positions[b]);
  let scale = inverseSqrt(f32(HEAD4 * 4u));
  var query: array<vec4f, HEAD4>;
  var sum: array<vec4f, HEAD4>;
  for (var c = 0u; c < HEAD4; c++) {
    query[c] = q[i * HEAD4 + c] * scale;
    sum[c] = vec4f(0);
  }
  var highest = -3.0e38;
  var total = 0.0;
  for (var j = 0u; j <= last; j++) {
    let start = ((b * shape.P + j) * KV_HEADS + kv) * HEAD4;
    var score = 0.0;
    for (var c = 0u; c < HEAD4; c++) { score += dot(query[c], keys[start + c]); }
    let next = max(highest, score);
    let keep = exp(highest - next);
    let weight = exp(score - next);
    total = total * keep + weight;
    for (var c = 0u; c < HEAD4; c++) { sum[c] = sum[c] * keep + weight * values[start + c]; }
    highest = next;
  }
  for (var c = 0u; c < HEAD4; c++) { attended[i * HEAD4 + c] = sum[c] / total; }
}
