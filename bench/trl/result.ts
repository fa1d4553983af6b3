/** What passes between the page, Python and the report: JSON. */

/** The SFT model and the reward model as Hugging Face folders: what both sides start from. */
export interface Exported {
  /** Files by path below the folder; characters 0 … 255 are bytes. */
  files: Record<string, string>;
  /** Pairs of held-out rankings that the reward model orders as the labeler did. */
  accuracy: number;
}

/** Answers of the SFT model as the page reads them, for Python to read too. */
export interface Probe {
  prompts: { prompt: string; input_ids: number[] }[];
  answers: {
    prompt: string;
    completion: string;
    input_ids: number[];
    promptLength: number;
    /** Σ log π of the completion's tokens, nats. */
    logprob: number;
    score: number;
  }[];
}

/** One iteration of PPO, measured on its rollouts before the update. */
export interface Iteration {
  /** objective/kl, nats. */
  kl: number;
  /** objective/scores. */
  score: number;
  /** objective/entropy, nats: Σ −log π of a completion. */
  entropy: number;
  /** val/num_eos_tokens of the batch. */
  ended: number;
}

export type Side = 'ours' | 'trl';

export interface Run {
  side: Side;
  seed: number;
  seconds: number;
  curve: Iteration[];
}

/** Largest differences between the page and Python on the same models and texts. */
export interface Agreement {
  prompts: number;
  answers: number;
  ids: number;
  logprob: number;
  score: number;
}

/** Everything that docs/trl.md is written from. */
export interface TrlResults {
  date: string;
  engine: string;
  /** Of Python, torch, transformers, trl. */
  versions: Record<string, string>;
  accuracy: number;
  agreement: Agreement;
  runs: Run[];
}
