import type { RunCut } from '../../core/domain';

/** A cut in words: the dashed line and the tinted steps of the chart. */
export function cutText({ at, from, why }: RunCut): string {
  const what = why === 'device-lost' ? 'The GPU was lost' : 'The page was closed or crashed';
  if (at <= from) return `${what} after step ${at} (dashed); nothing had to be computed again.`;
  const again = at === from + 1 ? `step ${at} was` : `steps ${from + 1} to ${at} were`;
  const source = from === 0 ? 'began again' : `went on from its checkpoint of step ${from}`;
  return `${what} after step ${at} (dashed). The run ${source}; ${again} computed again (tinted).`;
}
