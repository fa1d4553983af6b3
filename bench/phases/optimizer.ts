/** Stands in for src/engine/optimizer where the benchmark takes PPO apart. */
import * as real from '../../src/engine/optimizer';
import { inPhase, updatePhase, type Phase } from './clock';

export * from '../../src/engine/optimizer';

export class AdamW extends real.AdamW {
  private readonly phase: Phase;

  constructor(...args: ConstructorParameters<typeof real.AdamW>) {
    super(...args);
    this.phase = updatePhase(args[0]);
  }

  override step(...args: Parameters<real.AdamW['step']>): ReturnType<real.AdamW['step']> {
    return inPhase(this.phase, () => super.step(...args));
  }
}
