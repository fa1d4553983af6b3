import type { PpoConfig } from './config';

/**
 * The score that enters the reward: clipped to ±reward_clip, then corrected when the completion never
 * ended by itself. lm-human-preferences and summarize-from-feedback replace it by −penalty; TRL
 * subtracts missing_eos_penalty.
 */
export function finalScore(
  score: number,
  finished: boolean,
  config: Pick<PpoConfig, 'missing_eos' | 'missing_eos_penalty' | 'reward_clip'>,
): number {
  const limit = config.reward_clip > 0 ? config.reward_clip : Infinity;
  const clipped = Math.min(limit, Math.max(-limit, score));
  if (finished || config.missing_eos === 'off') return clipped;
  return config.missing_eos === 'replace'
    ? -config.missing_eos_penalty
    : clipped - config.missing_eos_penalty;
}
