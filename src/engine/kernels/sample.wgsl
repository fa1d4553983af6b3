// Draws the next token of every sequence. Threefry-2x32 as in core/rng.ts: key (seed, stream),
// counter (the row's own stream id, index of the token in its completion), 24 bits, then the inverse
// of the cumulative distribution. Terms are added one by one in vocabulary order, twice in the same
// order, so the threshold and the running sum agree bit for bit.
// One invocation per sequence: nothing of a row depends on its neighbours.
// threefry.wgsl is put before this.
struct Settings {
  B: u32, V: u32, max_new_tokens: u32, eos_token_id: i32, seed: u32, stream: u32, temperature: f32,
}
@group(0) @binding(0) var<storage, read_write> token: array<i32>;
@group(0) @binding(1) var<storage, read_write> position: array<i32>;
// [2, B, max_new_tokens]: tokens, then the bits of their log-probabilities: one readback for both.
@group(0) @binding(2) var<storage, read_write> written: array<i32>;
@group(0) @binding(3) var<storage, read_write> ended: array<i32>; // [B], 1 after the end token
@group(0) @binding(4) var<storage, read> logits: array<f32>;
@group(0) @binding(5) var<storage, read> prompt_length: array<i32>;
@group(0) @binding(6) var<storage, read> row_stream: array<i32>;
@group(0) @binding(7) var<uniform> settings: Settings;

@compute @workgroup_size(32)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let b = id.y * groups.x * 32u + id.x;
  if (b >= settings.B) { return; }
  let start = b * settings.V;
  let index = u32(position[b] + 1 - prompt_length[b]);
  if (index >= settings.max_new_tokens) { return; }

  var highest = logits[start];
  for (var v = 1u; v < settings.V; v++) { highest = max(highest, logits[start + v]); }
  var total = 0.0;
  for (var v = 0u; v < settings.V; v++) {
    total += exp((logits[start + v] - highest) / settings.temperature);
  }
  let bits = threefry2x32(
    vec2u(settings.seed, settings.stream), vec2u(bitcast<u32>(row_stream[b]), index));
  let threshold = f32(bits.x >> 8u) * 0x1p-24 * total;
  // The last token with any probability, should rounding lift the threshold to the total.
  var chosen = 0u;
  var sum = 0.0;
  for (var v = 0u; v < settings.V; v++) {
    let weight = exp((logits[start + v] - highest) / settings.temperature);
    sum += weight;
    if (weight > 0.0) { chosen = v; }
    if (sum > threshold) { break; }
  }
  token[b] = i32(chosen);
  position[b] += 1;
  if (i32(chosen) == settings.eos_token_id) { ended[b] = 1; }
  let at = b * settings.max_new_tokens + index;
  written[at] = i32(chosen);
  let logprob = (logits[start + chosen] - highest) / settings.temperature - log(total);
  written[settings.B * settings.max_new_tokens + at] = bitcast<i32>(logprob);
}
