/** Agreement and the preference card of a project, worked out while the page stays responsive. */
import { agreementReport, type AgreementReport } from '../core/agreement-report';
import { preferenceCard, type CardInput, type PreferenceCard } from '../core/preference-card';
import { inSlices } from '../core/slices';
import type { ProjectState } from './project.svelte';

/** What the card of a project is made of, as it is now. */
export function cardInput(project: ProjectState): CardInput {
  const { record, rankings, demonstrations } = project;
  return {
    project: { ...record, labelers: [...project.people.labelers] },
    rankings,
    demonstrations,
    reward: project.transport.byId(record.runs.reward),
  };
}

/** The same for the rankings of people, or of simulated labelers. */
export const agreementOf = (
  project: ProjectState,
  { simulated }: { simulated: boolean },
): ReturnType<typeof agreementReport> =>
  agreementReport(
    project.rankings.filter((ranking) => ranking.simulated === simulated),
    project.people.labelers,
  );

export class PeopleReport {
  people: AgreementReport | null = $state.raw(null);
  /** Null where no rule has ranked. */
  simulated: AgreementReport | null = $state.raw(null);
  card: PreferenceCard | null = $state.raw(null);
  working = $state(false);
  readonly #project: ProjectState;
  /** Counts what was asked for: only the last one is wanted. */
  #asked = 0;

  constructor(project: ProjectState) {
    this.#project = project;
  }

  /**
   * Works everything out again when rankings, labelers or the reward model have changed; to be called
   * in an effect. Returns what ends it.
   */
  follow(): () => void {
    const input = cardInput(this.#project);
    const people = agreementOf(this.#project, { simulated: false });
    const simulated = this.#project.rankings.some((ranking) => ranking.simulated)
      ? agreementOf(this.#project, { simulated: true })
      : null;
    const mine = ++this.#asked;
    const wanted = (): boolean => mine === this.#asked;
    void this.#work(input, people, simulated, wanted);
    return () => {
      this.#asked++;
    };
  }

  async #work(
    input: CardInput,
    people: ReturnType<typeof agreementReport>,
    simulated: ReturnType<typeof agreementReport> | null,
    wanted: () => boolean,
  ): Promise<void> {
    this.working = true;
    const ofPeople = await inSlices(people, wanted);
    if (ofPeople === null) return;
    this.people = ofPeople;
    const ofRules = simulated === null ? null : await inSlices(simulated, wanted);
    if (!wanted()) return;
    this.simulated = ofRules;
    const agreement = { people: ofPeople, rules: ofRules };
    const card = await inSlices(preferenceCard({ ...input, agreement }), wanted);
    if (card === null) return;
    this.card = card;
    this.working = false;
  }
}
