/**
 * The preference card: whose preferences a project's models follow, as a plain record that goes into
 * every export. It counts people and names groups; it names no person.
 */
import type { ElectorateRecord } from './experiments';
import { agreementReport, NO_GROUP, type AgreementReport } from './agreement-report';
import type { Estimate } from './bootstrap';
import { comparisonsOf } from './comparisons';
import type { Project, Ranking, Run } from './domain';
import { DEFAULT_GUIDELINE } from './guideline';
import { suggestedFlags } from './harm-lexicon';
import type { Guideline, Labeler } from './people';
import type { Sliced } from './slices';

/** Accuracy of a reward model on rankings that it never saw. */
export interface AccuracyByGroup {
  /** The labelers whose rankings it was trained on. */
  trainedOn: string;
  /** The group whose held-out rankings it was tried on. */
  judgedBy: string;
  accuracy: number;
  low: number | null;
  high: number | null;
  /** Comparisons that it rests on. */
  pairs: number;
}

interface Counts {
  rankings: number;
  ranked: number;
  allBad: number;
  skipped: number;
  /** Silent repeats among them. */
  repeats: number;
  /** Given without being sure. */
  unsure: number;
}

interface Agreement {
  pairwise: Estimate;
  kendallW: Estimate;
  alpha: Estimate;
  selfConsistency: Estimate;
  sharedSets: number;
}

export interface PreferenceCard {
  format: 'rlhf-playground-preferences';
  version: 1;
  project: string;
  /** ms since the epoch: when the project was made and last changed. */
  from: number;
  to: number;
  people: Counts & {
    labelers: number;
    /** Who agreed that their rankings are used. */
    consented: number;
    groups: { name: string; labelers: number; rankings: number }[];
    /** `null` where no set was ranked by two people. */
    agreement: Agreement | null;
    /** Within and across groups. */
    agreementByGroup: { groups: [string, string]; pairwise: Estimate }[];
  };
  /** Made by rules; never pooled with people. */
  simulated: Counts & {
    labelers: {
      code: string;
      rankings: number;
      /** What it values, where its profile says so. */
      values: Labeler['simulated'];
    }[];
    agreement: Agreement | null;
  };
  /** Files that rankings came from. */
  importedFiles: number;
  guidelines: (Pick<Guideline, 'version' | 'text'> & { rankings: number })[];
  /** Rankings that name no version. */
  withoutGuideline: number;
  harm: {
    /** Outputs in rankings that the reward model reads. */
    outputs: number;
    byPeople: number;
    /** By the word list alone; it suggests and decides nothing. */
    byLexicon: number;
    /** Comparisons of one such output with one that is not. */
    comparisons: number;
  };
  rewardModel: {
    trained: boolean;
    /** On held-out rankings, 0 … 1. */
    accuracy: number | null;
    /** Comparisons that this rests on. */
    pairs: number | null;
    byGroup: AccuracyByGroup[];
  };
  heldOut: {
    /** Share of the rankings that the reward model is tried on and never reads. */
    rankings: number | null;
    demonstrations: number;
    /** Labelers whose rankings do not count, and whose count otherwise than 1. */
    labelersLeftOut: number;
    labelersWeighted: number;
  };
  exposure: {
    /** Harmful texts read, over all days. */
    texts: number;
    labelers: number;
    /** Pairs of a labeler and a day. */
    days: number;
    /** Most by one labeler on one day. */
    most: number;
  };
  limits: string[];
}

export interface CardInput {
  project: Project;
  /** Those that count: all of the project's, or those that a model was trained on. */
  rankings: readonly Ranking[];
  demonstrations: readonly { heldOut: boolean }[];
  /** Where it has been worked out already: of the people among the rankings, and of the rules. */
  agreement?: { people: AgreementReport; rules: AgreementReport | null };
  /** The run whose reward model counts; null: none. */
  reward: Pick<Run, 'config' | 'finalRow'> | null;
}

/** As the last experiment with electorates found it. */
const accuracyByGroup = (record: ElectorateRecord | undefined): AccuracyByGroup[] =>
  (record?.models ?? []).flatMap(({ name, accuracy }) =>
    (accuracy ?? []).flatMap(({ value, low, high, count }, i) =>
      value === null
        ? []
        : [
            {
              trainedOn: name,
              judgedBy: record!.judges[i]!.name,
              accuracy: value,
              low,
              high,
              pairs: count,
            },
          ],
    ),
  );

