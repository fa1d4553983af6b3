/** Stands in for src/engine/inference where the benchmark takes PPO apart. */
import * as real from '../../src/engine/inference';
import { inPhase, isPolicy } from './clock';

export * from '../../src/engine/inference';

export const tokenLogprobs: typeof real.tokenLogprobs = (model, ...rest) =>
  inPhase(isPolicy(model) ? 'policy forward' : 'reference forward', () =>
    real.tokenLogprobs(model, ...rest),
  );

export const values: typeof real.values = (...args) =>
  inPhase('value forward', () => real.values(...args));

export const scores: typeof real.scores = (...args) =>
  inPhase('reward scoring', () => real.scores(...args));
