/** What a stage still needs, and whether what it made has been overtaken by newer inputs. */
import { comparisonsOf } from '../core/comparisons';
import type { PageStage, Project, Ranking, Run, Stage } from '../core/domain';
import { weightOf } from '../core/electorate';
import { experimentHash } from '../core/experiment-inputs';
import type { ExperimentName } from '../core/experiments';
import { changedInputs, inputHash, type RunInputs } from '../core/run-inputs';
import { trainingRankings } from '../core/training-rankings';
import { MODEL_WORDS, modelName } from '../core/stage-models';

const CHANGES: Record<string, string> = {
  base: 'the base model is another one',
  demonstrations: 'the demonstrations have changed',
  rankings: 'the rankings have changed',
  electorate: 'whose rankings count has changed',
  groups: 'the groups of labelers have changed',
  prompts: 'the prompts have changed',
  sft: 'the SFT model has been trained again',
  reward: 'the reward model has been trained again',
};
/** Stages whose model a stage is made from. */
const FROM: Record<Stage, readonly Stage[]> = {
  pretrain: [],
  sft: ['pretrain'],
  reward: ['sft'],
  ppo: ['sft', 'reward'],
  dpo: ['sft'],
};

export interface StalenessInputs extends Omit<RunInputs, 'runs'> {
  runs: readonly Run[];
}

const modelOf = (stage: Stage, { project, runs }: StalenessInputs): Run | null =>
  runs.find(({ id }) => id === project.runs[modelName(stage)]) ?? null;

/** Why the model of `stage` is out of date, one sentence; null when it is not (or not there). */
export function staleReason(stage: Stage, inputs: StalenessInputs): string | null {
  const run = modelOf(stage, inputs);
  return run === null ? null : outOfDate(stage, run.inputHash, inputs);
}

/** Why best-of-n, measured on what PPO starts on, is out of date; null when it is not (or not there). */
export function staleBestOfN(inputs: StalenessInputs & { project: Project }): string | null {
  const record = inputs.project.bestOfN;
  return record === undefined ? null : outOfDate('ppo', record.inputHash, inputs, 'measurement');
}

/** Why what is stored of an experiment is out of date; null when it is not. */
export function staleExperiment(
  name: Exclude<ExperimentName, 'ask-first'>,
  before: string,
  inputs: StalenessInputs & { project: Project },
): string | null {
  return (
    changedWords(before, experimentHash(name, inputs), 'experiment') ??
    (staleReason('sft', inputs) === null
      ? null
      : `Out of date: the ${MODEL_WORDS.sft} it stands on is.`)
  );
}

function changedWords(before: string, now: string, what: string): string | null {
  const changed = changedInputs(before, now);
  const reasons = changed.map((name) => CHANGES[name] ?? `${name} has changed`);
  return reasons.length === 0 ? null : `Out of date: ${reasons.join(' and ')} since this ${what}.`;
}

function outOfDate(
  stage: Stage,
  before: string,
  inputs: StalenessInputs,
  what = 'run',
): string | null {
  const changed = changedWords(before, inputHash(stage, inputs), what);
  if (changed !== null) return changed;
  const from = FROM[stage].find((earlier) => staleReason(earlier, inputs) !== null);
  return from === undefined ? null : `Out of date: the ${MODEL_WORDS[from]} it stands on is.`;
}

/** Pairs that the rankings decide; a silent repeat decides none. */
export function countComparisons(rankings: readonly Ranking[]): number {
  return trainingRankings(rankings).reduce((sum, { outcome, ranks }) => {
    return outcome === 'ranked' ? sum + comparisonsOf(ranks).length : sum;
  }, 0);
}

const someoneCounts = ({ project, rankings }: StalenessInputs): boolean =>
  rankings.some(
    (ranking) =>
      weightOf(project.electorate, ranking.labeler) > 0 && countComparisons([ranking]) > 0,
  );

export interface Missing {
  text: string;
  page: PageStage;
}

/** What `stage` cannot start without, and the page where it is made; null when all is there. */
export function missingFor(stage: Stage, inputs: StalenessInputs): Missing | null {
  const needsModel = (earlier: Stage, page: PageStage): Missing | null =>
    modelOf(earlier, inputs) === null
      ? { text: `Train the ${MODEL_WORDS[earlier]} first.`, page }
      : null;
  switch (stage) {
    case 'pretrain':
      return null;
    case 'sft':
      if (inputs.project.base === 'scratch' && modelOf('pretrain', inputs) === null) {
        return { text: 'Pretrain a base model first, or choose a shipped one.', page: 'base' };
      }
      return inputs.demonstrations.some(({ heldOut }) => !heldOut)
        ? null
        : { text: 'Add demonstrations first: examples of prompts with good answers.', page: 'sft' };
    case 'reward':
    case 'dpo':
      return (
        needsModel('sft', 'sft') ??
        (countComparisons(inputs.rankings) > 0
          ? null
          : { text: 'Rank some completions first.', page: 'rankings' }) ??
        (someoneCounts(inputs)
          ? null
          : { text: 'Let some labelers count first: all who ranked are held out.', page: 'people' })
      );
    case 'ppo':
      return needsModel('sft', 'sft') ?? needsModel('reward', 'reward');
  }
}
