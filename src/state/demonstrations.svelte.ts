/** The demonstrations of a project: added from any format, edited, deleted, all of it undoable. */
import type { Demonstration } from '../core/domain';
import { PlaygroundError } from '../core/errors';
import { decodeBytes } from '../formats/decode-bytes';
import type { DemonstrationRow, LineNote } from '../formats/demonstration-rows';
import { parseDemonstrations } from '../formats/demonstrations';
import { splitHeldOut } from './held-out';
import { History, type DemonstrationChange } from './history.svelte';
import { newId, nextSeq } from './ids';
import { plainMap } from './plain-collections';
import type { SaveQueue } from './save-queue.svelte';

export interface AddReport {
  added: number;
  rejected: LineNote[];
  warnings: LineNote[];
}

const MAX_FILE_BYTES = 64 * 2 ** 20;

export class Demonstrations {
  list: readonly Demonstration[] = $state.raw([]);
  readonly history = new History();
  readonly #projectId: string;
  readonly #seed: number;
  readonly #queue: SaveQueue;

  constructor(projectId: string, seed: number, queue: SaveQueue) {
    this.#projectId = projectId;
    this.#seed = seed;
    this.#queue = queue;
  }

  /** Adds every row that can be read; the others are named by line and reason. Never throws. */
  addText(text: string, heldOutRatio: number): AddReport {
    const { rows, rejected, warnings } = parseDemonstrations(text);
    return { added: this.addRows(rows, heldOutRatio), rejected, warnings };
  }

  /** @throws PlaygroundError `input` when the file is too large to read */
  async addFile(file: File, heldOutRatio: number): Promise<AddReport> {
    if (file.size > MAX_FILE_BYTES) {
      throw new PlaygroundError({
        code: 'input',
        field: file.name,
        message: `${file.name} is larger than 64 MB.`,
        remedy: 'Cut it into parts and add those that you need.',
      });
    }
    const { text, warning } = decodeBytes(new Uint8Array(await file.arrayBuffer()));
    const report = this.addText(text, heldOutRatio);
    if (warning !== undefined) report.warnings.unshift({ line: 1, reason: warning });
    return report;
  }

  addRows(rows: readonly Pick<DemonstrationRow, 'prompt' | 'completion'>[], ratio: number): number {
    this.#queue.requireWriter();
    if (rows.length === 0) return 0;
    const first = nextSeq(this.list);
    const added = rows.map(({ prompt, completion }, i): Demonstration => ({
      id: newId(),
      projectId: this.#projectId,
      prompt,
      completion,
      heldOut: false,
      seq: first + i,
    }));
    const split = splitHeldOut(added, { ratio, seed: this.#seed, beside: this.list });
    this.#do(
      `Add ${added.length} demonstration${added.length === 1 ? '' : 's'}`,
      split.map((after) => ({ id: after.id, before: null, after })),
    );
    return added.length;
  }

  update(
    id: string,
    change: Partial<Pick<Demonstration, 'prompt' | 'completion' | 'heldOut'>>,
  ): void {
    const before = this.list.find((demonstration) => demonstration.id === id);
    if (before === undefined) return;
    const after = { ...before, ...change };
    if (
      after.prompt === before.prompt &&
      after.completion === before.completion &&
      after.heldOut === before.heldOut
    ) {
      return;
    }
    const typing = change.heldOut === undefined;
    const edit = typing
      ? { key: `${id}/${Object.keys(change).join()}`, at: performance.now() }
      : null;
    this.#do(
      typing ? 'Edit demonstration' : 'Move between training and held-out',
      [{ id, before, after }],
      edit,
    );
  }

  delete(id: string): void {
    const before = this.list.find((demonstration) => demonstration.id === id);
    if (before !== undefined) this.#do('Delete demonstration', [{ id, before, after: null }]);
  }

  /** Draws the held-out share anew. */
  splitAgain(ratio: number): void {
    const split = splitHeldOut(this.list, { ratio, seed: this.#seed, beside: [] });
    const changes = this.list
      .map((before, i) => ({ id: before.id, before, after: split[i]! }))
      .filter(({ before, after }) => before.heldOut !== after.heldOut);
    if (changes.length > 0) this.#do('Change the held-out share', changes);
  }

  undo(): void {
    this.#queue.requireWriter();
    const step = this.history.undo();
    if (step !== null)
      this.#apply(
        step.changes.map(({ id, before }) => [id, before]),
        false,
      );
  }

  redo(): void {
    this.#queue.requireWriter();
    const step = this.history.redo();
    if (step !== null)
      this.#apply(
        step.changes.map(({ id, after }) => [id, after]),
        false,
      );
  }

  #do(
    label: string,
    changes: readonly DemonstrationChange[],
    edit: { key: string; at: number } | null = null,
  ): void {
    this.#apply(
      changes.map(({ id, after }) => [id, after]),
      edit !== null,
    );
    this.history.push({ label, changes }, edit);
  }

  #apply(changes: readonly (readonly [string, Demonstration | null])[], later: boolean): void {
    const next = plainMap(this.list.map((record) => [record.id, record]));
    for (const [id, record] of changes) {
      if (record === null) next.delete(id);
      else next.set(id, record);
      this.#queue.put('demonstrations', id, record, later);
    }
    this.list = [...next.values()].sort((a, b) => a.seq - b.seq);
  }
}
