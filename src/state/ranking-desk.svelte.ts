/**
 * What is on the desk of the labeler at work: the queues, the task in hand, drafts, undo, and how much
 * harm they have read today. The board on the page shows a task and hands its answer back.
 */
import type { RankingsConfig } from '../core/config';
import type { CandidateSet, Ranking } from '../core/domain';
import { isFlagged } from '../core/harm-lexicon';
import { medianMs, rankingQueues, bySet, type RankingQueues } from '../core/ranking-queue';
import { repeatDue } from '../core/ranking-repeats';
import {
  answerOf,
  blankContent,
  contentOf,
  isBlank,
  taskFor,
  taskOf,
  type BoardContent,
  type RankingTask,
  type TaskAnswer,
} from '../core/ranking-task';
import type { Candidates } from './candidates.svelte';
import type { People } from './people.svelte';
import { plainMap, plainSet } from './plain-collections';

export interface DeskContext {
  candidates: Candidates;
  people: People;
  settings(): Pick<RankingsConfig, 'mode' | 'silent_repeats'>;
  /** Of the project. */
  seed: number;
}

/** One answer given since the page was opened. */
interface Done {
  labeler: string;
  id: string;
  /** The ranking that it changed; null when it was a new one. */
  before: Ranking | null;
}

export class RankingDesk {
  readonly #context: DeskContext;
  /**
   * The task that was opened, or begun: it stays until it is answered or another one is opened. An
   * answer that is changed is asked for as it was given; anything else in the mode of the project.
   */
  #opened: { labeler: string; task: RankingTask; fixed: boolean } | null = $state.raw(null);
  /** What undo put back on the board; a draft holds the same, except for silent repeats. */
  #restored: { task: RankingTask; content: BoardContent } | null = null;
  /** Who has begun here: until then, the newest draft is what they come back to. */
  #begun: string | null = $state.raw(null);
  #done: readonly Done[] = [];
  /** Harmful texts that have been counted, by labeler, set and card. */
  #read: ReadonlySet<string> = $state.raw(plainSet());
  /** Grows with every answer and undo: a board is never kept for the same task again. */
  revision = $state(0);

  constructor(context: DeskContext) {
    this.#context = context;
  }

