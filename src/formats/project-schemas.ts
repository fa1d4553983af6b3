/**
 * What each record of a project file must look like. The annotations tie every schema to its domain
 * type: a required field added there does not compile until it is added here.
 */
import * as v from 'valibot';
import type {
  CandidateSet,
  CheckpointManifest,
  Completion,
  Demonstration,
  MetricRow,
  ModelConfig,
  Project,
  Prompt,
  Ranking,
  Run,
  Sample,
  TokenReceipt,
} from '../core/domain';
import type { BestOfNRecord } from '../core/best-of-n';
import { count, finite, id, text, type Schema } from './schema-parts';
import { experimentsSchema } from './experiment-schemas';
import {
  draftSchema,
  exposureSchema,
  guidelineSchema,
  harmFlag,
  labelerSchema,
  ratingSchema,
} from './people-schemas';
import type { Source, StageData } from '../core/run-data';

const stage = v.picklist(['pretrain', 'sft', 'reward', 'ppo', 'dpo']);
const settings = v.record(text, v.union([finite, text, v.boolean()]));

/** What was measured may be any number, also those that JSON has not: see `encodeNumber`. */
const measured = v.union([
  finite,
  v.pipe(v.picklist(['NaN', 'Infinity', '-Infinity', '-0']), v.transform(Number)),
]);

/** A number as JSON can hold it: NaN, ±Infinity and −0 by name. */
function encodeNumber(x: number): number | string {
  if (Object.is(x, -0)) return '-0';
  return Number.isFinite(x) ? x : String(x);
}

export const metricRowSchema: Schema<MetricRow> = v.record(text, measured);

export const encodeMetricRow = (row: MetricRow): unknown =>
  Object.fromEntries(Object.entries(row).map(([name, x]) => [name, encodeNumber(x)]));

export const encodeRun = (run: Run): unknown => ({
  ...run,
  finalRow: run.finalRow === null ? null : encodeMetricRow(run.finalRow),
});

export const encodeCandidateSet = (set: CandidateSet): unknown => ({
  ...set,
  completions: set.completions.map((completion) => ({
    ...completion,
    logprobs: completion.logprobs.map(encodeNumber),
  })),
});

const numbers = v.array(measured);

const receiptSchema: Schema<TokenReceipt> = v.strictObject({
  tokens: v.array(text),
  logprobs: numbers,
  refLogprobs: numbers,
  charges: numbers,
  rewards: numbers,
  values: numbers,
  advantages: numbers,
  returns: numbers,
  ratios: numbers,
  clipped: v.array(v.boolean()),
});

const encodeReceipt = (receipt: TokenReceipt): unknown =>
  Object.fromEntries(
    Object.entries(receipt).map(([name, column]: [string, (string | number | boolean)[]]) => [
      name,
      column.map((x) => (typeof x === 'number' ? encodeNumber(x) : x)),
    ]),
  );

/** Samples that a run wrote in one step. */
export interface StepSamples {
  step: number;
  samples: Sample[];
}

export const stepSamplesSchema: Schema<StepSamples> = v.strictObject({
  step: count,
  samples: v.array(
    v.strictObject({
      prompt: text,
      text,
      tokens: v.array(text),
      logprobs: v.array(measured),
      refLogprobs: v.array(measured),
      score: v.nullable(measured),
      kl: v.nullable(measured),
      finish: v.picklist(['eos', 'length']),
      receipt: v.exactOptional(receiptSchema),
    }),
  ),
});

export const encodeStepSamples = ({ step, samples }: StepSamples): unknown => ({
  step,
  samples: samples.map(({ receipt, ...sample }) => ({
    ...sample,
    ...(receipt && { receipt: encodeReceipt(receipt) }),
    logprobs: sample.logprobs.map(encodeNumber),
    refLogprobs: sample.refLogprobs.map(encodeNumber),
    score: sample.score === null ? null : encodeNumber(sample.score),
    kl: sample.kl === null ? null : encodeNumber(sample.kl),
  })),
});

