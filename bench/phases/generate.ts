/** Stands in for src/engine/generate where the benchmark takes PPO apart. */
import * as real from '../../src/engine/generate';
import { inPhase, setPolicy } from './clock';

export * from '../../src/engine/generate';

export const generate: typeof real.generate = (model, ...rest) => {
  setPolicy(model);
  return inPhase('rollout', () => real.generate(model, ...rest));
};
