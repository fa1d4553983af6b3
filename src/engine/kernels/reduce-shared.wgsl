// Sums and maxima over a workgroup through its memory: a tree with a barrier for each level. Put
// before a kernel, which declares WIDTH, its invocations (a power of 2), and what it sums: `alias
// Summed`, an f32 or a vector of them. All invocations of a workgroup call these, each at most once;
// all get the result.
var<workgroup> sums_of_group: array<Summed, WIDTH>;
var<workgroup> maxima_of_group: array<f32, WIDTH>;

fn group_sum(value: Summed, t: u32) -> Summed {
  sums_of_group[t] = value;
  for (var half = WIDTH / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (t < half) { sums_of_group[t] += sums_of_group[t + half]; }
  }
  workgroupBarrier();
  return sums_of_group[0];
}

fn group_max(value: f32, t: u32) -> f32 {
  maxima_of_group[t] = value;
  for (var half = WIDTH / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (t < half) { maxima_of_group[t] = max(maxima_of_group[t], maxima_of_group[t + half]); }
  }
  workgroupBarrier();
  return maxima_of_group[0];
}
