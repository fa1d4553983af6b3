/** Labelers, guidelines, unfinished rankings and the ledger of harmful texts; all in the project's record. */
import type { Project, Ranking } from '../core/domain';
import { PlaygroundError } from '../core/errors';
import { DEFAULT_GUIDELINE } from '../core/guideline';
import type { Exposure, Guideline, Labeler, RankingDraft } from '../core/people';
import { isSimulatedName, SIMULATED_PREFIX } from '../core/simulated-labeler';
import { plainSet } from './plain-collections';
import type { Preferences } from './preferences.svelte';

export interface PeopleContext {
  record(): Project;
  change(change: Partial<Project>): void;
  rankings(): readonly Ranking[];
  preferences: Preferences;
}

const MAX_NAME = 80;

/** A labeler of whom nothing is known but the name. */
export const unknownLabeler = (code: string): Labeler => ({
  code,
  groups: [],
  consentedAt: null,
  simulated: null,
  dailyHarmLimit: null,
});

/** The local calendar day, YYYY-MM-DD. */
// 'sv-SE' writes dates as ISO 8601 does.
export const localDay = (at: number = Date.now()): string =>
  new Intl.DateTimeFormat('sv-SE').format(at);

const refused = (message: string): PlaygroundError =>
  new PlaygroundError({ code: 'argument', field: 'code', message });

export class People {
  readonly #context: PeopleContext;

  constructor(context: PeopleContext) {
    this.#context = context;
  }

  /** Labelers with a profile, the one at work, and every other person who has ranked. */
  readonly labelers: readonly Labeler[] = $derived.by(() => {
    const known = this.#profiles;
    const codes = this.#context
      .rankings()
      .filter(({ simulated }) => !simulated)
      .map(({ labeler }) => labeler);
    const others = [...plainSet([this.#context.preferences.labeler, ...codes])].filter(
      (code) => !known.some((labeler) => labeler.code === code),
    );
    return [...known, ...others.map(unknownLabeler)];
  });

  get #profiles(): readonly Labeler[] {
    return this.#context.record().labelers ?? [];
  }

  /** Of them, those who are people. */
  get persons(): readonly Labeler[] {
    return this.labelers.filter(({ simulated }) => simulated === null);
  }

  /** Who is ranking now. */
  get current(): Labeler {
    const code = this.#context.preferences.labeler;
    return this.labelers.find((labeler) => labeler.code === code) ?? unknownLabeler(code);
  }

  /** Every group that a labeler is in. */
  get groups(): readonly string[] {
    return [...plainSet(this.labelers.flatMap(({ groups }) => groups))];
  }

  /** @throws PlaygroundError `argument` for a simulated labeler: nobody ranks in its name */
  switchTo(code: string): void {
    if (isSimulatedName(code)) throw refused(`“${code}” is a rule and ranks by itself.`);
    this.#context.preferences.labeler = code;
  }

  /** @throws PlaygroundError `argument` for an empty or overlong name, or one that is taken */
  add(labeler: Partial<Labeler> & Pick<Labeler, 'code'>): Labeler {
    const code = labeler.code.trim();
    this.#check(code, (labeler.simulated ?? null) !== null);
    const added = { ...unknownLabeler(code), ...labeler, code };
    this.#context.change({ labelers: [...this.#profiles, added] });
    return added;
  }

  /** Changes a profile; a labeler known only by rankings gets one. Names stay: rankings carry them. */
  update(code: string, change: Partial<Omit<Labeler, 'code'>>): void {
    const labelers = this.#profiles.some((labeler) => labeler.code === code)
      ? this.#profiles.map((old) => (old.code === code ? { ...old, ...change } : old))
      : [...this.#profiles, { ...unknownLabeler(code), ...change }];
    this.#context.change({ labelers });
  }

  #check(code: string, simulated: boolean): void {
    const problem =
      code === '' || code === SIMULATED_PREFIX
        ? 'A labeler needs a name or a code.'
        : code.length > MAX_NAME
          ? `A name has at most ${MAX_NAME} characters.`
          : this.#profiles.some((labeler) => labeler.code === code)
            ? `There is a labeler called “${code}” already.`
            : isSimulatedName(code) !== simulated
              ? `Names of simulated labelers, and no others, begin with “${SIMULATED_PREFIX}”.`
              : null;
    if (problem !== null) throw refused(problem);
  }

  // Guidelines

  get guidelines(): readonly Guideline[] {
    return this.#context.record().guidelines ?? [DEFAULT_GUIDELINE];
  }
  get guideline(): Guideline {
    return this.guidelines.at(-1) ?? DEFAULT_GUIDELINE;
  }

  /** Stores the next version; the same text as now is none. */
  saveGuideline(text: string): Guideline {
    const before = this.guideline;
    if (text.trim() === before.text) return before;
    const next = { version: before.version + 1, text: text.trim(), createdAt: Date.now() };
    this.#context.change({ guidelines: [...this.guidelines, next] });
    return next;
  }

  // Unfinished rankings of the labeler at work

  get drafts(): readonly RankingDraft[] {
    const code = this.#context.preferences.labeler;
    return (this.#context.record().drafts ?? []).filter(({ labeler }) => labeler === code);
  }
  draftOf(setId: string): RankingDraft | null {
    return this.drafts.find((draft) => draft.setId === setId) ?? null;
  }
  saveDraft(draft: RankingDraft): void {
    this.#context.change({ drafts: [...this.#otherDrafts(draft), draft] });
  }
  removeDraft(setId: string): void {
    const draft = this.draftOf(setId);
    if (draft !== null) this.#context.change({ drafts: this.#otherDrafts(draft) });
  }
  #otherDrafts({ labeler, setId }: Pick<RankingDraft, 'labeler' | 'setId'>): RankingDraft[] {
    return (this.#context.record().drafts ?? []).filter(
      (draft) => draft.labeler !== labeler || draft.setId !== setId,
    );
  }

  // Harmful texts read

  get exposures(): readonly Exposure[] {
    return this.#context.record().exposures ?? [];
  }
  /** Texts that the labeler at work has read today. */
  get exposedToday(): number {
    const code = this.#context.preferences.labeler;
    const day = localDay();
    return this.exposures.find((e) => e.labeler === code && e.day === day)?.texts ?? 0;
  }
  noteExposure(texts = 1): void {
    const labeler = this.#context.preferences.labeler;
    const day = localDay();
    const others = this.exposures.filter((e) => e.labeler !== labeler || e.day !== day);
    this.#context.change({
      exposures: [...others, { labeler, day, texts: this.exposedToday + texts }],
    });
  }
}