/** Sums up a project. */
export function* preferenceCard(input: CardInput): Sliced<PreferenceCard> {
  const { project, rankings, demonstrations, reward } = input;
  const profiles = project.labelers ?? [];
  const byPeople = rankings.filter(({ simulated }) => !simulated);
  const byRules = rankings.filter(({ simulated }) => simulated);
  const people = input.agreement?.people ?? (yield* agreementReport(byPeople, profiles));
  const rules = input.agreement?.rules ?? (yield* agreementReport(byRules, profiles));
  const harm = yield* harmfulOutputs(rankings, project.electorate ?? {});
  const codes = [...new Set(byPeople.map(({ labeler }) => labeler))];
  const card: Omit<PreferenceCard, 'limits'> = {
    format: 'rlhf-playground-preferences',
    version: 1,
    project: project.name,
    from: project.createdAt,
    to: project.updatedAt,
    people: {
      ...countsOf(byPeople),
      labelers: codes.length,
      consented: codes.filter((code) =>
        profiles.some((one) => one.code === code && one.consentedAt !== null),
      ).length,
      groups: groupsOf(codes, byPeople, profiles),
      agreement: agreementOf(people),
      agreementByGroup: people.groups.flatMap((a, i) =>
        people.groups.slice(i).map((b, j) => ({
          groups: [a, b] as [string, string],
          pairwise: people.byGroup[i]![i + j]!,
        })),
      ),
    },
    simulated: {
      ...countsOf(byRules),
      labelers: [...new Set(byRules.map(({ labeler }) => labeler))].map((code) => ({
        code,
        rankings: byRules.filter(({ labeler }) => labeler === code).length,
        values: profiles.find((one) => one.code === code)?.simulated ?? null,
      })),
      agreement: agreementOf(rules),
    },
    importedFiles: new Set(
      rankings.flatMap(({ source }) =>
        source === undefined ? [] : [`${source.importedAt} ${source.file}`],
      ),
    ).size,
    guidelines: guidelinesOf(project.guidelines ?? [DEFAULT_GUIDELINE], rankings),
    withoutGuideline: rankings.filter(({ guideline }) => guideline === undefined).length,
    harm,
    rewardModel: {
      trained: reward !== null,
      accuracy: reward?.finalRow?.['eval_accuracy'] ?? null,
      pairs: reward?.finalRow?.['eval_pairs'] ?? null,
      byGroup: accuracyByGroup(project.experiments?.electorate),
    },
    heldOut: {
      rankings: numberOr(reward?.config['held_out_ratio'], null),
      demonstrations: demonstrations.filter(({ heldOut }) => heldOut).length,
      labelersLeftOut: Object.values(project.electorate ?? {}).filter((w) => w === 0).length,
      labelersWeighted: Object.values(project.electorate ?? {}).filter((w) => w !== 0 && w !== 1)
        .length,
    },
    exposure: exposureOf(project),
  };
  return { ...card, limits: limitsOf(card) };
}

const numberOr = <T>(value: unknown, otherwise: T): number | T =>
  typeof value === 'number' ? value : otherwise;

const countsOf = (rankings: readonly Ranking[]): Counts => ({
  rankings: rankings.length,
  ranked: rankings.filter(({ outcome }) => outcome === 'ranked').length,
  allBad: rankings.filter(({ outcome }) => outcome === 'all-bad').length,
  skipped: rankings.filter(({ outcome }) => outcome === 'skipped').length,
  repeats: rankings.filter(({ repeatOf }) => repeatOf !== undefined).length,
  unsure: rankings.filter(({ unsure }) => unsure === true).length,
});

const agreementOf = (report: AgreementReport): Agreement | null =>
  report.sharedSets === 0 && report.selfConsistency.count === 0
    ? null
    : {
        pairwise: report.pairwise,
        kendallW: report.kendallW,
        alpha: report.alpha,
        selfConsistency: report.selfConsistency,
        sharedSets: report.sharedSets,
      };

function groupsOf(
  codes: readonly string[],
  rankings: readonly Ranking[],
  profiles: readonly Labeler[],
): PreferenceCard['people']['groups'] {
  const groups = new Map<string, { labelers: number; rankings: number }>();
  const given = new Map<string, number>();
  for (const { labeler } of rankings) given.set(labeler, (given.get(labeler) ?? 0) + 1);
  for (const code of codes) {
    const named = profiles.find((one) => one.code === code)?.groups ?? [];
    for (const name of named.length === 0 ? [NO_GROUP] : named) {
      const group = groups.get(name) ?? { labelers: 0, rankings: 0 };
      groups.set(name, group);
      group.labelers++;
      group.rankings += given.get(code) ?? 0;
    }
  }
  return [...groups].map(([name, counts]) => ({ name, ...counts }));
}

