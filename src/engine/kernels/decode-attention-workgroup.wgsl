// As decode-attention for graphics cards: a workgroup takes a head of a sequence. Each invocation goes
// through every WIDTH-th position with a softmax of its own; at the end these are put on a common
// maximum and added up. A reduce-*.wgsl comes before it.
// Defines: HEADS, KV_HEADS, HEAD4 = head_dim / 4.
struct Shape { B: u32, P: u32 }
@group(0) @binding(0) var<storage, read_write> attended: array<vec4f>;
@group(0) @binding(1) var<storage, read> q: array<vec4f>;
@group(0) @binding(2) var<storage, read> keys: array<vec4f>;
@group(0) @binding(3) var<storage, read> values: array<vec4f>;
@group(0) @binding(4) var<storage, read> positions: array<i32>;
@group(0) @binding(5) var<uniform> shape: Shape;

const WIDTH = 32u;
alias Summed = f32;
var<workgroup> parts: array<vec4f, WIDTH * HEAD4>;

@compute @workgroup_size(WIDTH)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) t: u32,
) {
  let row = group.y * groups.x + group.x;
  let i = min(row, shape.B * HEADS - 1u);
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
  for (var j = t; j <= last; j += WIDTH) {
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
  // An invocation without a position is far below the maximum, and counts for 0.
  let keep = exp(highest - group_max(highest, t));
  for (var c = 0u; c < HEAD4; c++) { parts[t * HEAD4 + c] = sum[c] * keep; }
  // Its barriers also make the parts of the others readable.
  let whole = group_sum(total * keep, t);
  if (row >= shape.B * HEADS) { return; }
  for (var c = t; c < HEAD4; c += WIDTH) {
    var result = vec4f(0);
    for (var p = 0u; p < WIDTH; p++) { result += parts[p * HEAD4 + c]; }
    attended[i * HEAD4 + c] = result / whole;
  }
}
