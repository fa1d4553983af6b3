/** Defaults that depend on the size of the model. */
import { PPO_FIELDS } from './config-ppo';
import type { Stage } from './domain';
import { PRESETS } from './presets';

/**
 * What takes the place of the defaults in `STAGE_FIELDS`, which are those of `nano`. Adam moves every
 * weight by about the learning rate, so a product over twice as many columns moves twice as far: PPO's
 * learning rate falls with the width (Yang et al. 2022, "Tensor Programs V", table 3). At one and the same
 * rate `tiny` runs away from the SFT model where `nano` has hardly begun: docs/log.md, 2026-11-26.
 */
export function sizeDefaults(stage: Stage, hidden_size: number): Readonly<Record<string, number>> {
  if (stage !== 'ppo') return {};
  const width = hidden_size / PRESETS.nano.hidden_size;
  const learning_rate = PPO_FIELDS.learning_rate.default / width;
  // it stands in a field that people read and change
  return { learning_rate: Number(learning_rate.toPrecision(3)) };
}
