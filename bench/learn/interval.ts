/** Means with intervals over few seeds. */

/** Student's t, two-sided 95 %, by degrees of freedom 1 … 10. */
const T95 = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228];

export function mean(xs: readonly number[]): number {
  return xs.reduce((sum, x) => sum + x, 0) / xs.length;
}

/** Half of the 95 % interval of the mean; null for fewer than two numbers. At most eleven. */
export function halfInterval(xs: readonly number[]): number | null {
  if (xs.length < 2) return null;
  const t = T95[xs.length - 2];
  if (t === undefined) throw new Error(`halfInterval: ${xs.length} numbers are more than 11`);
  const center = mean(xs);
  const variance = xs.reduce((sum, x) => sum + (x - center) ** 2, 0) / (xs.length - 1);
  return t * Math.sqrt(variance / xs.length);
}

/** `84 ± 6 %`; numbers are multiplied by `factor`. */
export function withInterval(
  xs: readonly number[],
  factor: number,
  digits: number,
  unit: string,
): string {
  const half = halfInterval(xs);
  const middle = (factor * mean(xs)).toFixed(digits);
  return half === null
    ? `${middle}${unit}`
    : `${middle} ± ${(factor * half).toFixed(digits)}${unit}`;
}