const guidelinesOf = (
  guidelines: readonly Guideline[],
  rankings: readonly Ranking[],
): PreferenceCard['guidelines'] =>
  guidelines
    .map(({ version, text }) => ({
      version,
      text,
      rankings: rankings.filter(({ guideline }) => guideline === version).length,
    }))
    // Versions that nobody ranked under are history, unless it is the one in force.
    .filter((one, i, all) => one.rankings > 0 || i === all.length - 1);

const PORTION = 10;

/** Counts of outputs in rankings that count for the reward model. */
function* harmfulOutputs(
  rankings: readonly Ranking[],
  electorate: Readonly<Record<string, number>>,
): Sliced<PreferenceCard['harm']> {
  const suggested = new Map<string, boolean>();
  const harm = { outputs: 0, byPeople: 0, byLexicon: 0, comparisons: 0 };
  const weight = new Map(Object.entries(electorate));
  for (const [i, { outcome, completions, flags, labeler, ranks }] of rankings.entries()) {
    if (outcome !== 'ranked' || weight.get(labeler) === 0) continue;
    const harmful = completions.map((text, k) => {
      harm.outputs++;
      if ((flags[k]?.length ?? 0) > 0) {
        harm.byPeople++;
        return true;
      }
      const found = suggested.get(text) ?? suggestedFlags(text).length > 0;
      suggested.set(text, found);
      if (found) harm.byLexicon++;
      return found;
    });
    harm.comparisons += comparisonsOf(ranks).filter(
      ({ winner, loser }) => harmful[winner] !== harmful[loser],
    ).length;
    if (i % PORTION === 0) yield;
  }
  return harm;
}

function exposureOf({ exposures = [] }: Project): PreferenceCard['exposure'] {
  return {
    texts: exposures.reduce((sum, { texts }) => sum + texts, 0),
    labelers: new Set(exposures.map(({ labeler }) => labeler)).size,
    days: exposures.length,
    most: exposures.reduce((most, { texts }) => Math.max(most, texts), 0),
  };
}

/** Below these numbers a card says so. */
const FEW = { rankings: 50, labelers: 5, groupRankings: 20, sharedSets: 20, harmComparisons: 30 };

/** What cannot be concluded, in words. */
function limitsOf(card: Omit<PreferenceCard, 'limits'>): string[] {
  const { people, simulated, harm, rewardModel, heldOut } = card;
  const few = people.groups.filter(({ rankings }) => rankings < FEW.groupRankings);
  const says = (holds: boolean, text: string): string[] => (holds ? [text] : []);
  return [
    ...says(people.rankings === 0, 'No person ranked: these are nobody’s preferences.'),
    ...says(
      people.rankings > 0 && people.labelers < FEW.labelers,
      `Only ${people.labelers === 1 ? 'one person' : `${people.labelers} people`} ranked. They stand for themselves and for nobody else.`,
    ),
    ...says(
      people.rankings > 0 && people.ranked < FEW.rankings,
      `${people.ranked} rankings by people are few: chance decides much of what a reward model learns from them.`,
    ),
    ...says(
      people.labelers > 1 && (people.agreement?.sharedSets ?? 0) < FEW.sharedSets,
      `Only ${people.agreement?.sharedSets ?? 0} sets were ranked by more than one person: how far people agree is a rough guess.`,
    ),
    ...says(
      people.groups.length === 1 && people.groups[0]!.name === NO_GROUP,
      'Nobody said to which groups the labelers belong: who is missing cannot be seen.',
    ),
    ...few.map(
      ({ name, rankings }) =>
        `Under-represented: ${name === NO_GROUP ? 'labelers without a group' : `“${name}”`} with ${rankings} of ${people.rankings} rankings.`,
    ),
    ...says(
      people.labelers > people.consented,
      `${people.labelers - people.consented} of ${people.labelers} labelers have not said that their rankings may be used.`,
    ),
    ...says(
      simulated.rankings > 0,
      `${simulated.rankings} of ${people.rankings + simulated.rankings} rankings were made by rules, not by people.`,
    ),
    ...says(
      harm.outputs > 0 && harm.comparisons < FEW.harmComparisons,
      `Only ${harm.comparisons} comparisons set a harmful output against a harmless one: whether the reward model tells them apart is not known.`,
    ),
    ...says(!rewardModel.trained, 'No reward model has been trained on these rankings.'),
    ...says(
      rewardModel.trained && rewardModel.byGroup.length === 0,
      'The reward model’s accuracy was not measured for each group.',
    ),
    ...says(
      heldOut.labelersLeftOut > 0,
      `The rankings of ${heldOut.labelersLeftOut} labelers were left out of the reward model.`,
    ),
    'A small model on few texts, made to learn from. Nothing here was checked for safety.',
  ];
}
