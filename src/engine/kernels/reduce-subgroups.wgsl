enable subgroups;
// As reduce-shared, with subgroups: each brings its own invocations to one number, a single step
// through workgroup memory joins them, and then every subgroup adds up all of that, so that none
// waits for another's result. WGSL does not say which invocations form a subgroup, nor that all
// subgroups are full or of one size, so their members are counted.
var<workgroup> sums_of_group: array<Summed, WIDTH>;
var<workgroup> maxima_of_group: array<f32, WIDTH>;

fn group_sum(value: Summed, t: u32) -> Summed {
  let part = subgroupAdd(value);
  // The part of a subgroup stands where its first member is; the places of the others count for 0.
  sums_of_group[t] = select(Summed(), part, subgroupElect());
  workgroupBarrier();
  let members = subgroupAdd(1u);
  var sum = Summed();
  for (var i = subgroupExclusiveAdd(1u); i < WIDTH; i += members) { sum += sums_of_group[i]; }
  return subgroupAdd(sum);
}

fn group_max(value: f32, t: u32) -> f32 {
  maxima_of_group[t] = subgroupMax(value);
  workgroupBarrier();
  let members = subgroupAdd(1u);
  var highest = value;
  for (var i = subgroupExclusiveAdd(1u); i < WIDTH; i += members) {
    highest = max(highest, maxima_of_group[i]);
  }
  return subgroupMax(highest);
}
