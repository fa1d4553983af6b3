import type { Project } from '../core/domain';
import { PlaygroundError } from '../core/errors';
import { NO_MODELS } from '../core/stage-models';
import type { StoredProject } from './schema';

/**
 * A project as the rest of the playground knows it: without what only writing needs, and with a
 * place for every kind of model (older releases know fewer).
 */
export function complete({
  claim: _claim,
  revision: _revision,
  ...stored
}: StoredProject): Project {
  return { ...stored, runs: { ...NO_MODELS, ...stored.runs } };
}

export const noProject = (): PlaygroundError =>
  new PlaygroundError({
    code: 'not-found',
    message: 'This project is not stored here; it may have been deleted in another tab.',
  });
