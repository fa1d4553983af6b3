// Global norm and clip factor (torch.nn.utils.clip_grad_norm_: min(1, max / (norm + 1e-6)), 0 = off).
// control = [factor, norm, 1 if loss and norm are finite, then 1 for each bad gradient]. One
// workgroup: invocation t takes parameters t, t + 64, …, the first adds up: a fixed order.
struct Settings { parameters: u32, max_grad_norm: f32 }
@group(0) @binding(0) var<storage, read_write> control: array<f32>;
@group(0) @binding(1) var<storage, read> sums: array<vec2f>; // (Σ g², 0 or 1) of each chunk
@group(0) @binding(2) var<storage, read> first_chunk: array<u32>; // [parameters + 1]
@group(0) @binding(3) var<storage, read> loss: array<u32>;
@group(0) @binding(4) var<uniform> settings: Settings;

var<workgroup> squares: array<f32, 64>;
var<workgroup> good: array<u32, 64>;

fn is_finite(bits: u32) -> bool { return (bits & 0x7f800000u) != 0x7f800000u; }

@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) t: u32) {
  var sum = 0.0;
  var all_good = 1u;
  for (var p = t; p < settings.parameters; p += 64u) {
    var bad = 0.0;
    for (var c = first_chunk[p]; c < first_chunk[p + 1u]; c++) {
      sum += sums[c].x;
      bad = max(bad, sums[c].y);
    }
    control[3u + p] = bad;
    if (bad != 0.0) { all_good = 0u; }
  }
  squares[t] = sum;
  good[t] = all_good;
  workgroupBarrier();
  if (t != 0u) { return; }
  for (var other = 1u; other < 64u; other++) {
    sum += squares[other];
    all_good &= good[other];
  }
  let norm = sqrt(sum);
  let finite = all_good == 1u && is_finite(loss[0]) && is_finite(bitcast<u32>(sum));
  control[0] = select(1.0, min(1.0, settings.max_grad_norm / (norm + 1e-6)), settings.max_grad_norm > 0.0);
  control[1] = norm;
  control[2] = select(0.0, 1.0, finite);
}
