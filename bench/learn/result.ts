/** What one learning run is asked and gives: JSON, kept so that a long benchmark can go on. */
import type { AttributeName } from '../../src/core/attributes';
import type { MetricRow } from '../../src/core/domain';

export type Settings = Record<string, number | string | boolean>;

export interface LearnTask {
  attribute: AttributeName;
  demonstrations: { prompt: string; completion: string }[];
  prompts: string[];
  heldOutPrompts: string[];
  seed: number;
  /** Rankings of K completions each. */
  rankings: number;
  K: number;
  /** How often the labeler agrees with itself. */
  agreement: number;
  /** Of each of both models to each held-out prompt. */
  answersPerPrompt: number;
  /** Changes of the defaults. */
  settings: { sft?: Settings; reward?: Settings; ppo?: Settings };
}

export interface Trained {
  last: MetricRow;
  ms: number;
}

export interface Ranked extends Trained {
  /** Of the simulated labeler, in units of its score. */
  noise: number;
  /** With itself, on draws of its own. */
  agreement: number;
  /** On held-out rankings, which are as noisy as those trained on. */
  accuracy: number;
  /** On new prompts, by the labeler's rule without noise. */
  trueAccuracy: number;
  truePairs: number;
}

/** A policy's answers to prompts that no training has seen, read by the labeler's rule. */
export interface Judged {
  answers: number;
  rate: number;
  ended: number;
  distinct2: number;
  /** Mean, the end token included. */
  tokens: number;
  /** To the SFT model, nats. */
  kl: number;
  shown: { prompt: string; text: string }[];
}

/** One iteration of PPO. */
export interface CurvePoint {
  kl: number;
  score: number;
}

/** Of the SFT model's own answers those that have the attribute: what rankings that change nothing else give. */
export interface Selected {
  answers: number;
  /** By that of as many answers not selected. */
  distinct2: number;
}

export interface LearnResult {
  base: string;
  task: AttributeName;
  seed: number;
  /** Changes of the defaults, as text. */
  changes: string;
  engine: string;
  date: string;
  seconds: number;
  sft: Trained;
  reward: Ranked;
  ppo: Trained & { curve: CurvePoint[]; before: Judged; after: Judged; selected: Selected };
}
