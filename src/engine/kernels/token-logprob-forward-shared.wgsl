// As token-logprob-forward for graphics cards: a workgroup takes a row. Define: V4 = V / 4.
struct Settings { N: u32, temperature: f32 }
@group(0) @binding(0) var<storage, read_write> result: array<f32>;
@group(0) @binding(1) var<storage, read> logits: array<vec4f>;
@group(0) @binding(2) var<storage, read> targets: array<i32>;
@group(0) @binding(3) var<uniform> settings: Settings;

const WIDTH = 64u;
var<workgroup> peaks: array<f32, WIDTH>;
var<workgroup> sums: array<vec2f, WIDTH>; // Σ exp z and Σ exp(z)·z
var<workgroup> earlier: array<u32, WIDTH>; // 1: an equal logit stands before the target

fn highest_of(x: vec4f) -> f32 { return max(max(x.x, x.y), max(x.z, x.w)); }

@compute @workgroup_size(WIDTH)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) t: u32,
) {
  let n = min(group.y * groups.x + group.x, settings.N - 1u);
  let start = n * V4;
  var peak = logits[start];
  for (var c = t; c < V4; c += WIDTH) { peak = max(peak, logits[start + c]); }
  peaks[t] = highest_of(peak);
  for (var half = WIDTH / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (t < half) { peaks[t] = max(peaks[t], peaks[t + half]); }
  }
  workgroupBarrier();
  let highest = peaks[0];
  let target_id = u32(targets[n]);
  var weights = vec4f(0);
  var products = vec4f(0);
  var before = 0u;
  for (var c = t; c < V4; c += WIDTH) {
    let z = (logits[start + c] - highest) / settings.temperature;
    let weight = exp(z);
    weights += weight;
    products += weight * z;
    let index = c * 4u + vec4u(0, 1, 2, 3);
    if (any((logits[start + c] == vec4f(highest)) & (index < vec4u(target_id)))) { before = 1u; }
  }
  sums[t] = vec2f(dot(weights, vec4f(1)), dot(products, vec4f(1)));
  earlier[t] = before;
  for (var half = WIDTH / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (t < half) {
      sums[t] += sums[t + half];
      earlier[t] |= earlier[t + half];
    }
  }
  // The first invocation wrote the last sums itself.
  if (t != 0u || group.y * groups.x + group.x >= settings.N) { return; }
  let total = sums[0].x;
  let log_total = log(total);
  let target_logit = logits[start + target_id / 4u][target_id % 4u];
  result[n] = (target_logit - highest) / settings.temperature - log_total;
  result[settings.N + n] = log_total - sums[0].y / total;
  // The first of equal logits is the argmax.
  result[2u * settings.N + n] = select(0.0, 1.0, target_logit == highest && earlier[0] == 0u);
}
