/**
 * Experiments on whose preferences a model follows: what is asked of the worker and what comes of it.
 * Plain records, kept in the project; each says on which inputs it was measured.
 */
import type { Estimate } from './bootstrap';
import type { AttributeName } from './attributes';
import type { SimulatedValues } from './people';

/** How far an experiment is. */
export interface ExperimentProgress {
  /** Of `total`, in units of about one training step. */
  done: number;
  total: number;
  /** What is being done, in a few words. */
  doing: string;
}

// Swap the electorate

export interface ElectorateRequest {
  /** Iterations of PPO for each electorate; 0 trains the reward models alone. */
  ppoIterations: number;
}

/** A reward model of one electorate. */
export interface ElectorateModel {
  name: string;
  /** All its labelers are made of rules. */
  simulated: boolean;
  /** Rankings that it was trained on, and pairs that they decide. */
  rankings: number;
  comparisons: number;
  /** By judge: share of the judge's held-out pairs that it orders as they did; null without a model. */
  accuracy: Estimate[] | null;
}

/** A group whose held-out rankings judge. */
export interface ElectorateJudge {
  name: string;
  simulated: boolean;
  rankings: number;
  pairs: number;
}

/** A held-out set of completions that the electorates put in different orders. */
export interface ChangedSet {
  prompt: string;
  completions: string[];
  /** By model with weights: index of the completion with the highest score. */
  best: number[];
  /** By model with weights: the rank of each completion, 1 is best. Missing in earlier records. */
  ranks?: number[][];
}

/** A policy trained for a short time against one electorate's reward model; the first is the SFT model. */
export interface ElectoratePolicy {
  name: string;
  /** Mean normalised score of its answers, by model with weights. */
  scores: number[];
  /** To the SFT model, nats. */
  kl: number;
  /** Share of its answers with each attribute, by rule. */
  attributes: Record<AttributeName, number>;
  /** Share of its answers with words of the harm lexicon. */
  flagged: number;
  /** Answers to the first prompts, in the order of `ElectorateRecord.shownPrompts`. */
  shown: string[];
}

export interface ElectorateRecord extends ElectorateRequest {
  inputHash: string;
  models: ElectorateModel[];
  judges: ElectorateJudge[];
  /** Prompts that no model was trained on. */
  heldOutPrompts: number;
  /** Sets of completions that all models scored, and how many have another best one. */
  sets: number;
  changedSets: number;
  /** How many are in another order at all. Missing in earlier records. */
  reorderedSets?: number;
  /** The first of them, then others in another order. */
  changed: ChangedSet[];
  /** Groups that are hardly heard, in words. */
  warnings: string[];
  /** Null without PPO. */
  policies: ElectoratePolicy[] | null;
  shownPrompts: string[];
  /** Answers of each policy that the numbers rest on. */
  answers: number;
}

// Harm-exposure dial

export interface HarmDialRequest {
  /** Of the simulated labeler. */
  values: SimulatedValues;
  /** Comparisons that each reward model is trained on. */
  comparisons: number;
  ppoIterations: number;
  /** Repetitions: seeds count up from the project's own. */
  seeds: number;
}

/** Shares of comparisons that are harmful against harmless. */
export const HARM_EXPOSURES: readonly number[] = [0, 0.05, 0.2, 0.5];

/** One reward model and the policy trained against it. */
export interface HarmDialRun {
  seed: number;
  exposure: number;
  /** Comparisons of a harmful and a harmless text that it was trained on. */
  harmful: number;
  /** On held-out pairs of a harmful and a harmless text, and of two harmless ones, as the values have it. */
  harmAccuracy: number;
  harmlessAccuracy: number;
  /** Share of the policy's answers with words of the harm lexicon. */
  harmRate: number;
  /** To the SFT model, nats. */
  kl: number;
}

export interface HarmDialRecord extends HarmDialRequest {
  inputHash: string;
  runs: HarmDialRun[];
  /** Of the SFT model, by seed. */
  baseline: number[];
  /** Held-out pairs behind each accuracy, answers behind each rate. */
  harmPairs: number;
  harmlessPairs: number;
  answers: number;
  /** Harmful texts in the pool: written by the SFT model, and mild surrogates that were added. */
  written: number;
  surrogates: number;
}

// Ask me the right pair

export interface RightPairRequest {
  values: SimulatedValues;
  /** Repetitions: seeds count up from the project's own. */
  seeds: number;
}

/** How the next sets to rank are chosen. */
export type Choice = 'disagreement' | 'random';

export interface RightPairPoint {
  seed: number;
  choice: Choice;
  rankings: number;
  /** On held-out pairs, as the values have it. */
  accuracy: number;
}

export interface RightPairRecord extends RightPairRequest {
  inputHash: string;
  points: RightPairPoint[];
  heldOutPairs: number;
  /** Sets to choose from. */
  pool: number;
}

/** What a project keeps: the last of each. */
export interface Experiments {
  electorate?: ElectorateRecord;
  harmDial?: HarmDialRecord;
  rightPair?: RightPairRecord;
}

/** A set that waits, and how far an ensemble of reward models disagrees about it. */
export interface Disagreement {
  setId: string;
  /** Mean over its pairs of the variance of σ(r_i − r_j) over the ensemble, 0 … 0.25. */
  disagreement: number;
}

/** What can be asked of the worker, and what it gives. */
export interface ExperimentCommands {
  electorate: { request: ElectorateRequest; result: ElectorateRecord };
  'harm-dial': { request: HarmDialRequest; result: HarmDialRecord };
  'right-pair': { request: RightPairRequest; result: RightPairRecord };
  /** The sets named, those to ask about first in front. */
  'ask-first': { request: { setIds: string[] }; result: Disagreement[] };
}
export type ExperimentName = keyof ExperimentCommands;

/** One of them, asked. */
export type ExperimentRequest = {
  [K in ExperimentName]: { name: K } & ExperimentCommands[K]['request'];
}[ExperimentName];
export type ExperimentResult = ExperimentCommands[ExperimentName]['result'];
