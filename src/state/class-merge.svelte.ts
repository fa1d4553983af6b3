/** Class merge on the page: files in, a preview to decide on, one transaction, and back again. */
import { originOf, type Quarantined } from '../core/class-file';
import type { Project, Ranking } from '../core/domain';
import { PlaygroundError, toErrorDetails } from '../core/errors';
import { mergeChanges, mergedRecords, type MergeChanges } from '../core/merge-changes';
import { personKey } from '../core/merge-people';
import {
  planMerge,
  type ConflictChoice,
  type IncomingFile,
  type MergePlan,
} from '../core/merge-rankings';
import { inSlices } from '../core/slices';
import type { Candidates } from './candidates.svelte';
import { readClass } from './class-files';
import { newId, nextSeq } from './ids';
import type { People } from './people.svelte';
import { plainMap, plainSet } from './plain-collections';
import type { SaveQueue } from './save-queue.svelte';

export interface ClassMergeContext {
  record: () => Project;
  change: (change: Partial<Project>) => void;
  candidates: Candidates;
  people: People;
  queue: SaveQueue;
}

/** A file that could not be read at all. */
export interface RefusedFile {
  name: string;
  reason: string;
}

export interface MergeOutcome {
  added: number;
  replaced: number;
  duplicates: number;
  conflicts: number;
  quarantined: readonly Quarantined[];
  refused: readonly RefusedFile[];
}

/** What is needed to take an import back. */
interface Applied {
  changes: MergeChanges;
  newCodes: ReadonlySet<string>;
  before: Required<Pick<Project, 'guidelines' | 'exposures'>>;
  after: Pick<Project, 'guidelines' | 'exposures'>;
}

export class ClassMerge {
  /** Set while files are being read or looked through. */
  reading: { done: number; total: number } | null = $state.raw(null);
  plan: MergePlan | null = $state.raw(null);
  refused: readonly RefusedFile[] = $state.raw([]);
  /** By the place of the conflict in the plan; keep ours where nothing is chosen. */
  choices: ReadonlyMap<number, ConflictChoice> = $state.raw(plainMap<number, ConflictChoice>());
  /** The last import, until it is taken back or the page is left. */
  outcome: MergeOutcome | null = $state.raw(null);
  readonly #context: ClassMergeContext;
  #incoming: IncomingFile[] = [];
  #people: Record<string, string> = {};
  #applied: Applied | null = null;
  /** The rankings that the plan was made for. */
  #plannedOn: readonly Ranking[] | null = null;

  constructor(context: ClassMergeContext) {
    this.#context = context;
  }

