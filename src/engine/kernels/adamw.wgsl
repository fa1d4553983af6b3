// One AdamW step over all parameters, laid end to end (Loshchilov & Hutter 2019, algorithm 2, as
// torch.optim.AdamW computes it). Does nothing when control says that something is not finite.
// hyper = [beta1, 1 − beta1, beta2, 1 − beta2, epsilon, learning_rate / (1 − beta1^t),
// √(1 − beta2^t), 1 − learning_rate·weight_decay], worked out in f64: 1 − 0.999 in f32 is off by 5e-5.
// An invocation takes 16 numbers, so that reading the settings costs little beside them.
struct Size { count4: u32, decaying4: u32 } // vec4s in all; those at the front that decay
@group(0) @binding(0) var<storage, read_write> parameter: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> m: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> v: array<vec4f>;
@group(0) @binding(3) var<storage, read> gradient: array<vec4f>;
@group(0) @binding(4) var<storage, read> hyper: array<vec4f>; // [2]
@group(0) @binding(5) var<storage, read> control: array<f32>;
@group(0) @binding(6) var<uniform> size: Size;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  if (control[2] == 0.0) { return; }
  let factor = control[0];
  let beta = hyper[0];
  let rate = hyper[1];
  let first = (group.y * groups.x + group.x) * 256u + local;
  for (var i = first; i < min(first + 256u, size.count4); i += 64u) {
    let g = gradient[i] * factor;
    let next_m = beta.x * m[i] + beta.y * g;
    let next_v = beta.z * v[i] + beta.w * g * g;
    let decayed = parameter[i] * select(1.0, rate.w, i < size.decaying4);
    parameter[i] = decayed - rate.y * next_m / (sqrt(next_v) / rate.z + rate.x);
    m[i] = next_m;
    v[i] = next_v;
  }
}