export const demonstrationSchema: Schema<Demonstration> = v.strictObject({
  id,
  projectId: id,
  prompt: text,
  completion: text,
  heldOut: v.boolean(),
  seq: count,
});

export const promptSchema: Schema<Prompt> = v.strictObject({
  id,
  projectId: id,
  text,
  seq: count,
});

const completionSchema: Schema<Completion> = v.strictObject({
  text,
  tokens: v.array(count),
  logprobs: v.array(measured),
  finish: v.picklist(['eos', 'length']),
});

export const candidateSetSchema: Schema<CandidateSet> = v.strictObject({
  id,
  projectId: id,
  promptId: id,
  prompt: text,
  completions: v.array(completionSchema),
  order: v.array(count),
  sourceRunId: text,
  temperature: finite,
  seed: finite,
  seq: count,
});

export const rankingSchema: Schema<Ranking> = v.pipe(
  v.strictObject({
    id,
    projectId: id,
    setId: v.nullable(id),
    prompt: text,
    completions: v.array(text),
    ranks: v.array(v.pipe(count, v.minValue(1))),
    outcome: v.picklist(['ranked', 'all-bad', 'skipped']),
    labeler: text,
    simulated: v.boolean(),
    flags: v.array(v.array(harmFlag)),
    order: v.array(count),
    seq: count,
    guideline: v.exactOptional(count),
    ratings: v.exactOptional(v.array(ratingSchema)),
    comment: v.exactOptional(text),
    unsure: v.exactOptional(v.boolean()),
    ms: v.exactOptional(finite),
    mode: v.exactOptional(v.picklist(['list', 'pair'])),
    repeatOf: v.exactOptional(id),
    source: v.exactOptional(
      v.strictObject({
        file: text,
        importedAt: finite,
        id: v.exactOptional(id),
        project: v.exactOptional(id),
      }),
    ),
  }),
  v.check(
    ({ outcome, ranks, completions }) =>
      ranks.length === (outcome === 'ranked' ? completions.length : 0),
    'ranks must name one rank for each completion, and none when nothing was ranked',
  ),
);

export const runSchema: Schema<Run> = v.strictObject({
  id,
  projectId: id,
  stage,
  config: settings,
  seed: finite,
  status: v.picklist(['running', 'paused', 'done', 'stopped', 'failed', 'interrupted']),
  step: count,
  totalSteps: count,
  inputHash: text,
  parentId: v.nullable(text),
  checkpointId: v.nullable(id),
  finalRow: v.nullable(metricRowSchema),
  error: v.nullable(text),
  cuts: v.exactOptional(
    v.array(v.strictObject({ at: count, from: count, why: v.picklist(['device-lost', 'closed']) })),
  ),
  rewardShift: finite,
  rewardScale: finite,
  seq: count,
  startedAt: finite,
});

const bestOfNSchema: Schema<BestOfNRecord> = v.strictObject({
  inputHash: text,
  points: v.array(v.strictObject({ n: count, reward: finite, deviation: finite, kl: finite })),
  prompts: count,
  completions: count,
});

const electorate = v.record(text, v.pipe(finite, v.minValue(0)));

