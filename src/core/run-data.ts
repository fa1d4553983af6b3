/**
 * What a run is started on: collected once, stored with the run, read back when it resumes, and
 * carried in a project file. Plain data; weights are named, never copied.
 */
import type { PpoConfig } from './config';
import { PPO_FIELDS } from './config-ppo';
import type { Demonstration, Ranking } from './domain';
import type { Electorate } from './electorate';
import { fieldProblem } from './fields';

/** Where weights come from. Checkpoints are immutable, so this names exact bytes. */
export interface Source {
  kind: 'shipped' | 'checkpoint';
  /** Base id ('nano') or checkpoint id. */
  id: string;
  /** The run that made the checkpoint; the base id of a shipped model. */
  runId: string;
}

/** How PPO's completions are written and scored: what is drawn beside PPO is measured alike. */
export type RolloutSettings = Pick<PpoConfig, (typeof ROLLOUT_SETTINGS)[number]>;

const ROLLOUT_SETTINGS = [
  'rollout_batch_size',
  'response_length',
  'temperature',
  'missing_eos',
  'missing_eos_penalty',
  'reward_clip',
] as const;

/** Those among the settings of PPO; what is missing or no longer allowed takes its default. */
export function rolloutSettings(ppo: Readonly<Record<string, unknown>>): RolloutSettings {
  const chosen = ROLLOUT_SETTINGS.map((name) => {
    const field = PPO_FIELDS[name];
    return [name, fieldProblem(field, ppo[name]) === null ? ppo[name] : field.default];
  });
  return Object.fromEntries(chosen) as RolloutSettings;
}

/** By stage. */
export type StageData =
  | { stage: 'pretrain'; seed: number; texts: string[]; samplePrompts: string[] }
  | {
      stage: 'sft';
      seed: number;
      start: Source;
      demonstrations: Demonstration[];
      samplePrompts: string[];
    }
  | {
      stage: 'reward';
      seed: number;
      start: Source;
      demonstrations: Demonstration[];
      rankings: Ranking[];
      /** Whose rankings count; absent: everyone's alike. */
      electorate?: Electorate;
    }
  | {
      stage: 'ppo';
      seed: number;
      start: Source;
      reward: Source;
      prompts: string[];
      /** The shipped base below the policy, whose pretraining text PPO-ptx reads; absent without one. */
      base?: string;
    }
  | {
      stage: 'dpo';
      seed: number;
      start: Source;
      rankings: Ranking[];
      electorate?: Electorate;
      /** Scores fresh completions, which DPO itself does not need; null before there is one. */
      reward: Source | null;
      /** Those of PPO. */
      prompts: string[];
      rollouts: RolloutSettings;
    };
