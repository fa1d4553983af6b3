// One AdamW step over all parameters, laid end to end (Loshchilov & Hutter 2019, algorithm 2, as
// torch.optim.AdamW computes it). Does nothing when control says that something is not finite.
// hyper = [beta1, 1 − beta1, beta2, 1 − beta2, epsilon, learning_rate / (1 − beta1^t),
// √(1 − beta2^t), 1 − learning_rate·weight_decay], worked out in f64: 1 − 0.999 in f32 is off by 5e-5.
struct Size { count: u32, decaying: u32 } // the first `decaying` numbers decay
@group(0) @binding(0) var<storage, read_write> parameter: array<f32>;
@group(0) @binding(1) var<storage, read_write> m: array<f32>;
@group(0) @binding(2) var<storage, read_write> v: array<f32>;
@group(0) @binding(3) var<storage, read> gradient: array<f32>;
@group(0) @binding(4) var<storage, read> hyper: array<f32>;
@group(0) @binding(5) var<storage, read> control: array<f32>;
@group(0) @binding(6) var<uniform> size: Size;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * groups.x * 64u + id.x;
  if (i >= size.count || control[2] == 0.0) { return; }
  let g = gradient[i] * control[0];
  let next_m = hyper[0] * m[i] + hyper[1] * g;
  let next_v = hyper[2] * v[i] + hyper[3] * g * g;
  let decayed = parameter[i] * select(1.0, hyper[7], i < size.decaying);
  parameter[i] = decayed - hyper[5] * next_m / (sqrt(next_v) / hyper[6] + hyper[4]);
  m[i] = next_m;
  v[i] = next_v;
}
