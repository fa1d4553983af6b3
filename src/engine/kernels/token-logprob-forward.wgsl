// From logits [N, V]: log-probability of the target, entropy, and whether the target is the argmax
// → [3, N]. With z = logits / temperature: log p_v = z_v − lse(z), H = lse(z) − Σ p_v z_v (nats).
// One invocation per row. Define: V4 = V / 4.
struct Settings { N: u32, temperature: f32 }
@group(0) @binding(0) var<storage, read_write> result: array<f32>;
@group(0) @binding(1) var<storage, read> logits: array<vec4f>;
@group(0) @binding(2) var<storage, read> targets: array<i32>;
@group(0) @binding(3) var<uniform> settings: Settings;

fn highest_of(x: vec4f) -> f32 { return max(max(x.x, x.y), max(x.z, x.w)); }

@compute @workgroup_size(32)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let n = id.y * groups.x * 32u + id.x;
  if (n >= settings.N) { return; }
  let start = n * V4;
  var peak = logits[start];
  for (var c = 1u; c < V4; c++) { peak = max(peak, logits[start + c]); }
  let highest = highest_of(peak);
  var sums = vec4f(0);
  var products = vec4f(0);
  for (var c = 0u; c < V4; c++) {
    let z = (logits[start + c] - highest) / settings.temperature;
    let weight = exp(z);
    sums += weight;
    products += weight * z;
  }
  let total = dot(sums, vec4f(1));
  let log_total = log(total);
  let target_id = u32(targets[n]);
  let target_logit = logits[start + target_id / 4u][target_id % 4u];
  // The first of equal logits is the argmax.
  var is_argmax = target_logit == highest;
  if (is_argmax) {
    for (var c = 0u; c <= target_id / 4u; c++) {
      for (var lane = 0u; lane < 4u; lane++) {
        if (c * 4u + lane < target_id && logits[start + c][lane] == highest) { is_argmax = false; }
      }
    }
  }
  result[n] = (target_logit - highest) / settings.temperature - log_total;
  result[settings.N + n] = log_total - dot(products, vec4f(1)) / total;
  result[2u * settings.N + n] = select(0.0, 1.0, is_argmax);
}
