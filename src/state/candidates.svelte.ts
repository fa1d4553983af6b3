/** Prompts, the completions written for them, and the rankings that people and rules give. */
import type { AttributeName } from '../core/attributes';
import type { CandidateSet, HarmFlag, Prompt, Ranking } from '../core/domain';
import { PlaygroundError } from '../core/errors';
import type { Labeler } from '../core/people';
import { competitionRanks } from '../core/ranking-board';
import { bySet } from '../core/ranking-queue';
import { answeredFields, isDone, type RankingTask, type TaskAnswer } from '../core/ranking-task';
import { hashText } from '../core/rng';
import {
  SIMULATED_PREFIX,
  simulatedLabelerName,
  simulateRanking,
  type SimulatedTask,
} from '../core/simulated-labeler';
import { newId, nextSeq } from './ids';
import type { WorkerLink } from './ports';
import type { Preferences } from './preferences.svelte';
import { plainMap, plainSet } from './plain-collections';
import type { SaveQueue } from './save-queue.svelte';

/** Prompts sent to the worker at once: what is written so far is stored after each. */
const PROMPTS_PER_COMMAND = 8;

export interface RankingAnswer {
  outcome: Ranking['outcome'];
  /** By completion, 1 is best; empty when nothing was ranked. */
  ranks: readonly number[];
  /** For each completion; may be left out. */
  flags?: readonly (readonly HarmFlag[])[];
}

export type RankingOfTexts = Pick<
  Ranking,
  'prompt' | 'completions' | 'ranks' | 'labeler' | 'flags'
>;

export interface CandidateOptions {
  promptIds?: readonly string[];
  k?: number;
  temperature?: number;
  maxNewTokens?: number;
}

export interface SampleSettings {
  k: number;
  temperature: number;
  maxNewTokens: number;
}

export interface CandidateContext {
  projectId: string;
  link: WorkerLink;
  queue: SaveQueue;
  preferences: Preferences;
  /** Version of the guideline that holds now. */
  guideline(): number;
  /** Ids of sets that go first, in this order. */
  askFirst(): readonly string[];
}

/** @throws PlaygroundError `argument` when ranks and completions do not fit */
function checkAnswer(answer: RankingAnswer, k: number): void {
  const wanted = answer.outcome === 'ranked' ? k : 0;
  const whole = answer.ranks.every((rank) => Number.isInteger(rank) && rank >= 1);
  if (answer.ranks.length !== wanted || !whole) {
    throw new PlaygroundError({
      code: 'argument',
      field: 'ranks',
      message: `ranks must name one rank (1 is best) for each of ${wanted} completions.`,
    });
  }
  if (answer.flags !== undefined && answer.flags.length !== k && answer.flags.length !== 0) {
    throw new PlaygroundError({
      code: 'argument',
      field: 'flags',
      message: `flags must hold one list for each of ${k} completions.`,
    });
  }
}

export class Candidates {
  prompts: readonly Prompt[] = $state.raw([]);
  sets: readonly CandidateSet[] = $state.raw([]);
  rankings: readonly Ranking[] = $state.raw([]);
  generating: { done: number; total: number } | null = $state.raw(null);
  readonly #context: CandidateContext;

  constructor(context: CandidateContext) {
    this.#context = context;
  }

  /** @throws PlaygroundError `read-only` */
  requireWriter(): void {
    this.#context.queue.requireWriter();
  }

  /** The rankings of the labeler at work, oldest first. */
  readonly own: readonly Ranking[] = $derived.by(() => {
    const { labeler } = this.#context.preferences;
    return this.rankings.filter((ranking) => ranking.labeler === labeler && !ranking.simulated);
  });

