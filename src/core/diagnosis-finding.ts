/** What the diagnosis reads and what it says. */
import type { BugId } from './bugs';
import type { MetricRow } from './domain';

/** Checks that name one bug of the bug lab carry its id; the others name a symptom. */
export type FindingId =
  | BugId
  | 'first-ratio'
  | 'negative-kl'
  | 'kl-spike'
  | 'kl-too-high'
  | 'reward-by-length'
  | 'entropy-collapse'
  | 'value-failing'
  | 'eos-missing'
  | 'update-too-large'
  | 'clipped-too-often'
  | 'loss-rising'
  | 'sft-memorises'
  | 'reward-near-chance'
  | 'reward-upside-down'
  | 'too-few-rankings'
  | 'dpo-forgets'
  | 'dpo-memorises'
  | 'dpo-near-chance';

/** A sentence with its evidence. */
export interface Finding {
  id: FindingId;
  /** An alarm says that the numbers cannot be trusted or the model is being spoilt. */
  severity: 'alarm' | 'warning';
  title: string;
  /** First and last step that show it. */
  steps: readonly [number, number];
  /** The measured numbers, one or two sentences. */
  evidence: string;
  cause: string;
  remedy: string;
}

/** What a reward model or DPO learns from. */
export interface RankingCounts {
  /** Rankings that decide at least one pair. */
  rankings: number;
  /** Decided pairs of all of them. */
  pairs: number;
  /** Decided pairs that accuracy is measured on. */
  heldOutPairs: number;
  /** Mean number of completions in a ranking, K. */
  completions: number;
}

/** A run as the checks see it. */
export interface CheckedRun {
  stage: 'sft' | 'reward' | 'ppo' | 'dpo';
  /** In the order of their steps; a metric that is missing from them is not checked. */
  rows: readonly MetricRow[];
  /** The run's settings. No check reads `bug`. */
  config: Readonly<Record<string, number | string | boolean>>;
  /** Of a reward or DPO run; checks that need it are left out without it. */
  counts?: RankingCounts;
}

/** One thing to look for; null when the rows do not show it or cannot. */
export type Check = (run: CheckedRun) => Finding | null;

/** A setting that is a number; `otherwise` when a run of an older version does not have it. */
export function numberSetting(run: CheckedRun, name: string, otherwise: number): number {
  const value = run.config[name];
  return typeof value === 'number' ? value : otherwise;
}
