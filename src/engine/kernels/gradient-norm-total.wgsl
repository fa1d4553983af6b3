// Global norm and clip factor (torch.nn.utils.clip_grad_norm_: min(1, max / (norm + 1e-6)), 0 = off).
// control = [factor, norm, 1 if loss and norm are finite, then 1 for each bad gradient].
struct Settings { parameters: u32, max_grad_norm: f32 }
@group(0) @binding(0) var<storage, read_write> control: array<f32>;
@group(0) @binding(1) var<storage, read> partials: array<f32>;
@group(0) @binding(2) var<storage, read> loss: array<u32>;
@group(0) @binding(3) var<uniform> settings: Settings;

fn is_finite(bits: u32) -> bool { return (bits & 0x7f800000u) != 0x7f800000u; }

@compute @workgroup_size(1)
fn main() {
  var sum = 0.0;
  var good = is_finite(loss[0]);
  for (var p = 0u; p < settings.parameters; p++) {
    sum += partials[2u * p];
    let bad = partials[2u * p + 1u];
    control[3u + p] = bad;
    good = good && bad == 0.0;
  }
  let norm = sqrt(sum);
  good = good && is_finite(bitcast<u32>(sum));
  control[0] = select(1.0, min(1.0, settings.max_grad_norm / (norm + 1e-6)), settings.max_grad_norm > 0.0);
  control[1] = norm;
  control[2] = select(0.0, 1.0, good);
}