  /** Sets that this labeler has neither ranked nor skipped: those to ask first, then oldest first. */
  readonly pendingSets: readonly CandidateSet[] = $derived.by(() => {
    const answers = bySet(this.own);
    const open = this.sets.filter((set) => !isDone(set, answers.get(set.id) ?? []));
    const places = plainMap(this.#context.askFirst().map((id, place) => [id, place] as const));
    const place = ({ id }: CandidateSet): number => places.get(id) ?? places.size;
    return places.size === 0 ? open : [...open].sort((a, b) => place(a) - place(b));
  });

  /** One prompt per line; blank lines and prompts that are there already are passed over. */
  addPrompts(text: string): number {
    this.requireWriter();
    const known = plainSet(this.prompts.map((prompt) => prompt.text));
    const first = nextSeq(this.prompts);
    const added: Prompt[] = [];
    for (const line of text.split(/\r\n?|\n/)) {
      const words = line.trim();
      if (words === '' || known.has(words)) continue;
      known.add(words);
      const { projectId } = this.#context;
      added.push({ id: newId(), projectId, text: words, seq: first + added.length });
    }
    this.prompts = [...this.prompts, ...added];
    for (const prompt of added) this.#context.queue.put('prompts', prompt.id, prompt);
    return added.length;
  }

  /** Sets already written for it stay: they have the prompt's text in them. */
  deletePrompt(id: string): void {
    this.requireWriter();
    this.prompts = this.prompts.filter((prompt) => prompt.id !== id);
    this.#context.queue.put('prompts', id, null);
  }

  /**
   * Writes K completions for each prompt that has no unranked set, or for the prompts asked for.
   * @returns how many sets were written
   * @throws PlaygroundError `missing` without prompts, `busy` while this is under way
   */
  async generate(
    options: CandidateOptions,
    settings: SampleSettings,
    projectSeed: number,
  ): Promise<number> {
    if (this.generating !== null) {
      throw new PlaygroundError({
        code: 'busy',
        message: 'Completions are being written already.',
      });
    }
    const prompts = this.#promptsFor(options.promptIds);
    if (prompts.length === 0) {
      throw new PlaygroundError({
        code: 'missing',
        message: 'There is no prompt that waits for completions.',
        remedy: 'Add prompts, or rank the completions that are there.',
      });
    }
    // A second round for a prompt must differ from the first, and a repeat of the project must not.
    const seed = (projectSeed + 1 + this.sets.length) >>> 0;
    this.generating = { done: 0, total: prompts.length };
    try {
      for (let at = 0; at < prompts.length; at += PROMPTS_PER_COMMAND) {
        const batch = prompts.slice(at, at + PROMPTS_PER_COMMAND);
        const written = await this.#context.link.call('generateCandidates', {
          projectId: this.#context.projectId,
          prompts: batch.map(({ id, text }) => ({ id, text })),
          k: options.k ?? settings.k,
          temperature: options.temperature ?? settings.temperature,
          maxNewTokens: options.maxNewTokens ?? settings.maxNewTokens,
          seed,
        });
        this.requireWriter();
        const first = nextSeq(this.sets);
        const sets = written.map((set, i) => ({ ...set, id: newId(), seq: first + i }));
        this.sets = [...this.sets, ...sets];
        for (const set of sets) this.#context.queue.put('sets', set.id, set);
        this.generating = { done: at + batch.length, total: prompts.length };
      }
      return prompts.length;
    } finally {
      this.generating = null;
    }
  }

  #promptsFor(ids: readonly string[] | undefined): Prompt[] {
    if (ids !== undefined) return this.prompts.filter(({ id }) => ids.includes(id));
    const ranked = plainSet(this.rankings.map(({ setId }) => setId));
    const waiting = plainSet(this.sets.filter(({ id }) => !ranked.has(id)).map((s) => s.promptId));
    const fresh = this.prompts.filter(({ id }) => !waiting.has(id));
    const without = fresh.filter(({ id }) => !this.sets.some(({ promptId }) => promptId === id));
    // Prompts never answered come first; only when there are none, a second round for the others.
    return without.length > 0 ? without : fresh;
  }

  /**
   * Stores this labeler's answer to a task, under the guideline as it is now.
   * @param before the ranking that it changes, which keeps its id and place; null: a new one
   * @throws PlaygroundError `argument` when ranks and completions do not fit
   */
  answer(task: RankingTask, answer: TaskAnswer, before: Ranking | null): Ranking {
    const fields = answeredFields(task, answer);
    checkAnswer(fields, fields.completions.length);
    return this.put({
      ...fields,
      ranks: competitionRanks(fields.ranks).map((rank) => rank ?? 1),
      id: before?.id ?? newId(),
      seq: before?.seq ?? nextSeq(this.rankings),
      projectId: this.#context.projectId,
      setId: task.set.id,
      labeler: this.#context.preferences.labeler,
      simulated: false,
      guideline: this.#context.guideline(),
      ms: (before?.ms ?? 0) + (fields.ms ?? 0),
    });
  }

  /** Stores a ranking as it is: a new one, or in the place of the one with its id. */
  put(ranking: Ranking): Ranking {
    this.requireWriter();
    const at = this.rankings.findIndex(({ id }) => id === ranking.id);
    this.rankings = at < 0 ? [...this.rankings, ranking] : this.rankings.with(at, ranking);
    this.#context.queue.put('rankings', ranking.id, ranking);
    return ranking;
  }

  /** Stores a ranking. @throws PlaygroundError `argument` naming `ranks` or `flags` */
  add(
    draft: RankingAnswer &
      Pick<Ranking, 'setId' | 'prompt' | 'labeler' | 'simulated'> & {
        completions: readonly string[];
        order: readonly number[];
      },
  ): Ranking {
    checkAnswer(draft, draft.completions.length);
    return this.put({
      id: newId(),
      projectId: this.#context.projectId,
      setId: draft.setId,
      prompt: draft.prompt,
      completions: [...draft.completions],
      ranks: competitionRanks(draft.ranks).map((rank) => rank ?? 1),
      outcome: draft.outcome,
      labeler: draft.labeler,
      simulated: draft.simulated,
      flags: draft.completions.map((_, i) => [...(draft.flags?.[i] ?? [])]),
      order: [...draft.order],
      seq: nextSeq(this.rankings),
    });
  }

  /** Stores a ranking of texts that are in no set. @throws as `add` */
  addOfNoSet(draft: RankingOfTexts): Ranking {
    return this.add({
      ...draft,
      setId: null,
      outcome: 'ranked',
      simulated: draft.labeler.startsWith(SIMULATED_PREFIX),
      order: draft.completions.map((_, i) => i),
    });
  }

  remove(id: string): void {
    this.requireWriter();
    this.rankings = this.rankings.filter((ranking) => ranking.id !== id);
    this.#context.queue.put('rankings', id, null);
  }

  /** A rule ranks every set that nobody has ranked; all of it marked *simulated*. */
  simulate(options: { attribute: AttributeName; noise?: number }, seed: number): number {
    const done = plainSet(this.rankings.map(({ setId }) => setId));
    const open = this.sets.filter(({ id }) => !done.has(id));
    this.#simulate(open, simulatedLabelerName(options.attribute), options, seed);
    return open.length;
  }

  /** How many sets a simulated labeler has not ranked. */
  openFor(code: string): number {
    return this.#openFor(code).length;
  }
  #openFor(code: string): CandidateSet[] {
    const own = this.rankings.filter(({ labeler }) => labeler === code);
    const done = plainSet(own.map(({ setId }) => setId));
    return this.sets.filter(({ id }) => !done.has(id));
  }

  /**
   * A simulated labeler ranks the first `limit` sets that it has not ranked, whoever else has. Each
   * labeler draws its own noise.
   * @returns how many it has ranked
   * @throws PlaygroundError `argument` for a person
   */
  simulateBy(
    { code, simulated }: Pick<Labeler, 'code' | 'simulated'>,
    limit: number,
    seed: number,
  ): number {
    if (simulated === null) {
      throw new PlaygroundError({
        code: 'argument',
        field: 'labeler',
        message: `“${code}” is a person; only simulated labelers rank by themselves.`,
      });
    }
    const open = this.#openFor(code).slice(0, limit);
    this.#simulate(open, code, simulated, (seed + hashText(code)) >>> 0);
    return open.length;
  }

  #simulate(
    sets: readonly CandidateSet[],
    labeler: string,
    values: Omit<SimulatedTask, 'prompt' | 'completions' | 'seed'>,
    seed: number,
  ): void {
    this.requireWriter();
    const first = nextSeq(this.rankings);
    const added = sets.map((set, i): Ranking => {
      const { prompt, completions } = set;
      return {
        ...simulateRanking({ ...values, prompt, completions, seed }),
        id: newId(),
        projectId: this.#context.projectId,
        setId: set.id,
        prompt,
        completions: completions.map(({ text }) => text),
        order: [...set.order],
        flags: completions.map(() => []),
        labeler,
        simulated: true,
        seq: first + i,
      };
    });
    this.rankings = [...this.rankings, ...added];
    for (const ranking of added) this.#context.queue.put('rankings', ranking.id, ranking);
  }
}