export const projectSchema: Schema<Project> = v.strictObject({
  id,
  name: text,
  base: text,
  seed: finite,
  page: v.picklist(['base', 'sft', 'rankings', 'reward', 'ppo', 'compare', 'people']),
  settings: v.strictObject({
    pretrain: v.exactOptional(settings),
    sft: v.exactOptional(settings),
    reward: v.exactOptional(settings),
    ppo: v.exactOptional(settings),
    dpo: v.exactOptional(settings),
    rankings: v.exactOptional(settings),
    compare: v.exactOptional(settings),
  }),
  runs: v.strictObject({
    base: v.nullable(text),
    sft: v.nullable(text),
    reward: v.nullable(text),
    ppo: v.nullable(text),
    // not there in files of releases without DPO
    dpo: v.optional(v.nullable(text), null),
  }),
  bestOfN: v.exactOptional(bestOfNSchema),
  origin: v.exactOptional(id),
  labelers: v.exactOptional(v.array(labelerSchema)),
  guidelines: v.exactOptional(v.array(guidelineSchema)),
  drafts: v.exactOptional(v.array(draftSchema)),
  exposures: v.exactOptional(v.array(exposureSchema)),
  electorate: v.exactOptional(electorate),
  experiments: v.exactOptional(experimentsSchema),
  askFirst: v.exactOptional(v.array(id)),
  seq: count,
  createdAt: finite,
  updatedAt: finite,
});

const source: Schema<Source> = v.strictObject({
  kind: v.picklist(['shipped', 'checkpoint']),
  id: text,
  runId: text,
});

const stageDataSchema: Schema<StageData> = v.variant('stage', [
  v.strictObject({
    stage: v.literal('pretrain'),
    seed: finite,
    texts: v.array(text),
    samplePrompts: v.array(text),
  }),
  v.strictObject({
    stage: v.literal('sft'),
    seed: finite,
    start: source,
    demonstrations: v.array(demonstrationSchema),
    samplePrompts: v.array(text),
  }),
  v.strictObject({
    stage: v.literal('reward'),
    seed: finite,
    start: source,
    demonstrations: v.array(demonstrationSchema),
    rankings: v.array(rankingSchema),
    electorate: v.exactOptional(electorate),
  }),
  v.strictObject({
    stage: v.literal('ppo'),
    seed: finite,
    start: source,
    reward: source,
    prompts: v.array(text),
    base: v.exactOptional(text),
  }),
  v.strictObject({
    stage: v.literal('dpo'),
    seed: finite,
    start: source,
    rankings: v.array(rankingSchema),
    electorate: v.exactOptional(electorate),
    reward: v.nullable(source),
    prompts: v.array(text),
    rollouts: v.strictObject({
      rollout_batch_size: count,
      response_length: count,
      temperature: finite,
      missing_eos: v.picklist(['replace', 'subtract', 'off']),
      missing_eos_penalty: finite,
      reward_clip: finite,
    }),
  }),
]);

/** What a run was started on. */
export interface RunInputRecord {
  runId: string;
  projectId: string;
  data: StageData;
}

export const runInputSchema: Schema<RunInputRecord> = v.strictObject({
  runId: id,
  projectId: id,
  data: stageDataSchema,
});

const size = v.pipe(count, v.minValue(1));

const modelConfigSchema: Schema<ModelConfig> = v.strictObject({
  vocab_size: size,
  hidden_size: size,
  intermediate_size: size,
  num_hidden_layers: size,
  num_attention_heads: size,
  num_key_value_heads: size,
  max_position_embeddings: size,
  rms_norm_eps: finite,
  rope_theta: finite,
  tie_word_embeddings: v.boolean(),
});

export const checkpointSchema: Schema<CheckpointManifest> = v.strictObject({
  id,
  projectId: id,
  runId: id,
  stage,
  step: count,
  modelConfig: modelConfigSchema,
  tensors: v.array(v.strictObject({ name: text, shape: v.array(count), chunks: v.array(text) })),
  state: v.record(text, v.unknown()),
  bytes: count,
  seq: count,
});

export interface FileManifest {
  format: 'rlhf-playground';
  version: 1;
  files: { path: string; bytes: number; sha256: string }[];
}

export const fileManifestSchema: Schema<FileManifest> = v.strictObject({
  format: v.literal('rlhf-playground'),
  version: v.literal(1),
  files: v.array(
    v.strictObject({
      path: text,
      bytes: count,
      sha256: v.pipe(text, v.regex(/^[0-9a-f]{64}$/, 'must be 64 hexadecimal digits')),
    }),
  ),
});
