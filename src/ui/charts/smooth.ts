/** Weight of the past in the smoothed line. */
const WEIGHT = 0.7;
/** Below this many points smoothing would hide more than it shows. */
const ENOUGH = 12;

/**
 * Exponential moving average without the bias of its start, as TensorBoard draws it; gaps stay
 * gaps. Returns null when there are too few points to smooth.
 */
export function smooth(values: readonly (number | null)[]): (number | null)[] | null {
  if (values.filter((value) => value !== null).length < ENOUGH) return null;
  let mean = 0;
  let weight = 0;
  return values.map((value) => {
    if (value === null) return null;
    mean = WEIGHT * mean + (1 - WEIGHT) * value;
    weight = WEIGHT * weight + (1 - WEIGHT);
    return mean / weight;
  });
}
