import { trainingRankings } from '../../core/training-rankings';
import { comparisonsOf } from '../../core/comparisons';
import type { CheckedRun, RankingCounts } from '../../core/diagnosis-finding';
import { lastValue } from '../stages/last-value';
import type { ProjectState } from '../../state/project.svelte';

/** The run of a stage that the page shows, as the diagnosis reads it; null when there is none. */
export function checkedRun(project: ProjectState, stage: CheckedRun['stage']): CheckedRun | null {
  const run = project.currentRun(stage);
  if (run === null) return null;
  const rows = project.rows(stage);
  return {
    stage,
    rows,
    config: run.config,
    ...((stage === 'reward' || stage === 'dpo') && {
      counts: {
        ...countRankings(project.rankings),
        // A run from before this was logged is not checked by it.
        heldOutPairs: lastValue(rows, 'eval_pairs') ?? 0,
      },
    }),
  };
}

function countRankings(all: ProjectState['rankings']): Omit<RankingCounts, 'heldOutPairs'> {
  const decided = trainingRankings(all)
    .filter(({ outcome }) => outcome === 'ranked')
    .map(({ ranks }) => ({ completions: ranks.length, pairs: comparisonsOf(ranks).length }))
    .filter(({ pairs }) => pairs > 0);
  const sum = (key: 'completions' | 'pairs'): number =>
    decided.reduce((total, one) => total + one[key], 0);
  const rankings = decided.length;
  return {
    rankings,
    pairs: sum('pairs'),
    completions: rankings === 0 ? 0 : sum('completions') / rankings,
  };
}