  get #labeler(): string {
    return this.#context.people.current.code;
  }

  readonly queues: RankingQueues = $derived.by(() => {
    const { candidates, people } = this.#context;
    return rankingQueues(candidates.sets, candidates.own, people.drafts);
  });

  readonly #answers: ReadonlyMap<string, readonly Ranking[]> = $derived.by(() =>
    bySet(this.#context.candidates.own),
  );
  #answersOf(set: CandidateSet): readonly Ranking[] {
    return this.#answers.get(set.id) ?? [];
  }

  /** What is on the desk now; null: nothing waits. */
  readonly task: RankingTask | null = $derived.by(() => {
    const opened = this.#opened;
    const { sets } = this.#context.candidates;
    if (opened?.labeler !== this.#labeler) return this.#next();
    const { task, fixed } = opened;
    if (!sets.some(({ id }) => id === task.set.id)) return this.#next();
    const { mode } = this.#context.settings();
    if (fixed || (task.mode === 'list') === (mode === 'list')) return task;
    // A repeat is of a whole set, which has its answer: there is nothing to ask in pairs.
    if (task.repeatOf !== null) return this.#next();
    return taskFor(task.set, mode, this.#answersOf(task.set));
  });

  #next(): RankingTask | null {
    const { candidates, seed } = this.#context;
    const { mode, silent_repeats } = this.#context.settings();
    const { todo, drafts } = this.queues;
    const resumed = this.#begun === this.#labeler ? undefined : drafts.at(-1);
    const first = this.limitReached
      ? (todo.find((set) => !this.hasCovered(set)) ?? todo[0])
      : todo[0];
    if (resumed === undefined && first !== undefined && mode === 'list' && silent_repeats) {
      const { own, sets } = candidates;
      const repeat = repeatDue({ own, sets, labeler: this.#labeler, seed });
      if (repeat !== null) return repeat;
    }
    const set = resumed ?? first ?? drafts[0];
    return set === undefined ? null : taskFor(set, mode, this.#answersOf(set));
  }

  /** What is on the board of a task at first: what undo put back, a draft, the answer given, nothing. */
  contentOf(task: RankingTask): BoardContent {
    if (this.#restored?.task === task) return this.#restored.content;
    const draft = task.repeatOf === null ? this.#context.people.draftOf(task.set.id) : null;
    if (draft !== null) return draft;
    const answer = answerOf(task, this.#answersOf(task.set));
    return answer === null || task.repeatOf !== null
      ? blankContent(task.set.completions.length)
      : contentOf(answer, task);
  }

  /** Keeps what is on a board as a draft of `labeler`, who has begun it; an empty board is none. */
  keep(task: RankingTask, content: BoardContent, labeler: string): void {
    const { people } = this.#context;
    if (labeler === this.#labeler) this.#pin(task);
    // A draft would give a silent repeat away, and the answer it repeats would seem to be changing.
    if (task.repeatOf !== null) return;
    const setId = task.set.id;
    if (!isBlank(content)) people.saveDraft({ labeler, setId, ...content });
    else if (labeler === this.#labeler) people.removeDraft(setId);
  }

  #pin(task: RankingTask, fixed = false): void {
    this.#begun = this.#labeler;
    if (this.#opened?.task === task) return;
    this.#opened = { labeler: this.#labeler, task, fixed };
  }

  /** Puts a set of the queues on the desk. */
  open(set: CandidateSet): void {
    this.#pin(taskFor(set, this.#context.settings().mode, this.#answersOf(set)));
    this.revision++;
  }

  /** Puts an answer on the desk again, to be changed. Its set may be gone: then nothing happens. */
  reopen(ranking: Ranking): boolean {
    const task = this.#taskOf(ranking);
    if (task === null) return false;
    this.#pin(task, true);
    this.revision++;
    return true;
  }

  #taskOf(ranking: Ranking): RankingTask | null {
    const set = this.#context.candidates.sets.find(({ id }) => id === ranking.setId);
    return set === undefined ? null : taskOf(ranking, set);
  }

  /** Leaves the task for later and goes to the next one that waits; false: there is no other. */
  later(): boolean {
    const { pending } = this.queues;
    const now = this.task?.set;
    const after = pending.find(({ seq }) => now !== undefined && seq > now.seq) ?? pending[0];
    if (after === undefined || after.id === now?.id) return false;
    this.open(after);
    return true;
  }

  /** Takes a skipped set back into the queue. */
  takeBack(ranking: Ranking): void {
    const task = this.#taskOf(ranking);
    this.#context.candidates.remove(ranking.id);
    if (task !== null) this.keep(task, contentOf(ranking, task), this.#labeler);
    this.revision++;
  }

  /** Whether the task on the desk has an answer already, which is being changed. */
  get changing(): boolean {
    const { task } = this;
    return task !== null && answerOf(task, this.#answersOf(task.set)) !== null;
  }

  /** Stores the answer to a task. @throws PlaygroundError `argument` when it does not fit the task */
  submit(task: RankingTask, answer: TaskAnswer): void {
    const { candidates, people } = this.#context;
    const before = answerOf(task, this.#answersOf(task.set));
    const { id } = candidates.answer(task, answer, before);
    if (task.repeatOf === null) people.removeDraft(task.set.id);
    this.#done = [...this.#done, { labeler: this.#labeler, id, before }];
    this.#begun = this.#labeler;
    this.#opened = null;
    this.#restored = null;
    // the other pairs of a set come before the next set
    if (task.mode === 'pair' && this.queues.pending.some(({ id }) => id === task.set.id)) {
      this.#pin(taskFor(task.set, 'pairs', this.#answersOf(task.set)));
    }
    this.revision++;
  }

  /** Whether `undo` has anything to take back. */
  get canUndo(): boolean {
    return this.#context.candidates.own.some((ranking) => this.#undoable(ranking));
  }
  #undoable({ setId, source }: Ranking): boolean {
    return setId !== null && source === undefined;
  }

  /**
   * Takes this labeler's last answer back and puts its board on the desk as it was. After a reload,
   * where nobody knows which one was last changed, the newest. Null: there is none.
   */
  undo(): Ranking | null {
    const { candidates, people } = this.#context;
    candidates.requireWriter();
    const { own } = candidates;
    const mine = this.#done.filter(
      ({ labeler, id }) => labeler === this.#labeler && own.some((ranking) => ranking.id === id),
    );
    const entry = mine.at(-1);
    const last =
      entry === undefined
        ? own.findLast((ranking) => this.#undoable(ranking))
        : own.find(({ id }) => id === entry.id);
    if (last === undefined) return null;
    this.#done = this.#done.filter((done) => done !== entry);
    const task = this.#taskOf(last);
    if (entry?.before) candidates.put(entry.before);
    else candidates.remove(last.id);
    if (task !== null) {
      const content = contentOf(last, task);
      this.#restored = { task, content };
      this.#pin(task, true);
      const setId = task.set.id;
      if (task.repeatOf === null && !isBlank(content)) {
        people.saveDraft({ labeler: this.#labeler, setId, ...content });
      }
    }
    this.revision++;
    return last;
  }

  /** Median time of an answer in the present mode, ms; null before the first. */
  readonly pace: number | null = $derived.by(() =>
    medianMs(this.queues.submitted, this.#context.settings().mode === 'pairs' ? 'pair' : 'list'),
  );

  // Care

  /** Texts that people have flagged, by set. */
  readonly #flagged: ReadonlyMap<string, ReadonlySet<string>> = $derived.by(() => {
    const bySetId = plainMap<string, Set<string>>();
    for (const { setId, flags, completions } of this.#context.candidates.rankings) {
      if (setId === null || !flags.some((list) => list.length > 0)) continue;
      const texts = bySetId.get(setId) ?? plainSet<string>();
      completions.forEach((text, i) => flags[i]?.length && texts.add(text));
      bySetId.set(setId, texts);
    }
    return bySetId;
  });

  readonly #flaggedTexts: ReadonlySet<string> = $derived.by(() =>
    plainSet([...this.#flagged.values()].flatMap((texts) => [...texts])),
  );
  /** The same for a text that stands outside the board, in whatever set it was flagged. */
  isHarmful(text: string): boolean {
    return isFlagged(text) || this.#flaggedTexts.has(text);
  }

  /** Whether a text is covered until it is asked for: the lexicon or somebody has flagged it. */
  isCovered(set: CandidateSet, card: number): boolean {
    const text = set.completions[card]?.text ?? '';
    return isFlagged(text) || (this.#flagged.get(set.id)?.has(text) ?? false);
  }
  hasCovered(set: CandidateSet): boolean {
    return set.completions.some((_, card) => this.isCovered(set, card));
  }

  /** The limit that the labeler has chosen is reached: what is covered stays covered today. */
  get limitReached(): boolean {
    const { current, exposedToday } = this.#context.people;
    return current.dailyHarmLimit !== null && exposedToday >= current.dailyHarmLimit;
  }

  hasRead(setId: string | null, text: string): boolean {
    return this.#read.has(this.#textKey(setId, text));
  }
  /** Counts a harmful text that was uncovered or flagged by hand; each once for a labeler and set. */
  noteRead(setId: string | null, text: string): void {
    if (this.hasRead(setId, text)) return;
    // The limit may be reached now, which changes what comes next, but not what is on the desk.
    if (this.task !== null) this.#pin(this.task);
    this.#read = plainSet([...this.#read, this.#textKey(setId, text)]);
    this.#context.people.noteExposure();
  }
  #textKey(setId: string | null, text: string): string {
    return JSON.stringify([this.#labeler, setId, text]);
  }
}
