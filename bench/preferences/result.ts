/** What one run of an experiment is asked and gives: JSON, kept so that a long benchmark can go on. */
import type { ElectorateRecord, HarmDialRecord, RightPairRecord } from '../../src/core/experiments';
import type { SimulatedValues } from '../../src/core/people';

export interface PreferenceTask {
  demonstrations: { prompt: string; completion: string }[];
  prompts: string[];
  seed: number;
}

/** Simulated labelers of one taste, each of whom ranks the first sets. */
export interface SimulatedGroup {
  name: string;
  values: SimulatedValues;
  rankings: number;
}

/** Records of the page without what only a project has. */
export type Measured<T> = Omit<T, 'inputHash'>;

export type PreferenceResult = {
  base: string;
  task: string;
  seed: number;
  /** The request, as text: other settings are other runs. */
  settings: string;
  engine: string;
  date: string;
  seconds: number;
} & (
  | { experiment: 'harm'; record: Measured<HarmDialRecord> }
  | { experiment: 'electorate'; record: Measured<ElectorateRecord> }
  | { experiment: 'pairs'; record: Measured<RightPairRecord> }
);

export type ExperimentKind = PreferenceResult['experiment'];
export type ResultOf<K extends ExperimentKind> = Extract<PreferenceResult, { experiment: K }>;
