// Draws the next token of every sequence. Threefry-2x32 as in core/rng.ts: key (seed, stream),
// counter (the row's own stream id, index of the token in its completion), 24 bits, then the inverse
// of the cumulative distribution. For graphics cards: a workgroup takes a sequence, each invocation
// a stretch of the vocabulary; the stretch that the threshold falls into is added up once more in the
// same order, so the threshold and the running sum agree bit for bit.
// A reduce-*.wgsl and threefry.wgsl are put before this.
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

const WIDTH = 64u;
alias Summed = f32;
var<workgroup> sums: array<f32, WIDTH>; // in the order of the vocabulary, so not added up by a tree

@compute @workgroup_size(WIDTH)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) t: u32,
) {
  let row = group.y * groups.x + group.x;
  let b = min(row, settings.B - 1u);
  let start = b * settings.V;
  let index = u32(position[b] + 1 - prompt_length[b]);
  let stretch = (settings.V + WIDTH - 1u) / WIDTH;
  let first = min(t * stretch, settings.V);
  let end = min(first + stretch, settings.V);
  var peak = logits[start];
  for (var v = first; v < end; v++) { peak = max(peak, logits[start + v]); }
  let highest = group_max(peak, t);
  var part = 0.0;
  for (var v = first; v < end; v++) {
    part += exp((logits[start + v] - highest) / settings.temperature);
  }
  sums[t] = part;
  workgroupBarrier();
  if (t != 0u || row >= settings.B || index >= settings.max_new_tokens) { return; }

  var total = 0.0;
  for (var i = 0u; i < WIDTH; i++) { total += sums[i]; }
  let bits = threefry2x32(
    vec2u(settings.seed, settings.stream), vec2u(bitcast<u32>(row_stream[b]), index));
  let threshold = f32(bits.x >> 8u) * 0x1p-24 * total;
  // The stretch in which the running sum passes the threshold, or the last with any probability.
  var chosen_stretch = 0u;
  var before = 0.0;
  var sum = 0.0;
  for (var i = 0u; i < WIDTH; i++) {
    if (sums[i] > 0.0) {
      chosen_stretch = i;
      before = sum;
    }
    sum += sums[i];
    if (sum > threshold) { break; }
  }
  var chosen = chosen_stretch * stretch;
  sum = 0.0;
  for (var v = chosen; v < min((chosen_stretch + 1u) * stretch, settings.V); v++) {
    let weight = exp((logits[start + v] - highest) / settings.temperature);
    sum += weight;
    if (weight > 0.0) { chosen = v; }
    if (before + sum > threshold) { break; }
  }
  token[b] = i32(chosen);
  position[b] += 1;
  if (i32(chosen) == settings.eos_token_id) { ended[b] = 1; }
  let at = b * settings.max_new_tokens + index;
  written[at] = i32(chosen);
  let logprob = (logits[start + chosen] - highest) / settings.temperature - log(total);
  written[settings.B * settings.max_new_tokens + at] = bitcast<i32>(logprob);
}
