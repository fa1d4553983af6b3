/**
 * What page and worker say to each other. Commands are requests: each gets one reply with the same
 * `id`. Events come unasked, in order (`seq`). Everything is structured-cloneable.
 * PROTOCOL_VERSION guards against a page of one release talking to a worker of another.
 */
import type { BestOfNRecord } from '../core/best-of-n';
import type {
  CandidateSet,
  Completion,
  MetricRow,
  PolicyName,
  Project,
  Run,
  Sample,
  Stage,
} from '../core/domain';
import type { DeviceReport, DeviceVerdict, EngineBackend } from '../core/device-report';
import type { ErrorDetails } from '../core/errors';
import type {
  ExperimentName,
  ExperimentProgress,
  ExperimentRequest,
  ExperimentResult,
} from '../core/experiments';
import type { LessonPoint, LessonRequest, LessonStart } from '../core/lesson';
import type { JudgedAnswer } from '../core/judgement';

export const PROTOCOL_VERSION = 1;

/** What runs the model on this machine. */
export interface EngineInfo {
  backend: EngineBackend;
  /** For people: 'Apple M3', 'google swiftshader', or why there is no GPU. */
  adapter: string;
  /** Set when WebGPU could not be used: the reason, in plain words. */
  fallbackReason: string | null;
  /** To be kept and handed in at the next start, so that it chooses alike. */
  verdict: DeviceVerdict;
}

export interface CompleteOptions {
  model: PolicyName;
  prompt: string;
  n: number;
  maxNewTokens: number;
  temperature: number;
  seed: number;
}

/** One answer in the Compare stage; the reference of its KL is the SFT model. */
export interface Comparison extends JudgedAnswer {
  tokens: string[];
}

/** Under which the page writes to a project (storage/writer.ts); without one nobody has claimed it. */
type Claim = string;

/** Request and result of each command. */
export interface Commands {
  /**
   * Opens the device and checks it; once more while it is open starts it anew. `forceBackend` is
   * for tests. `remembered` is the verdict of an earlier start; `thorough` forgets it and tries
   * everything that could be chosen.
   */
  init: {
    request: {
      forceBackend?: EngineBackend;
      baseUrl: string;
      remembered?: DeviceVerdict | null;
      thorough?: boolean;
      /** In the one-file edition: what the page would have fetched from its server. */
      files?: ReadonlyMap<string, Blob>;
    };
    result: EngineInfo;
  };
  /** What is known of the device; `measure` takes seconds, and its outcome is kept. */
  deviceReport: { request: { measure: boolean }; result: DeviceReport };
  /** Starts a stage on the stored data of the project; resolves once the run exists. */
  startRun: {
    request: {
      projectId: string;
      claim?: Claim;
      stage: Stage;
      config: Record<string, unknown>;
      text?: string;
    };
    result: { runId: string };
  };
  /** Continues an interrupted, paused or stopped run from its last checkpoint. */
  resumeRun: { request: { runId: string; claim?: Claim }; result: { runId: string } };
  /** Transport of the run in hand. Each resolves when it has taken effect. */
  pause: { request: Record<string, never>; result: null };
  resume: { request: Record<string, never>; result: null };
  step: { request: Record<string, never>; result: null };
  /** Ends the run early; what has been learnt so far becomes its model. */
  stop: { request: Record<string, never>; result: null };
  /** Ends the run of a project at its next step; it can be resumed, by another tab too. */
  release: { request: { projectId: string }; result: null };
  complete: {
    request: { projectId: string; options: CompleteOptions };
    result: Completion[];
  };
  /** `n` answers to each prompt by every model that the project has: [prompt × n + i][model]. */
  compare: {
    request: {
      projectId: string;
      prompts: string[];
      n: number;
      maxNewTokens: number;
      temperature: number;
      seed: number;
    };
    result: Comparison[][];
  };
  /** Writes K completions for each prompt with the SFT model; the page stores the sets. */
  generateCandidates: {
    request: {
      projectId: string;
      prompts: { id: string; text: string }[];
      k: number;
      temperature: number;
      maxNewTokens: number;
      seed: number;
    };
    result: Omit<CandidateSet, 'id' | 'seq'>[];
  };
  /** Normalised reward-model scores, one for each completion. */
  score: {
    request: { projectId: string; items: { prompt: string; completion: string }[] };
    result: number[];
  };
  /** Draws from the SFT model and keeps the best by the reward model's score; the page stores it. */
  bestOfN: { request: { projectId: string }; result: BestOfNRecord };
  /**
   * An experiment on whose preferences the models follow; `experiment` events tell how it goes, and the
   * page stores what comes of it: null when it was ended early.
   */
  experiment: {
    request: {
      projectId: string;
      experiment: ExperimentRequest;
      settings: { reward: Record<string, unknown>; ppo: Record<string, unknown> };
    };
    result: ExperimentResult | null;
  };
  /** Ends the experiment that is under way, if there is one. */
  stopExperiment: { request: Record<string, never>; result: null };
  /** Stores a Hugging Face folder as a base model of the project and puts the project on it. */
  importBase: {
    request: {
      projectId: string;
      claim?: Claim;
      name: string;
      files: { path: string; blob: Blob }[];
    };
    /** `facts`: what a person should know of what was taken over, one sentence each. */
    result: { runId: string; parameterCount: number; facts: string[] };
  };
  /** A model as a zip of a Hugging Face folder. */
  exportModel: { request: { projectId: string; model: keyof Project['runs'] }; result: Blob };
  /** PPO on a language whose optimum is known; `lesson` events tell how it goes. */
  lesson: { request: LessonRequest; result: null };
  /** Ends the lesson that is under way, if there is one. */
  stopLesson: { request: Record<string, never>; result: null };
  /** Drops cached models of a project (it was deleted or replaced). */
  forget: { request: { projectId: string }; result: null };
}

export type CommandName = keyof Commands;

export type Command = {
  [K in CommandName]: { version: number; id: number; name: K; request: Commands[K]['request'] };
}[CommandName];

export type Reply =
  | { type: 'reply'; id: number; ok: true; result: Commands[CommandName]['result'] }
  | { type: 'reply'; id: number; ok: false; error: ErrorDetails };

export type WorkerEvent = { type: 'event'; seq: number } & (
  | {
      kind: 'run';
      run: Run;
      /** From now on its checkpoint is the project's model of its stage. */
      isModel: boolean;
      /** Why it has just failed; null in every other case. */
      failure: ErrorDetails | null;
    }
  | {
      kind: 'step';
      runId: string;
      stage: Stage;
      step: number;
      totalSteps: number;
      row: MetricRow;
      /** tokens per second over the last step; ms left by the recent pace. */
      tokensPerSecond: number;
      msLeft: number;
    }
  | { kind: 'samples'; runId: string; stage: Stage; step: number; samples: Sample[] }
  | { kind: 'checkpoint'; runId: string; step: number; bytes: number; at: number }
  | { kind: 'lesson'; start: LessonStart }
  | { kind: 'lesson-point'; point: LessonPoint }
  | ({ kind: 'experiment'; name: ExperimentName; msLeft: number } & ExperimentProgress)
  | { kind: 'progress'; what: string; done: number; total: number }
  | { kind: 'engine-error'; error: ErrorDetails }
);

export type FromWorker = Reply | WorkerEvent;
