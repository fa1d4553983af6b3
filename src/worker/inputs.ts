/** Collects what a run is started on, and makes its stage's generator from it. */
import type { StageConfigs } from '../core/config';
import type {
  Demonstration,
  ModelConfig,
  Project,
  Prompt,
  Ranking,
  Run,
  Stage,
} from '../core/domain';
import { PlaygroundError } from '../core/errors';
import {
  rolloutSettings,
  type RolloutSettings,
  type Source,
  type StageData,
} from '../core/run-data';
import { inputHash } from '../core/run-inputs';
import { trainingRankings } from '../core/training-rankings';
import { trainDpo, type DpoInput } from '../rlhf/dpo';
import { pretrain } from '../rlhf/pretrain';
import { trainPpo } from '../rlhf/ppo';
import { trainReward } from '../rlhf/reward';
import { trainSft } from '../rlhf/sft';
import type { StageEvent, StageSnapshot } from '../rlhf/stage';
import { demonstrations as demonstrationTable } from '../storage/demonstrations';
import { getProject } from '../storage/projects';
import { prompts as promptTable } from '../storage/prompts';
import { rankings as rankingTable } from '../storage/rankings';
import { getRun, runs as runTable } from '../storage/runs';
import type { Database } from '../storage/schema';
import { splitDocuments } from '../tokenizer/documents';
import type { Tokenizer } from '../tokenizer/tokenizer';
import { toTokenizerJson } from '../tokenizer/tokenizer-json';
import type { ModelShelf } from './models';

/** Prompts answered during training, beside the chart. */
const SAMPLE_PROMPTS = 3;
/** Characters of a document that a pretraining sample continues. */
const OPENING_LENGTH = 24;

export interface Collected {
  data: StageData;
  inputHash: string;
  /** The run or shipped base whose weights it starts from. */
  parentId: string | null;
}

/**
 * Reads what a stage needs from the project as it is now.
 * @throws PlaygroundError `missing` naming the stage or the data that comes first
 */
export async function collectInput(
  db: Database,
  shelf: ModelShelf,
  projectId: string,
  stage: Stage,
  text: string,
): Promise<Collected> {
  const project = await getProject(db, projectId);
  const demonstrations = await demonstrationTable.list(db, projectId);
  const prompts = await promptTable.list(db, projectId);
  const rankings = trainingRankings(await rankingTable.list(db, projectId));
  const runs = await runTable.list(db, projectId);
  const hash = inputHash(stage, { project, demonstrations, prompts, rankings, runs });
  const { seed } = project;
  const electorate = project.electorate === undefined ? {} : { electorate: project.electorate };
  const finished = (data: StageData): Collected => ({
    data,
    inputHash: hash,
    parentId: 'start' in data ? data.start.runId : null,
  });
  switch (stage) {
    case 'pretrain': {
      const texts = splitDocuments(text);
      const samplePrompts = texts
        .slice(0, SAMPLE_PROMPTS)
        .map((document) => document.slice(0, OPENING_LENGTH).replace(/\s+\S*$/, ''));
      return finished({ stage: 'pretrain', seed, texts, samplePrompts });
    }
    case 'sft':
      // What is held out is what the table of demonstrations shows as held out.
      return finished({
        stage: 'sft',
        seed,
        start: await shelf.require(project, 'base'),
        demonstrations,
        samplePrompts: distinct([
          ...demonstrations.filter(({ heldOut }) => heldOut).map(({ prompt }) => prompt),
          ...demonstrations.map(({ prompt }) => prompt),
        ]).slice(0, SAMPLE_PROMPTS),
      });
    case 'reward':
      return finished({
        stage: 'reward',
        seed,
        start: await shelf.require(project, 'sft'),
        demonstrations,
        rankings,
        ...electorate,
      });
    case 'ppo': {
      const base = await shelf.require(project, 'base');
      return finished({
        stage: 'ppo',
        seed,
        start: await shelf.require(project, 'sft'),
        reward: await shelf.require(project, 'reward'),
        prompts: ppoPrompts(prompts, rankings, demonstrations),
        ...(base.kind === 'shipped' && { base: base.id }),
      });
    }
    case 'dpo':
      return finished({
        stage: 'dpo',
        seed,
        start: await shelf.require(project, 'sft'),
        rankings,
        ...electorate,
        reward: await shelf.find(project, 'reward'),
        prompts: ppoPrompts(prompts, rankings, demonstrations),
        rollouts: rolloutsOf(project, runs),
      });
  }
}

