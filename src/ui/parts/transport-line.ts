import type { Run, Stage } from '../../core/domain';
import type { ProjectState } from '../../state/project.svelte';
import { formatCount, formatDuration } from './format';
import { STAGE_WORDS } from './stage-names';

/**
 * Where the run in hand is, or how the last one of `stage` ended.
 * @param now wall clock, ms since the epoch
 */
export function transportLine(
  stage: Stage,
  transport: ProjectState['transport'],
  last: Run | null,
  now: number,
): string {
  const { name, step: word } = STAGE_WORDS[stage];
  const { status, step, totalSteps, msLeft, tokensPerSecond, checkpointAt } = transport;
  if (status === 'idle') return last ? `${name}: ${last.status}, ${word} ${last.step}` : '';
  const parts = [`${word} ${step} / ${totalSteps}`];
  if (status === 'running' && msLeft > 0) parts.push(`${formatDuration(msLeft)} left`);
  if (tokensPerSecond > 0) parts.push(`${formatCount(tokensPerSecond)} tokens/s`);
  if (checkpointAt !== null) parts.push(`checkpoint ${formatDuration(now - checkpointAt)} ago`);
  return parts.join(' · ');
}
