/**
 * Whose rankings count: the electorate of a reward model, by labeler and by group, and which groups have
 * too little of it to be heard.
 */
import type { Ranking } from './domain';
import type { Labeler } from './people';

/** How much the rankings of a labeler count, by code: 0 leaves them out; labelers not named count 1. */
export type Electorate = Readonly<Record<string, number>>;

/** The weight of a labeler's rankings. Names are data: `constructor` is no weight. */
export const weightOf = (electorate: Electorate | undefined, labeler: string): number =>
  electorate !== undefined && Object.hasOwn(electorate, labeler) ? electorate[labeler]! : 1;

/** Labelers who are looked at together. */
export interface ElectorateGroup {
  name: string;
  /** Codes of its labelers. */
  labelers: string[];
  /** All of them are made of rules. */
  simulated: boolean;
}

/** The group of labelers that are in none. */
export const NO_GROUP = 'no group';

/** How many pairs a ranking decides; counted, not listed: this runs over ten thousand rankings. */
function pairsOf({ outcome, ranks }: Ranking): number {
  if (outcome !== 'ranked') return 0;
  let pairs = 0;
  for (let i = 0; i < ranks.length; i++) {
    for (let j = i + 1; j < ranks.length; j++) if (ranks[i] !== ranks[j]) pairs++;
  }
  return pairs;
}

/** What each labeler has given. */
interface Given {
  /** Rankings that decide at least one pair. */
  rankings: number;
  pairs: number;
  simulated: boolean;
}

function givenBy(rankings: readonly Ranking[]): Map<string, Given> {
  const given = new Map<string, Given>();
  for (const ranking of rankings) {
    const own = given.get(ranking.labeler) ?? { rankings: 0, pairs: 0, simulated: true };
    const pairs = pairsOf(ranking);
    if (pairs > 0) own.rankings++;
    own.pairs += pairs;
    own.simulated &&= ranking.simulated;
    given.set(ranking.labeler, own);
  }
  return given;
}

/** Labelers with a profile first, then those known by their rankings alone. */
function allLabelers(rankings: readonly Ranking[], profiles: readonly Labeler[]) {
  const given = givenBy(rankings);
  const codes = new Set([...profiles.map(({ code }) => code), ...given.keys()]);
  return [...codes].map((code) => {
    const profile = profiles.find((labeler) => labeler.code === code);
    const own = given.get(code);
    return {
      code,
      groups: profile?.groups ?? [],
      simulated: profile?.simulated != null || own?.simulated === true,
      ranked: own !== undefined && own.rankings > 0,
    };
  });
}

/**
 * The groups of a project: those that profiles name, also the ones that have ranked nothing, then the
 * labelers who ranked without being in one. Before there are groups, every labeler stands alone.
 * A labeler of two groups counts in both.
 */
export function electorateGroups(
  rankings: readonly Ranking[],
  profiles: readonly Labeler[],
): ElectorateGroup[] {
  const labelers = allLabelers(rankings, profiles);
  const names = [...new Set(labelers.flatMap(({ groups }) => groups))];
  const group = (name: string, members: typeof labelers): ElectorateGroup => ({
    name,
    labelers: members.map(({ code }) => code),
    simulated: members.every(({ simulated }) => simulated),
  });
  const ranked = labelers.filter((labeler) => labeler.ranked);
  if (names.length === 0) return ranked.map((labeler) => group(labeler.code, [labeler]));
  const without = ranked.filter(({ groups }) => groups.length === 0);
  return [
    ...names.map((name) =>
      group(
        name,
        labelers.filter(({ groups }) => groups.includes(name)),
      ),
    ),
    ...(without.length > 0 ? [group(NO_GROUP, without)] : []),
  ];
}

/** What a group, or one labeler, has given. */
export interface ElectorateShare {
  name: string;
  simulated: boolean;
  /** Rankings that decide at least one pair. */
  rankings: number;
  /** Pairs that they decide. */
  comparisons: number;
  /** Share of the reward model's loss, 0 … 1: a ranking counts by its labeler's weight. */
  share: number;
}

/** What each group has of the reward model's training. Shares of groups that overlap exceed 1. */
export function electorateShares(
  groups: readonly ElectorateGroup[],
  rankings: readonly Ranking[],
  electorate?: Electorate,
): ElectorateShare[] {
  const given = givenBy(rankings);
  const weigh = (codes: Iterable<string>): number =>
    [...codes].reduce(
      (sum, code) => sum + weightOf(electorate, code) * (given.get(code)?.rankings ?? 0),
      0,
    );
  const all = weigh(given.keys());
  return groups.map(({ name, simulated, labelers }) => {
    const own = [...new Set(labelers)].flatMap((code) => given.get(code) ?? []);
    return {
      name,
      simulated,
      rankings: own.reduce((sum, { rankings }) => sum + rankings, 0),
      comparisons: own.reduce((sum, { pairs }) => sum + pairs, 0),
      share: all === 0 ? 0 : weigh(new Set(labelers)) / all,
    };
  });
}

/** Fewer rankings teach a reward model next to nothing, and say little of a group. */
const FEW_RANKINGS = 10;
/**
 * A group with less than this part of an even share is named: the "four-fifths rule" of the United
 * States' Uniform Guidelines on Employee Selection Procedures (1978).
 */
const FAIR_PART = 0.8;

/** Held-out pairs by which a group can judge a model. */
export const ENOUGH_PAIRS = 20;

/** A sentence for each group that is hardly heard, with its numbers; none for groups with their share. */
export function underRepresented(shares: readonly ElectorateShare[]): string[] {
  if (shares.length < 2) return [];
  const even = 1 / shares.length;
  return shares
    .filter(({ rankings, share }) => rankings < FEW_RANKINGS || share < FAIR_PART * even)
    .map(({ name, rankings, share }) => {
      const has = `${rankings} ${rankings === 1 ? 'ranking' : 'rankings'}, ${percent(share)} of what the reward model learns from`;
      const few = rankings < FEW_RANKINGS ? ` Fewer than ${FEW_RANKINGS} say little.` : '';
      return `${name}: ${has}; an even share of ${shares.length} groups is ${percent(even)}.${few}`;
    });
}

const percent = (share: number): string => `${Math.round(100 * share)} %`;
