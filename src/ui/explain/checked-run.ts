import { comparisonsOf } from '../../core/comparisons';
import type { CheckedRun, RankingCounts } from '../../core/diagnosis-finding';
import type { ProjectState } from '../../state/project.svelte';

/** The run of a stage that the page shows, as the diagnosis reads it; null when there is none. */
export function checkedRun(project: ProjectState, stage: CheckedRun['stage']): CheckedRun | null {
  const run = project.currentRun(stage);
  if (run === null) return null;
  const { config } = run;
  return {
    stage,
    rows: project.rows(stage),
    config,
    ...(stage === 'reward' && { counts: countRankings(project.rankings, config.held_out_ratio) }),
  };
}

/**
 * Whole rankings are held out (rlhf/rankings.ts), so the number of held-out pairs is their share of
 * all pairs, not an exact count.
 */
function countRankings(
  all: ProjectState['rankings'],
  heldOutRatio: string | number | boolean | undefined,
): RankingCounts {
  const decided = all
    .filter(({ outcome }) => outcome === 'ranked')
    .map(({ ranks }) => ({ completions: ranks.length, pairs: comparisonsOf(ranks).length }))
    .filter(({ pairs }) => pairs > 0);
  const sum = (key: 'completions' | 'pairs'): number =>
    decided.reduce((total, one) => total + one[key], 0);
  const rankings = decided.length;
  const heldOut = typeof heldOutRatio === 'number' ? Math.round(heldOutRatio * rankings) : 0;
  return {
    rankings,
    pairs: sum('pairs'),
    heldOutPairs: rankings === 0 ? 0 : (sum('pairs') * heldOut) / rankings,
    completions: rankings === 0 ? 0 : sum('completions') / rankings,
  };
}