/** Without prompts of its own, PPO writes for those that people have answered or ranked. */
export function ppoPrompts(
  prompts: readonly Prompt[],
  rankings: readonly Ranking[],
  demonstrations: readonly Demonstration[],
): string[] {
  const own = prompts.map(({ text }) => text);
  const known = [...rankings, ...demonstrations].map(({ prompt }) => prompt);
  return distinct(own.length > 0 ? own : known);
}

/** As the PPO run that stands in the project wrote; before there is one, as one would write now. */
export function rolloutsOf(project: Project, runs: readonly Run[]): RolloutSettings {
  const run = runs.find(({ id }) => id === project.runs.ppo);
  return rolloutSettings(run?.config ?? project.settings.ppo ?? {});
}

const distinct = (texts: readonly string[]): string[] => [...new Set(texts)];

/** A stage ready to be pulled, and what its checkpoints need besides its own snapshot. */
export interface StartedStage {
  events: AsyncGenerator<StageEvent, unknown>;
  /** Known from the start except in pretraining, which makes its own. */
  model: { modelConfig: ModelConfig; tokenizer: unknown } | null;
}

/** Loads the weights that the input names and makes the stage's generator. */
export async function startStage(
  db: Database,
  shelf: ModelShelf,
  data: StageData,
  config: StageConfigs[Stage],
  resume: StageSnapshot | undefined,
): Promise<StartedStage> {
  const { seed } = data;
  const resumed = resume === undefined ? {} : { resume };
  if (data.stage === 'pretrain') {
    const { texts, samplePrompts } = data;
    const input = { texts, seed, samplePrompts };
    return { events: pretrain(input, config as StageConfigs['pretrain'], resumed), model: null };
  }
  const start = await shelf.weights(data.start, 'policy');
  const { modelConfig, weights, tokenizer } = start;
  const ctx = { tokenizer, ...resumed };
  const model = { modelConfig, tokenizer: toTokenizerJson(tokenizer) };
  switch (data.stage) {
    case 'sft':
      return {
        events: trainSft({ ...data, modelConfig, weights }, config as StageConfigs['sft'], ctx),
        model,
      };
    case 'reward':
      return {
        events: trainReward(
          { ...data, modelConfig, weights },
          config as StageConfigs['reward'],
          ctx,
        ),
        model,
      };
    case 'ppo': {
      const reward = await shelf.weights(data.reward, 'model');
      requireSameTokens(tokenizer, reward.tokenizer);
      const { rewardShift: shift, rewardScale: scale } = await getRun(db, data.reward.runId);
      const ppo = config as StageConfigs['ppo'];
      return {
        events: trainPpo(
          {
            modelConfig,
            policyWeights: weights,
            reward: { kind: 'model', weights: reward.weights, shift, scale },
            prompts: data.prompts,
            pretrainingTexts: ppo.ptx_coef > 0 ? await shelf.pretrainingTexts(data.base) : [],
            seed,
          },
          ppo,
          ctx,
        ),
        model,
      };
    }
    case 'dpo': {
      const reward = await dpoReward(db, shelf, data.reward, tokenizer);
      return {
        events: trainDpo(
          { ...data, modelConfig, weights, reward },
          config as StageConfigs['dpo'],
          ctx,
        ),
        model,
      };
    }
  }
}

/** Null without a reward model, or with one that reads other tokens: DPO does not need its scores. */
async function dpoReward(
  db: Database,
  shelf: ModelShelf,
  source: Source | null,
  policyTokenizer: Tokenizer,
): Promise<DpoInput['reward']> {
  if (source === null) return null;
  const { weights, tokenizer } = await shelf.weights(source, 'model');
  if (!policyTokenizer.hasSameTokens(tokenizer)) return null;
  const { rewardShift: shift, rewardScale: scale } = await getRun(db, source.runId);
  return { weights, shift, scale };
}

/** A reward model made from another base reads other tokens: its scores would mean nothing. */
export function requireSameTokens(policy: Tokenizer, reward: Tokenizer): void {
  if (policy.hasSameTokens(reward)) return;
  throw new PlaygroundError({
    code: 'missing',
    field: 'reward',
    message: 'The reward model was trained on another base model than the SFT model.',
    remedy: 'Train the reward model again.',
  });
}
