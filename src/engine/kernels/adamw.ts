/**
 * Σ g² of one gradient and whether it holds a NaN or infinity. WGSL may assume that there is none,
 * so the test is on the bits. One workgroup; invocation t takes elements t, t + 256, …, then a tree:
 * a fixed order. partial [2·parameters] = (Σ g², 0 or 1) of each.
 */
export const GRADIENT_NORM_PARTIAL = /* wgsl */ `
struct Place { parameter: u32, count: u32 }
@group(0) @binding(0) var<storage, read_write> partial: array<f32>;
@group(0) @binding(1) var<storage, read> gradient: array<u32>;
@group(0) @binding(2) var<uniform> place: Place;

var<workgroup> squares: array<f32, 256>;
var<workgroup> not_finite: array<u32, 256>;

@compute @workgroup_size(256)
fn main(@builtin(local_invocation_index) t: u32) {
  var sum = 0.0;
  var bad = 0u;
  for (var i = t; i < place.count; i += 256u) {
    let bits = gradient[i];
    if ((bits & 0x7f800000u) == 0x7f800000u) { bad = 1u; }
    let g = bitcast<f32>(bits);
    sum += g * g;
  }
  squares[t] = sum;
  not_finite[t] = bad;
  for (var half = 128u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (t < half) {
      squares[t] += squares[t + half];
      not_finite[t] |= not_finite[t + half];
    }
  }
  if (t == 0u) {
    partial[2u * place.parameter] = squares[0];
    partial[2u * place.parameter + 1u] = f32(not_finite[0]);
  }
}
`;

/**
 * Global norm and clip factor (torch.nn.utils.clip_grad_norm_: min(1, max / (norm + 1e-6)), 0 = off).
 * control = [factor, norm, 1 if loss and norm are finite, then 1 for each bad gradient].
 */
export const GRADIENT_NORM_TOTAL = /* wgsl */ `
struct Settings { parameters: u32, max_grad_norm: f32 }
@group(0) @binding(0) var<storage, read_write> control: array<f32>;
@group(0) @binding(1) var<storage, read> partial: array<f32>;
@group(0) @binding(2) var<storage, read> loss: array<u32>;
@group(0) @binding(3) var<uniform> settings: Settings;

fn is_finite(bits: u32) -> bool { return (bits & 0x7f800000u) != 0x7f800000u; }

@compute @workgroup_size(1)
fn main() {
  var sum = 0.0;
  var good = is_finite(loss[0]);
  for (var p = 0u; p < settings.parameters; p++) {
    sum += partial[2u * p];
    let bad = partial[2u * p + 1u];
    control[3u + p] = bad;
    good = good && bad == 0.0;
  }
  let norm = sqrt(sum);
  good = good && is_finite(bitcast<u32>(sum));
  control[0] = select(1.0, min(1.0, settings.max_grad_norm / (norm + 1e-6)), settings.max_grad_norm > 0.0);
  control[1] = norm;
  control[2] = select(0.0, 1.0, good);
}
`;

/**
 * One AdamW step in place (Loshchilov & Hutter 2019, algorithm 2, as torch.optim.AdamW computes it).
 * Does nothing when control says that something is not finite.
 * hyper = [learning_rate, beta1, beta2, epsilon, 1 − beta1^t, √(1 − beta2^t), weight_decay].
 */
export const ADAMW = /* wgsl */ `
struct Place { count: u32, decay: u32 }
@group(0) @binding(0) var<storage, read_write> parameter: array<f32>;
@group(0) @binding(1) var<storage, read_write> m: array<f32>;
@group(0) @binding(2) var<storage, read_write> v: array<f32>;
@group(0) @binding(3) var<storage, read> gradient: array<f32>;
@group(0) @binding(4) var<storage, read> hyper: array<f32>;
@group(0) @binding(5) var<storage, read> control: array<f32>;
@group(0) @binding(6) var<uniform> place: Place;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * groups.x * 64u + id.x;
  if (i >= place.count || control[2] == 0.0) { return; }
  let g = gradient[i] * control[0];
  let next_m = hyper[1] * m[i] + (1.0 - hyper[1]) * g;
  let next_v = hyper[2] * v[i] + (1.0 - hyper[2]) * g * g;
  let decayed = parameter[i] * (1.0 - hyper[0] * hyper[6] * f32(place.decay));
  parameter[i] = decayed - hyper[0] / hyper[4] * next_m / (sqrt(next_v) / hyper[5] + hyper[3]);
  m[i] = next_m;
  v[i] = next_v;
}
`;
