/**
 * The nouns of the playground: plain, structured-cloneable records. Everything that is stored,
 * sent between page and worker, or exported is one of these. No behaviour lives here.
 */
import type { BestOfNRecord } from './best-of-n';
import type { Experiments } from './experiments';
import type { Exposure, Guideline, Labeler, Provenance, Rating, RankingDraft } from './people';

/** Training stages, in the order of the pipeline; DPO goes from the SFT model past the reward model. */
export type Stage = 'pretrain' | 'sft' | 'reward' | 'ppo' | 'dpo';
/** Steps of the staircase at the top of the page. */
export type PageStage = 'base' | 'sft' | 'rankings' | 'reward' | 'ppo' | 'compare' | 'people';
/** Models that can write text. */
export type PolicyName = 'base' | 'sft' | 'ppo' | 'dpo';

/** A tensor on the host: row-major f32. */
export interface HostTensor {
  shape: number[];
  data: Float32Array;
}
/** Tensors by their Hugging Face name, e.g. `model.layers.0.self_attn.q_proj.weight` [out, in]. */
export type WeightMap = Map<string, HostTensor>;

/** Hugging Face `LlamaConfig` field names, so that exports load in `transformers` unchanged. */
export interface ModelConfig {
  vocab_size: number;
  hidden_size: number;
  intermediate_size: number;
  num_hidden_layers: number;
  num_attention_heads: number;
  num_key_value_heads: number;
  max_position_embeddings: number;
  rms_norm_eps: number;
  rope_theta: number;
  tie_word_embeddings: boolean;
}

/** A row of metrics by their TRL names; `step` is always there. */
export type MetricRow = Record<string, number>;

export interface Demonstration {
  id: string;
  projectId: string;
  prompt: string;
  completion: string;
  /** Held out from training and used for the held-out loss. */
  heldOut: boolean;
  /** Position in the list; order never depends on a clock. */
  seq: number;
}

export interface Prompt {
  id: string;
  projectId: string;
  text: string;
  seq: number;
}

/** One sampled answer of a policy. Temperature and seed stand in the set it belongs to. */
export interface Completion {
  text: string;
  /** Token ids after the prompt, the end token included when it was written. */
  tokens: number[];
  /** log π(token) in nats under the sampling temperature, one for each token. */
  logprobs: number[];
  finish: 'eos' | 'length';
}

/** K completions for one prompt, waiting to be ranked (or ranked: see Ranking.setId). */
export interface CandidateSet {
  id: string;
  projectId: string;
  promptId: string;
  prompt: string;
  completions: Completion[];
  /** Display order: `order[i]` is the index into `completions` shown in place i. Random and stored. */
  order: number[];
  /** The run whose weights wrote them. */
  sourceRunId: string;
  temperature: number;
  seed: number;
  seq: number;
}

export type HarmFlag = 'insult' | 'threat' | 'sexual' | 'self-harm' | 'privacy' | 'other';

/** One labeler's ranking of one candidate set. */
export interface Ranking {
  id: string;
  projectId: string;
  /** The set it ranks; null when it was imported or added by script with its own texts. */
  setId: string | null;
  prompt: string;
  completions: string[];
  /**
   * `ranks[i]` is the rank of `completions[i]`: 1 is best, equal numbers are ties.
   * Empty when `outcome` is not 'ranked'.
   */
  ranks: number[];
  outcome: 'ranked' | 'all-bad' | 'skipped';
  labeler: string;
  /** True for rule-based labelers; such rankings are never mixed up with people's. */
  simulated: boolean;
  /** Flags for each completion. */
  flags: HarmFlag[][];
  /** The order the labeler saw: index into `completions` by place. */
  order: number[];
  seq: number;
  // What follows is missing on rankings of earlier releases.
  /** Version of the guideline it was made under. */
  guideline?: number;
  /** For each completion. */
  ratings?: Rating[];
  comment?: string;
  /** The labeler gave an order without being sure of it. */
  unsure?: boolean;
  /** From the set's appearance to the answer, ms. */
  ms?: number;
  /** Whether all completions of a set were shown, or two of them side by side. */
  mode?: 'list' | 'pair';
  /** The earlier ranking of the same labeler that this one silently repeats, to see how steady they are. */
  repeatOf?: string;
  /** Set when it was made on another device. */
  source?: Provenance;
}

export type RunStatus = 'running' | 'paused' | 'done' | 'stopped' | 'failed' | 'interrupted';

