/** What the project's models were asked since it was opened, side by side. Nothing here is stored. */
import type { AttributeName } from '../core/attributes';
import { summarizeAnswers, type ModelSummary } from '../core/judgement';
import type { Commands, Comparison } from '../worker/protocol';
import type { DemoTask } from './demo-task';

/** What every model answered to one question. */
interface AnsweredComparison {
  id: number;
  prompt: string;
  seed: number;
  temperature: number;
  cells: Comparison[];
}

/** The models on all held-out prompts of a task. */
export interface Judgement {
  attribute: AttributeName;
  title: string;
  prompts: number;
  answersPerPrompt: number;
  summaries: ModelSummary[];
}

type Request = Omit<Commands['compare']['request'], 'projectId'>;
type AskAll = (request: Request) => Promise<Comparison[][]>;
/** How the models are to write. */
type How = Omit<Request, 'prompts' | 'n'>;

const KEPT = 12;
/** Answers to each held-out prompt: enough that a rate over a dozen prompts is good to 0.1. */
const ANSWERS_PER_PROMPT = 4;

export class Comparisons {
  /** Newest first. */
  answered: readonly AnsweredComparison[] = $state.raw([]);
  /** The last one; null until asked for. */
  judgement: Judgement | null = $state.raw(null);
  readonly #ask: AskAll;

  /** @param ask the worker's `compare` of this project */
  constructor(ask: AskAll) {
    this.#ask = ask;
  }

  /** One answer of every model; the same question asked again takes the place of the first. */
  async compare({ prompt, ...how }: How & { prompt: string }): Promise<Comparison[]> {
    const [cells = []] = await this.#ask({ prompts: [prompt], n: 1, ...how });
    const { seed, temperature } = how;
    const id = (this.answered[0]?.id ?? 0) + 1;
    const before = this.answered.filter(
      (other) => JSON.stringify(other.cells) !== JSON.stringify(cells) || other.prompt !== prompt,
    );
    this.answered = [{ id, prompt, seed, temperature, cells }, ...before].slice(0, KEPT);
    return cells;
  }

  /** Every model on the held-out prompts of a task, measured by the reward model and by the rule. */
  async judge(task: DemoTask, how: How): Promise<Judgement> {
    const { attribute, title, heldOutPrompts: prompts } = task;
    const answers = await this.#ask({ prompts, n: ANSWERS_PER_PROMPT, ...how });
    const judgement = {
      attribute,
      title,
      prompts: prompts.length,
      answersPerPrompt: ANSWERS_PER_PROMPT,
      summaries: summarizeAnswers(answers.flat(), attribute),
    };
    this.judgement = judgement;
    return judgement;
  }
}
