// d logits [N, V] from the gradients of log-probability (g) and entropy (h) of each row:
// (g·(1[v = target] − p_v) − h·p_v·(log p_v + H)) / temperature. p is recomputed from the saved
// result: lse = z_target − log p_target. One invocation per four logits. Define: V4 = V / 4.
struct Settings { N: u32, temperature: f32 }
@group(0) @binding(0) var<storage, read_write> d_logits: array<vec4f>;
@group(0) @binding(1) var<storage, read> logits: array<vec4f>;
@group(0) @binding(2) var<storage, read> targets: array<i32>;
@group(0) @binding(3) var<storage, read> result: array<f32>;
@group(0) @binding(4) var<storage, read> d_result: array<f32>;
@group(0) @binding(5) var<uniform> settings: Settings;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * groups.x * 64u + id.x;
  if (i >= settings.N * V4) { return; }
  let n = i / V4;
  let target_id = u32(targets[n]);
  let target_logit = logits[n * V4 + target_id / 4u][target_id % 4u];
  let log_p = (logits[i] - target_logit) / settings.temperature + result[n];
  let p = exp(log_p);
  let g = d_result[n];
  let h = d_result[settings.N + n];
  let first = (i % V4) * 4u;
  let hit = vec4u(first, first + 1u, first + 2u, first + 3u) == vec4u(target_id);
  let d = g * (select(vec4f(0), vec4f(1), hit) - p) - h * p * (log_p + result[settings.N + n]);
  d_logits[i] = d / settings.temperature;
}
