// Rotates the pairs (i, i + hd/2) of every head by the angle of the row's position (Hugging Face's
// rotate_half); sign −1 rotates back, which is the gradient. `position(row)` is put before this.
override HEADS: u32;
override HALF: u32; // head_dim / 2
struct Size { rows: u32, T: u32, sign: f32 }
@group(0) @binding(0) var<storage, read_write> y: array<f32>;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> cosines: array<f32>;
@group(0) @binding(3) var<storage, read> sines: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let pair = id.y * groups.x * 64u + id.x;
  if (pair >= size.rows * HEADS * HALF) { return; }
  let i = pair % HALF;
  let head = pair / HALF; // counted over rows and heads
  let at = position(head / HEADS) * HALF + i;
  let c = cosines[at];
  let s = sines[at] * size.sign;
  let first = head * 2u * HALF + i;
  let a = x[first];
  let b = x[first + HALF];
  y[first] = a * c - b * s;
  y[first + HALF] = b * c + a * s;
}
