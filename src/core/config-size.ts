/** Defaults that depend on the size of the model. */
import { PPO_FIELDS } from './config-ppo';
import type { ModelConfig, Stage } from './domain';
import { PRESETS } from './presets';

/** What the defaults depend on. */
export type ModelShape = Pick<ModelConfig, 'hidden_size' | 'num_hidden_layers'>;

/** How far the output moves when every weight moves by one and the same little: see below. */
const reach = ({ hidden_size, num_hidden_layers }: ModelShape): number =>
  hidden_size * num_hidden_layers;

/**
 * What takes the place of the defaults in `STAGE_FIELDS`, which are those of `nano`. Adam moves every
 * weight by about the learning rate; a product over twice as many columns moves twice as far (Yang et al.
 * 2022, "Tensor Programs V", table 3), and so does a residual stream to which twice as many layers add. PPO's
 * learning rate falls with both: at one and the same rate `tiny` runs away from the SFT model where
 * `nano` has hardly begun (docs/log.md, 2026-11-26 and 27). At 1 B parameters (2048 wide, 16 layers) this
 * gives 2e-6, where TRL's default is 3e-6.
 */
export function sizeDefaults(stage: Stage, shape: ModelShape): Readonly<Record<string, number>> {
  if (stage !== 'ppo') return {};
  const { default: ofNano, min, max } = PPO_FIELDS.learning_rate;
  const ofShape = (ofNano * reach(PRESETS.nano)) / reach(shape);
  // it stands in a field that people read and change; a file may say of its model that it has no layers
  return { learning_rate: Math.min(Math.max(Number(ofShape.toPrecision(3)), min), max) };
}
