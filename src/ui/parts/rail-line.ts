import type { MetricRow, PageStage, Run } from '../../core/domain';
import { importedName } from '../../core/stage-models';
import type { ProjectState } from '../../state/project.svelte';
import { formatNumber, formatShare, plural } from './format';
import { STAGE_WORDS, trainingStage } from './stage-names';

export interface RailLine {
  /** One line of truth. */
  text: string;
  /** Why what was made here no longer matches its input. */
  stale: string | null;
  /** Share done, 0 … 1. */
  progress: number;
  running: boolean;
}

/** What the staircase says about a page of `project`; `baseLabel` names its shipped base. */
export function railLine(project: ProjectState, page: PageStage, baseLabel: string): RailLine {
  const stage = trainingStage(page);
  const running =
    stage !== null && project.transport.stage === stage && project.transport.status !== 'idle';
  if (stage !== null && running) {
    const { step, totalSteps } = project.transport;
    const text = `${STAGE_WORDS[stage].step} ${step} of ${totalSteps}`;
    return { text, stale: null, progress: totalSteps > 0 ? step / totalSteps : 0, running };
  }
  const done = { stale: null, progress: 1, running: false };
  const none = { stale: null, progress: 0, running: false };
  const run = stage === null ? null : project.currentRun(stage);
  const row = run?.finalRow ?? (stage === null ? undefined : project.rows(stage).at(-1));
  const stale = stage === null || !run ? null : project.staleReason(stage);
  const progress = run && run.totalSteps > 0 ? run.step / run.totalSteps : run ? 1 : 0;
  switch (page) {
    case 'base':
      return run
        ? { text: ownBaseText(run, row), stale, progress, running }
        : { ...(project.record.base === 'scratch' ? none : done), text: baseLabel };
    case 'sft': {
      const count = plural(project.demonstrations.length, 'demonstration');
      if (!run) return { ...none, text: project.demonstrations.length > 0 ? count : 'not yet' };
      return { text: `${count} · loss ${formatNumber(row?.loss, 2)}`, stale, progress, running };
    }
    case 'rankings': {
      // A set that nobody has ranked is open; one ranked by rule alone is not, but that is said.
      const ranked = project.rankings.filter(({ outcome }) => outcome !== 'skipped');
      const seen = new Set(ranked.map(({ setId }) => setId));
      const open = project.pendingSets.filter(({ id }) => !seen.has(id)).length;
      if (ranked.length + open === 0) return { ...none, text: 'not yet' };
      const simulated = ranked.filter((ranking) => ranking.simulated).length;
      const note = simulated > 0 ? ` · ${simulated} simulated` : '';
      const count = open > 0 ? `${ranked.length} of ${ranked.length + open}` : `${ranked.length}`;
      const progress = ranked.length / (ranked.length + open);
      return { ...none, text: `${count} ranked${note}`, progress };
    }
    case 'reward': {
      if (!run) return { ...none, text: 'not yet' };
      const text = `${formatShare(row?.eval_accuracy ?? row?.accuracy)} ${row?.eval_accuracy === undefined ? 'accuracy' : 'held out'}`;
      return { text, stale, progress, running };
    }
    case 'ppo': {
      if (!run) return { ...none, text: 'not yet' };
      const reward = formatNumber(row?.['objective/scores'], 2);
      const kl = formatNumber(row?.['objective/kl'], 1);
      return { text: `reward ${reward} · KL ${kl}`, stale, progress, running };
    }
    case 'compare':
      return project.currentRun('sft')
        ? { ...done, text: answering(project).join(', ') }
        : { ...none, text: 'not yet' };
    case 'people': {
      const people = new Set(
        project.rankings.filter(({ simulated }) => !simulated).map(({ labeler }) => labeler),
      ).size;
      return people === 0
        ? { ...none, text: 'nobody yet' }
        : { ...done, text: people === 1 ? 'one person' : `${people} people` };
    }
  }
}

/** The policies that Compare asks. */
const answering = (project: ProjectState): string[] => [
  'base',
  'SFT',
  ...(project.currentRun('dpo') ? ['DPO'] : []),
  ...(project.currentRun('ppo') ? ['PPO'] : []),
];

/** A base that is not a shipped one: brought in from elsewhere, or pretrained here. */
const ownBaseText = (run: Run, row: MetricRow | undefined): string =>
  importedName(run) ?? `your own · loss ${formatNumber(row?.loss, 2)}`;
