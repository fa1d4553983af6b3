import type { Project, Run } from '../core/domain';
import { PlaygroundError } from '../core/errors';

/** What a project stands on. */
export interface BaseChoice {
  /** A shipped base, or 'scratch'. */
  base: string;
  /** The pretraining run whose model replaces it. */
  runId: string | null;
}

/**
 * What `id` means as the base of a project: a shipped base, 'scratch', or one of its pretraining runs.
 * @throws PlaygroundError `argument` when it is none of them
 */
export function baseChoice(
  id: string,
  project: Pick<Project, 'base'>,
  runs: readonly Run[],
  shipped: readonly { id: string }[],
): BaseChoice {
  const run = runs.find((other) => other.id === id);
  if (run?.stage === 'pretrain' && run.checkpointId !== null) {
    return { base: project.base, runId: id };
  }
  if (id === 'scratch' || shipped.some((base) => base.id === id)) return { base: id, runId: null };
  throw new PlaygroundError({
    code: 'argument',
    field: 'base',
    message: `There is no base model "${id}".`,
    remedy: 'Choose a shipped one, or pretrain one in the Base stage.',
  });
}
