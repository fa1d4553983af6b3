// Σ g² of one gradient and whether it holds a NaN or infinity. WGSL may assume that there is none,
// so the test is on the bits. One workgroup; invocation t takes elements t, t + 256, …, then a tree:
// a fixed order. partial [2·parameters] = (Σ g², 0 or 1) of each.
struct Place { parameter: u32, count: u32 }
@group(0) @binding(0) var<storage, read_write> partials: array<f32>;
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
  for (var width = 128u; width > 0u; width /= 2u) {
    workgroupBarrier();
    if (t < width) {
      squares[t] += squares[t + width];
      not_finite[t] |= not_finite[t + width];
    }
  }
  if (t == 0u) {
    partials[2u * place.parameter] = squares[0];
    partials[2u * place.parameter + 1u] = f32(not_finite[0]);
  }
}
