/** What is on a ranking board, with every step back, and which covered texts are open. */
import { SvelteSet } from 'svelte/reactivity';
import type { HarmFlag } from '../../../core/domain';
import type { Rating } from '../../../core/people';
import type { RankingBoard } from '../../../core/ranking-board';
import type { BoardContent, RankingTask } from '../../../core/ranking-task';
import type { RankingDesk } from '../../../state/ranking-desk.svelte';
import { coverWords } from '../../parts/flag-words';

export class BoardState {
  content: BoardContent = $state.raw() as BoardContent;
  /** Changed since it was put on the page. */
  touched = $state(false);
  /** The card that keys are meant for. */
  active = $state(0);
  readonly task: RankingTask;
  readonly #desk: RankingDesk;
  #past: readonly BoardContent[] = $state.raw([]);
  readonly #open = new SvelteSet<number>();
  readonly #since = performance.now();

  constructor(desk: RankingDesk, task: RankingTask) {
    this.#desk = desk;
    this.task = task;
    this.content = desk.contentOf(task);
    this.active = task.cards[0] ?? 0;
  }

  /** Cards with their numbers. */
  get board(): RankingBoard {
    return { order: this.task.cards, assigned: this.content.assigned };
  }

  /** Letter of a card: it stays with it wherever it moves. */
  letter(card: number): string {
    return String.fromCharCode(65 + this.task.cards.indexOf(card));
  }

  /** Time since the board appeared, ms. */
  get ms(): number {
    return performance.now() - this.#since;
  }

  change(change: Partial<BoardContent>): void {
    this.#past = [...this.#past, this.content];
    this.content = { ...this.content, ...change };
    this.touched = true;
  }
  /** A text field has its own undo; a step for each letter would bury the others. */
  comment(text: string): void {
    this.content = { ...this.content, comment: text };
    this.touched = true;
  }
  rate(card: number, rating: Rating): void {
    this.change({ ratings: this.content.ratings.with(card, rating) });
  }
  /** Flagging a text takes notice of it, and covers it again. */
  flag(card: number, flags: HarmFlag[]): void {
    this.change({ flags: this.content.flags.with(card, flags) });
    if (flags.length === 0) return;
    this.#open.delete(card);
    this.#desk.noteRead(this.task.set.id, this.#text(card));
  }

  get canStepBack(): boolean {
    return this.#past.length > 0;
  }
  stepBack(): boolean {
    const last = this.#past.at(-1);
    if (last === undefined) return false;
    this.#past = this.#past.slice(0, -1);
    this.content = { ...last, comment: this.content.comment };
    return true;
  }

  // Covered texts

  #text(card: number): string {
    return this.task.set.completions[card]?.text ?? '';
  }
  /** Why a text is harmful, or seems so; null: nothing speaks for it. */
  warning(card: number): string | null {
    const flags = this.content.flags[card] ?? [];
    if (flags.length === 0 && !this.#desk.isCovered(this.task.set, card)) return null;
    return coverWords(this.#text(card), flags);
  }
  isCovered(card: number): boolean {
    return this.warning(card) !== null && !this.#open.has(card);
  }
  /** Whether the labeler's limit for today lets them open it; what they have read stays free. */
  mayShow(card: number): boolean {
    return !this.#desk.limitReached || this.#desk.hasRead(this.task.set.id, this.#text(card));
  }
  /** Opens a covered text, or covers it again. False when the limit for today forbids it. */
  toggleCover(card: number): boolean {
    if (this.#open.delete(card)) return true;
    if (!this.mayShow(card)) return false;
    this.#desk.noteRead(this.task.set.id, this.#text(card));
    this.#open.add(card);
    return true;
  }
}