/** Where a run was cut off and gone on with. */
export interface RunCut {
  /** The last step it had taken. */
  at: number;
  /** The step of the checkpoint it went on from: those after it were taken again. */
  from: number;
  /** A closed tab, a crash and a flat battery look alike from inside. */
  why: 'device-lost' | 'closed';
}

/** One training run of one stage. */
export interface Run {
  id: string;
  projectId: string;
  stage: Stage;
  /** Complete configuration, every field. */
  config: Record<string, number | string | boolean>;
  seed: number;
  status: RunStatus;
  step: number;
  totalSteps: number;
  /** Hash of what went in (data, earlier run ids): a different hash now means *out of date*. */
  inputHash: string;
  /** The run (or shipped base) whose weights this one started from. */
  parentId: string | null;
  /**
   * Newest checkpoint; the run's model once `status` is 'done' or 'stopped', or 'failed' on a number
   * that was not finite.
   */
  checkpointId: string | null;
  finalRow: MetricRow | null;
  error: string | null;
  /** In the order in which they came; absent: none. */
  cuts?: RunCut[];
  /** Set on a reward run: r ↦ (r − shift)·scale makes demonstrations score 0 on average. */
  rewardShift: number;
  rewardScale: number;
  seq: number;
  /** Wall clock at the start, ms since the epoch; for people to read, never for ordering. */
  startedAt: number;
}

/** A person's project. */
export interface Project {
  id: string;
  name: string;
  /** Shipped base id ('nano', …) or 'scratch'; a pretraining run may replace it: see runs.base. */
  base: string;
  seed: number;
  /** The step of the staircase that was open. */
  page: PageStage;
  /** Settings by stage; missing fields take their default. */
  settings: Partial<
    Record<Stage | 'rankings' | 'compare', Record<string, number | string | boolean>>
  >;
  /** The run whose model each name means at present. */
  runs: {
    base: string | null;
    sft: string | null;
    reward: string | null;
    ppo: string | null;
    dpo: string | null;
  };
  /** The last best-of-n that was measured. */
  bestOfN?: BestOfNRecord;
  /** The project that this one was copied or imported from, at first hand or not; absent: none. */
  origin?: string;
  labelers?: Labeler[];
  /** By version. */
  guidelines?: Guideline[];
  drafts?: RankingDraft[];
  exposures?: Exposure[];
  /** How much the rankings of a labeler count for the reward model: 0 leaves them out; absent: 1. */
  electorate?: Record<string, number>;
  /** The last of each experiment on whose preferences the model follows. */
  experiments?: Experiments;
  /** Ids of the sets to rank first, in this order. */
  askFirst?: string[];
  seq: number;
  createdAt: number;
  updatedAt: number;
}

/** A checkpoint: immutable content-hashed chunks plus this manifest. */
export interface CheckpointManifest {
  id: string;
  projectId: string;
  runId: string;
  stage: Stage;
  step: number;
  modelConfig: ModelConfig;
  tensors: { name: string; shape: number[]; chunks: string[] }[];
  /** Everything else that a resume needs (optimizer step, kl_coef, statistics). JSON. */
  state: Record<string, unknown>;
  bytes: number;
  seq: number;
}

/** What PPO made of each token of a completion, the end token included; one entry for each token. */
export interface TokenReceipt {
  /** Decoded pieces; special tokens by their name. */
  tokens: string[];
  /** log π and log π_ref when it was written, nats. */
  logprobs: number[];
  refLogprobs: number[];
  /** −β·(log π − log π_ref), reward. */
  charges: number[];
  /** The charge, and on the last token the score. They add up to score − β·KL. */
  rewards: number[];
  values: number[];
  /** Whitened over the batch. */
  advantages: number[];
  returns: number[];
  /** π after this iteration's updates over π before. */
  ratios: number[];
  /** Whether the clip stops the token from pushing further. */
  clipped: boolean[];
}

/** Text written during training, for the panel beside the chart. */
export interface Sample {
  prompt: string;
  text: string;
  /** Decoded pieces, one for each token. */
  tokens: string[];
  /** log π_ref − log π etc. are in nats, one for each token; empty where unknown. */
  logprobs: number[];
  refLogprobs: number[];
  score: number | null;
  /** Σ(log π − log π_ref), nats. */
  kl: number | null;
  finish: 'eos' | 'length';
  /** In PPO. */
  receipt?: TokenReceipt;
}
