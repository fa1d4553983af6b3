/** Undo and redo of changes to demonstrations: for each step, the records before and after. */
import type { Demonstration } from '../core/domain';

export interface DemonstrationChange {
  id: string;
  /** null: it did not exist. */
  before: Demonstration | null;
  /** null: it was deleted. */
  after: Demonstration | null;
}

export interface HistoryStep {
  /** What was done, for the button: 'Delete demonstration'. */
  label: string;
  changes: readonly DemonstrationChange[];
}

const MAX_STEPS = 200;
/** Keys typed within this time of each other in one field are one step. */
const SAME_EDIT_MS = 1000;

export class History {
  #past: readonly HistoryStep[] = $state.raw([]);
  #future: readonly HistoryStep[] = $state.raw([]);
  #lastEdit: { key: string; at: number } | null = null;

  readonly canUndo: boolean = $derived(this.#past.length > 0);
  readonly canRedo: boolean = $derived(this.#future.length > 0);
  readonly undoLabel: string | null = $derived(this.#past.at(-1)?.label ?? null);
  readonly redoLabel: string | null = $derived(this.#future.at(-1)?.label ?? null);

  /**
   * Records what has just been done; whatever had been undone can no longer be redone.
   * @param edit the field being typed in (`id/prompt`) and the time in ms: see `SAME_EDIT_MS`
   */
  push(step: HistoryStep, edit: { key: string; at: number } | null = null): void {
    const previous = this.#past.at(-1);
    const same =
      edit !== null &&
      this.#lastEdit?.key === edit.key &&
      edit.at - this.#lastEdit.at <= SAME_EDIT_MS &&
      previous !== undefined &&
      this.#future.length === 0;
    if (same) {
      const changes = step.changes.map((change, i) => ({
        ...change,
        before: previous.changes[i]?.before ?? null,
      }));
      this.#past = [...this.#past.slice(0, -1), { label: step.label, changes }];
    } else {
      this.#past = [...this.#past, step].slice(-MAX_STEPS);
    }
    this.#future = [];
    this.#lastEdit = edit;
  }

  /** The step to take back, now counted as undone; null when there is none. */
  undo(): HistoryStep | null {
    const step = this.#past.at(-1);
    if (step === undefined) return null;
    this.#past = this.#past.slice(0, -1);
    this.#future = [...this.#future, step];
    this.#lastEdit = null;
    return step;
  }

  /** The step to do again, now counted as done; null when there is none. */
  redo(): HistoryStep | null {
    const step = this.#future.at(-1);
    if (step === undefined) return null;
    this.#future = this.#future.slice(0, -1);
    this.#past = [...this.#past, step];
    this.#lastEdit = null;
    return step;
  }
}
