import type { Project } from '../core/domain';
import { NO_MODELS } from '../core/stage-models';
import { newId, nextSeq } from './ids';

/** A project in which nothing has been done yet, after all others. */
export function freshProject(
  chosen: Pick<Project, 'name' | 'base' | 'seed'>,
  others: readonly Project[],
): Project {
  const now = Date.now();
  return {
    id: newId(),
    ...chosen,
    page: 'base',
    settings: {},
    runs: { ...NO_MODELS },
    seq: nextSeq(others),
    createdAt: now,
    updatedAt: now,
  };
}
