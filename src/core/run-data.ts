/**
 * What a run is started on: collected once, stored with the run, read back when it resumes, and
 * carried in a project file. Plain data; weights are named, never copied.
 */
import type { Demonstration, Ranking } from './domain';

/** Where weights come from. Checkpoints are immutable, so this names exact bytes. */
export interface Source {
  kind: 'shipped' | 'checkpoint';
  /** Base id ('nano') or checkpoint id. */
  id: string;
  /** The run that made the checkpoint; the base id of a shipped model. */
  runId: string;
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
    }
  | {
      stage: 'ppo';
      seed: number;
      start: Source;
      reward: Source;
      prompts: string[];
      /** The shipped base below the policy, whose pretraining text PPO-ptx reads; absent without one. */
      base?: string;
    };
