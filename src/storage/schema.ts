/**
 * Every table of the playground. Records of a project carry `projectId` and are listed through the
 * index `byProject` [projectId, seq], so order never depends on a clock.
 *
 * One writer per table: the page writes projects, demonstrations, prompts, sets and rankings; the
 * worker writes runs, inputs, metrics, samples, checkpoints and chunks. (The one field they share,
 * `Project.runs`, is changed by read-modify-write inside one transaction: see projects.ts.)
 */
import type { DBSchema, IDBPDatabase, StoreNames } from 'idb';
import type {
  CandidateSet,
  CheckpointManifest,
  Demonstration,
  MetricRow,
  Project,
  Prompt,
  Ranking,
  Run,
  Sample,
} from '../core/domain';
import type { StageData } from '../core/run-data';

/** Never changes: another name would hide everything that people have stored. */
export const DATABASE_NAME = 'rlhf-playground';
export const DATABASE_VERSION = 1;

/** A project in its table: with what only writing needs. */
export interface StoredProject extends Project {
  /** Of the tab that writes to it: see writer.ts. */
  claim?: string;
  /** Grows with every transaction of the page. */
  revision?: number;
}

export interface MetricRecord {
  runId: string;
  projectId: string;
  step: number;
  row: MetricRow;
}

export interface SampleRecord {
  runId: string;
  projectId: string;
  step: number;
  samples: Sample[];
}

/**
 * What a run was started on, kept so that a resume sees exactly the same data even when rankings or
 * demonstrations have been added since. Weights are named by checkpoint, not copied.
 */
export interface RunInput {
  runId: string;
  projectId: string;
  data: StageData;
}

export interface ChunkRecord {
  /** SHA-256 of `bytes`, hex. */
  hash: string;
  bytes: ArrayBuffer;
}

interface Listed<T> {
  key: string;
  value: T;
  indexes: { byProject: [string, number] };
}

export interface PlaygroundSchema extends DBSchema {
  projects: { key: string; value: StoredProject; indexes: { bySeq: number } };
  demonstrations: Listed<Demonstration>;
  prompts: Listed<Prompt>;
  sets: Listed<CandidateSet>;
  rankings: Listed<Ranking>;
  runs: Listed<Run>;
  inputs: { key: string; value: RunInput; indexes: { byProject: string } };
  metrics: { key: [string, number]; value: MetricRecord; indexes: { byProject: string } };
  samples: { key: [string, number]; value: SampleRecord; indexes: { byProject: string } };
  checkpoints: {
    key: string;
    value: CheckpointManifest;
    indexes: { byProject: string; byRun: [string, number] };
  };
  chunks: { key: string; value: ChunkRecord };
}

export type Database = IDBPDatabase<PlaygroundSchema>;
export type TableName = StoreNames<PlaygroundSchema>;

const BY_PROJECT = ['byProject'];

/** What must be there once the migrations have run; the compiler asks for every table. */
export const INDEXES: Readonly<Record<TableName, readonly string[]>> = {
  projects: ['bySeq'],
  demonstrations: BY_PROJECT,
  prompts: BY_PROJECT,
  sets: BY_PROJECT,
  rankings: BY_PROJECT,
  runs: BY_PROJECT,
  inputs: BY_PROJECT,
  metrics: BY_PROJECT,
  samples: BY_PROJECT,
  checkpoints: ['byProject', 'byRun'],
  chunks: [],
};
