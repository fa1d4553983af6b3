/** The lesson on a language whose every answer can be listed: what goes in, and what comes out. */
import type { FrontierPoint } from './exact-optimum';

export interface LessonRequest {
  kl_coef: number;
  seed: number;
}

/** One answer of the language. */
export interface LessonAnswer {
  text: string;
  worth: number;
  /** π_ref of the answer. */
  reference: number;
  /** π* of the answer at the lesson's β. */
  optimum: number;
}

/** Known before the first iteration. */
export interface LessonStart {
  iterations: number;
  /** The best reward at each KL, KL rising. */
  frontier: FrontierPoint[];
  /** The optimum at the lesson's β. */
  best: FrontierPoint;
  /** What drawing n answers of the reference and keeping the best gives. */
  bestOfN: { n: number; reward: number; kl: number }[];
  /** Reward of the reference. */
  startReward: number;
  /** The likeliest answers of the optimum. */
  answers: LessonAnswer[];
}

/** The policy after an iteration, exactly: no sampling noise. */
export interface LessonPoint {
  iteration: number;
  reward: number;
  /** To the reference, nats. */
  kl: number;
  /** Share of the way from the reference to the optimum of reward − β·KL. */
  gapClosed: number;
  /** π of each of the start's answers. */
  probabilities: number[];
}

/** What a letter is worth; an answer is worth their sum. */
export const LETTER_WORTH: Readonly<Record<string, number>> = { a: 1, b: 0.5, c: 0.25, g: -0.5 };