  /** Reads files and shows what an import of them would do; nothing is changed. */
  async read(files: readonly File[]): Promise<void> {
    this.cancel();
    this.outcome = null;
    this.#applied = null;
    const refused: RefusedFile[] = [];
    const names = plainSet<string>();
    this.reading = { done: 0, total: files.length };
    try {
      for (const [i, file] of files.entries()) {
        const name = unusedName(file.name, names);
        try {
          const read = await readClass(file);
          this.#incoming.push({ name, ...read });
        } catch (thrown) {
          const { message, remedy = '' } = toErrorDetails(thrown);
          refused.push({ name, reason: `${message} ${remedy}`.trim() });
        }
        this.reading = { done: i + 1, total: files.length };
      }
      this.refused = refused;
      if (this.#incoming.length > 0) await this.#planAgain();
    } finally {
      this.reading = null;
    }
  }

  /** Brings a labeler of a file in under this code. */
  async choosePerson(file: string, code: string, as: string): Promise<void> {
    this.#people = { ...this.#people, [personKey(file, code)]: as.trim() || code };
    await this.#planAgain();
  }

  chooseConflict(index: number, choice: ConflictChoice): void {
    this.choices = plainMap([...this.choices, [index, choice] as const]);
  }
  chooseAllConflicts(choice: ConflictChoice): void {
    this.choices = plainMap((this.plan?.conflicts ?? []).map((_, i) => [i, choice] as const));
  }

  async #planAgain(): Promise<void> {
    const { record, candidates, people } = this.#context;
    const { id } = record();
    this.#plannedOn = candidates.rankings;
    this.plan = await inSlices(
      planMerge(
        {
          projectId: id,
          origin: originOf(record()),
          sets: candidates.sets,
          rankings: candidates.rankings,
          labelers: people.labelers,
          guidelines: people.guidelines,
          exposures: people.exposures,
        },
        this.#incoming,
        { newId, now: Date.now(), people: this.#people },
      ),
    );
    // Other people make other conflicts.
    this.choices = plainMap<number, ConflictChoice>();
  }

  /** Forgets the files that were read; nothing was changed. */
  cancel(): void {
    this.plan = null;
    this.refused = [];
    this.choices = plainMap<number, ConflictChoice>();
    this.#incoming = [];
    this.#people = {};
  }

  /**
   * Stores what was decided, all at once. Null when there is no preview.
   * @throws PlaygroundError `busy` when somebody has ranked since the preview was made; it is made anew
   */
  async accept(): Promise<MergeOutcome | null> {
    const { plan } = this;
    this.#context.queue.requireWriter();
    if (plan === null) return null;
    const { candidates, people, record } = this.#context;
    if (candidates.rankings !== this.#plannedOn) {
      await this.#planAgain();
      throw new PlaygroundError({
        code: 'busy',
        message: 'The rankings have changed since these files were read.',
        remedy: 'Look at the preview once more; it has been brought up to date.',
      });
    }
    const changes = mergeChanges(plan, this.choices, nextSeq(candidates.rankings));
    const profiles = record().labelers ?? [];
    const known = plainSet(profiles.map(({ code }) => code));
    const merged = mergedRecords(
      { labelers: profiles, guidelines: people.guidelines, exposures: people.exposures },
      changes,
    );
    const before = { guidelines: [...people.guidelines], exposures: [...people.exposures] };
    const after = {
      ...(changes.guidelines.length > 0 ? { guidelines: merged.guidelines } : {}),
      ...(changes.exposures.length > 0 ? { exposures: merged.exposures } : {}),
    };
    this.#exchange(changes.add, changes.remove);
    this.#context.change({ labelers: merged.labelers, ...after });
    this.#applied = {
      changes,
      newCodes: plainSet(
        changes.labelers.map(({ code }) => code).filter((code) => !known.has(code)),
      ),
      before,
      after,
    };
    const outcome: MergeOutcome = {
      added: changes.add.length,
      replaced: changes.remove.length,
      duplicates: plan.files.reduce((sum, { duplicates }) => sum + duplicates, 0),
      conflicts: plan.conflicts.length,
      quarantined: plan.quarantined,
      refused: [
        ...this.refused,
        ...plan.files.flatMap(({ name, refused }) =>
          refused === null ? [] : [{ name, reason: refused }],
        ),
      ],
    };
    this.cancel();
    this.outcome = outcome;
    return outcome;
  }

  get canUndo(): boolean {
    return this.outcome !== null && this.#applied !== null;
  }

  /** Takes the last import back, whatever has been ranked since. */
  undo(): void {
    const applied = this.#applied;
    if (applied === null) return;
    const { record, candidates, change } = this.#context;
    this.#exchange(applied.changes.remove, applied.changes.add);
    const ranking = plainSet(candidates.rankings.map(({ labeler }) => labeler));
    const now = record();
    change({
      labelers: (now.labelers ?? []).filter(
        ({ code }) => !applied.newCodes.has(code) || ranking.has(code),
      ),
      // What was changed since is not the import's to take back.
      ...(applied.after.guidelines !== undefined && now.guidelines === applied.after.guidelines
        ? { guidelines: applied.before.guidelines }
        : {}),
      ...(applied.after.exposures !== undefined && now.exposures === applied.after.exposures
        ? { exposures: applied.before.exposures }
        : {}),
    });
    this.#applied = null;
    this.outcome = null;
  }

  #exchange(add: readonly Ranking[], remove: readonly Ranking[]): void {
    const { candidates, queue } = this.#context;
    queue.requireWriter();
    const gone = plainSet(remove.map(({ id }) => id));
    candidates.rankings = [...candidates.rankings.filter(({ id }) => !gone.has(id)), ...add];
    queue.putPlain('rankings', [
      ...remove.map(({ id }) => [id, null] as const),
      ...add.map((ranking) => [ranking.id, ranking] as const),
    ]);
  }
}

/** Files of two folders may have one name. */
function unusedName(name: string, used: Set<string>): string {
  let unused = name;
  for (let n = 2; used.has(unused); n++) unused = `${name} (${n})`;
  used.add(unused);
  return unused;
}
