/** Learning-rate schedules; `step` counts from 0 and is the step about to be taken. */

/** Linear rise over the first `warmup` steps: (step+1)/warmup, then 1. */
function warmupFactor(step: number, warmup: number): number {
  return step < warmup ? (step + 1) / warmup : 1;
}

/**
 * Warm-up, then a cosine from 1 to `min_lr_ratio` (InstructGPT, appendix C: to 10 %).
 * @returns the factor on the peak learning rate
 */
export function cosineFactor(
  step: number,
  totalSteps: number,
  warmup: number,
  min_lr_ratio: number,
): number {
  if (step < warmup) return warmupFactor(step, warmup);
  const progress = Math.min(1, (step - warmup) / Math.max(1, totalSteps - warmup));
  return min_lr_ratio + (1 - min_lr_ratio) * 0.5 * (1 + Math.cos(Math.PI * progress));
}

/**
 * Warm-up, then constant (InstructGPT, appendix C.4) or a line from the peak down to 0 over the steps that
 * are left (lm-human-preferences; transformers' `get_linear_schedule_with_warmup`).
 */
export function ppoFactor(
  step: number,
  totalSteps: number,
  warmup: number,
  lr_schedule: 'constant' | 'linear',
): number {
  if (step < warmup || lr_schedule === 'constant') return warmupFactor(step, warmup);
  return (totalSteps - step) / Math.max(1, totalSteps - warmup);
}
