// As token-logprob-forward for graphics cards: a workgroup takes a row. Define: V4 = V / 4.
// A reduce-*.wgsl comes before it.
struct Settings { N: u32, temperature: f32 }
@group(0) @binding(0) var<storage, read_write> result: array<f32>;
@group(0) @binding(1) var<storage, read> logits: array<vec4f>;
@group(0) @binding(2) var<storage, read> targets: array<i32>;
@group(0) @binding(3) var<uniform> settings: Settings;

const WIDTH = 64u;
alias Summed = vec3f; // Σ exp z, Σ exp(z)·z, and more than 0: an equal logit before the target

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
  let highest = group_max(highest_of(peak), t);
  let target_id = u32(targets[n]);
  var weights = vec4f(0);
  var products = vec4f(0);
  var before = 0.0;
  for (var c = t; c < V4; c += WIDTH) {
    let z = (logits[start + c] - highest) / settings.temperature;
    let weight = exp(z);
    weights += weight;
    products += weight * z;
    let index = c * 4u + vec4u(0, 1, 2, 3);
    if (any((logits[start + c] == vec4f(highest)) & (index < vec4u(target_id)))) { before = 1.0; }
  }
  let sums = group_sum(vec3f(dot(weights, vec4f(1)), dot(products, vec4f(1)), before), t);
  if (t != 0u || group.y * groups.x + group.x >= settings.N) { return; }
  let total = sums.x;
  let log_total = log(total);
  let target_logit = logits[start + target_id / 4u][target_id % 4u];
  result[n] = (target_logit - highest) / settings.temperature - log_total;
  result[settings.N + n] = log_total - sums.y / total;
  // The first of equal logits is the argmax.
  result[2u * settings.N + n] = select(0.0, 1.0, target_logit == highest && sums.z == 0.0);
}
