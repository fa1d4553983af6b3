/**
 * Class merge: rankings of many files beside those of a project. Nothing is changed here: the outcome
 * is a plan, which people look at, decide on, and accept or not.
 *
 * Sets are known by their texts and rankings by their labeler and set, so that files meet whatever
 * ids their devices gave.
 */
import { ranksByText, textOrders, type TextOrders } from './agreement';
import type { ClassFile, ClassRanking, ClassSet, Quarantined } from './class-file';
import type { CandidateSet, Ranking } from './domain';
import { claimsOf, settlePeople, type Clash, type PersonChoices } from './merge-people';
import type { Exposure, Guideline, Labeler } from './people';
import { changedLabelers, guidelineVersions, mergeExposures } from './merge-records';
import { competitionRanks } from './ranking-board';
import type { Sliced } from './slices';
import { without } from './without';

/** What the project has. */
export interface OurSide {
  projectId: string;
  origin: string;
  sets: readonly CandidateSet[];
  rankings: readonly Ranking[];
  labelers: readonly Labeler[];
  guidelines: readonly Guideline[];
  exposures: readonly Exposure[];
}

/** One file as it was read. */
export interface IncomingFile {
  name: string;
  file: ClassFile;
  quarantined: readonly Quarantined[];
}

/** The same labeler gave the same set two different answers. */
export interface Conflict {
  file: string;
  ours: Ranking;
  theirs: Ranking;
}
export type ConflictChoice = 'ours' | 'theirs' | 'both';

export interface FilePlan {
  name: string;
  /** Why nothing of it can be taken; null when something can. */
  refused: string | null;
  added: number;
  duplicates: number;
  conflicts: number;
  quarantined: number;
}

export interface MergePlan {
  files: FilePlan[];
  added: Ranking[];
  conflicts: Conflict[];
  quarantined: Quarantined[];
  clashes: Clash[];
  /** Profiles of labelers who are new or known better now. */
  labelers: Labeler[];
  /** Versions to append. */
  guidelines: Guideline[];
  /** Counts that are new or higher than ours. */
  exposures: Exposure[];
}

export interface MergeOptions {
  newId: () => string;
  /** ms since the epoch. */
  now: number;
  /** Under which code a labeler of a file comes in; absent: as seems best. */
  people?: PersonChoices;
}

/** Rankings between two interruptions. */
const PORTION = 25;

/** Everything that is known of rankings at one moment: ours, and what the plan adds. */
interface Known {
  orders: TextOrders;
  /** First answers and silent repeats by labeler and set. */
  slots: Map<string, { first: Ranking | null; repeats: Ranking[] }>;
  /** By id here, and by id where it was made. */
  ids: Map<string, Ranking>;
  /** Ours by their texts. */
  sets: Map<string, CandidateSet>;
}

const slotKey = (known: Known, { labeler, prompt, completions }: Ranking): string =>
  `${labeler.length} ${labeler} ${known.orders(prompt, completions).key}`;

function remember(known: Known, ranking: Ranking): void {
  known.ids.set(ranking.id, ranking);
  if (ranking.source?.id !== undefined) known.ids.set(ranking.source.id, ranking);
  const key = slotKey(known, ranking);
  const slot = known.slots.get(key) ?? { first: null, repeats: [] };
  known.slots.set(key, slot);
  if (ranking.repeatOf === undefined && slot.first === null) slot.first = ranking;
  else slot.repeats.push(ranking);
}

/** The same answer to the same texts. */
export function sameAnswer(orders: TextOrders, a: Ranking, b: Ranking): boolean {
  const [one, other] = [orders(a.prompt, a.completions), orders(b.prompt, b.completions)];
  if (one.key !== other.key || a.outcome !== b.outcome) return false;
  if (a.outcome !== 'ranked') return true;
  const theirs = ranksByText(other, b.ranks, b.completions);
  return ranksByText(one, a.ranks, a.completions).every((rank, i) => rank === theirs[i]);
}

/** What an import of these files would do. */
export function* planMerge(
  ours: OurSide,
  incoming: readonly IncomingFile[],
  options: MergeOptions,
): Sliced<MergePlan> {
  const known: Known = {
    orders: textOrders(),
    slots: new Map(),
    ids: new Map(),
    sets: new Map(),
  };
  for (const [i, set] of ours.sets.entries()) {
    known.sets.set(known.orders(set.prompt, textsOf(set)).key, set);
    if (i % PORTION === 0) yield;
  }
  for (const [i, ranking] of ours.rankings.entries()) {
    remember(known, ranking);
    if (i % PORTION === 0) yield;
  }
  const plan: MergePlan = {
    files: [],
    added: [],
    conflicts: [],
    quarantined: [],
    clashes: [],
    labelers: [],
    guidelines: [],
    exposures: [],
  };
  const claims = claimsOf(ours);
  for (const one of incoming) {
    const filePlan: FilePlan = {
      name: one.name,
      refused: refusal(ours, one, known),
      added: 0,
      duplicates: 0,
      conflicts: 0,
      quarantined: one.quarantined.length,
    };
    plan.files.push(filePlan);
    plan.quarantined.push(...one.quarantined);
    if (filePlan.refused !== null) continue;
    yield* mergeFile({ ours, one, known, plan, filePlan, claims, options });
  }
  plan.labelers = changedLabelers(ours.labelers, plan, claims.profiles);
  return plan;
}

const textsOf = ({ completions }: ClassSet | CandidateSet): string[] =>
  completions.map(({ text }) => text);

function refusal(ours: OurSide, { file, quarantined }: IncomingFile, known: Known): string | null {
  const related =
    file.origin === ours.origin ||
    file.sets.some((set) => known.sets.has(known.orders(set.prompt, textsOf(set)).key));
  if (!related) {
    return `It belongs to another project (“${file.project}”): none of its texts is known here.`;
  }
  return file.rankings.length === 0 && quarantined.length === 0
    ? 'There are no rankings in it: it is a file of sets to rank.'
    : null;
}

interface FileMerge {
  ours: OurSide;
  one: IncomingFile;
  known: Known;
  plan: MergePlan;
  filePlan: FilePlan;
  claims: ReturnType<typeof claimsOf>;
  options: MergeOptions;
}

function* mergeFile(merge: FileMerge): Sliced<void> {
  const { ours, one, known, plan, filePlan, claims, options } = merge;
  const { file, name } = one;
  const sets = new Map(file.sets.map((set) => [set.id, set]));
  const guidelines = guidelineVersions(ours, file, plan, options.now);
  const prepared: { index: number; theirs: ClassRanking; ranking: Ranking }[] = [];
  for (const [index, theirs] of file.rankings.entries()) {
    const ranking = prepare(theirs, sets.get(theirs.set)!, merge, guidelines);
    prepared.push({ index, theirs, ranking });
    if (index % PORTION === 0) yield;
  }
  yield;
  const people = settlePeople({
    name,
    file,
    claims,
    choices: options.people ?? {},
    rankings: prepared.map(({ ranking }) => ranking),
    knownAs: (id) => known.ids.get(id)?.labeler ?? null,
    disagrees: (ranking) => {
      if (ranking.repeatOf !== undefined) return false;
      const first = known.slots.get(slotKey(known, ranking))?.first ?? null;
      return first !== null && !sameAnswer(known.orders, first, ranking);
    },
  });
  plan.clashes.push(...people.clashes);
  /** New ids by the file's, for silent repeats. */
  const taken = new Map<string, string>();
  /** Rankings that one of this file is, or is the same as: two equal repeats are two. */
  const matched = new Set<Ranking>();
  const firstsFirst = [
    ...prepared.filter(({ theirs }) => theirs.repeatOf === undefined),
    ...prepared.filter(({ theirs }) => theirs.repeatOf !== undefined),
  ];
  for (const [count, { index, theirs, ranking }] of firstsFirst.entries()) {
    if (count % PORTION === 0) yield;
    const problem = people.problem(ranking);
    if (problem !== null) {
      quarantine(merge, index, problem);
      continue;
    }
    ranking.labeler = people.codeOf(ranking.labeler);
    if (theirs.repeatOf !== undefined) {
      const slot = known.slots.get(slotKey(known, ranking));
      const first = taken.get(theirs.repeatOf) ?? slot?.first?.id;
      // Without the answer that it repeats it is the first one.
      if (first === undefined) delete ranking.repeatOf;
      else ranking.repeatOf = first;
    }
    const found = match(known, ranking, matched);
    if (found === null) {
      plan.added.push(ranking);
      filePlan.added++;
      taken.set(theirs.id, ranking.id);
      matched.add(ranking);
      remember(known, ranking);
      claims.note(ranking);
      continue;
    }
    if (found.simulated !== ranking.simulated) {
      quarantine(
        merge,
        index,
        `it is marked as ${markOf(ranking)} and is here as ${markOf(found)}; marks are never changed`,
      );
      continue;
    }
    matched.add(found);
    taken.set(theirs.id, found.id);
    if (sameAnswer(known.orders, found, ranking)) filePlan.duplicates++;
    else {
      plan.conflicts.push({ file: name, ours: found, theirs: ranking });
      filePlan.conflicts++;
    }
  }
  mergeExposures(ours, file, plan, people.codeOf);
}

const markOf = ({ simulated }: Ranking): string =>
  simulated ? 'made by a simulated labeler' : 'made by a person';

function quarantine({ plan, filePlan, one }: FileMerge, index: number, reason: string): void {
  plan.quarantined.push({ file: one.name, where: `rankings ${index + 1}`, reason });
  filePlan.quarantined++;
}

/** The ranking of ours that this one is, or answers otherwise; null when it is new. */
function match(known: Known, ranking: Ranking, matched: ReadonlySet<Ranking>): Ranking | null {
  const byId = known.ids.get(ranking.source!.id!);
  if (byId !== undefined) return byId;
  const slot = known.slots.get(slotKey(known, ranking));
  if (slot === undefined) return null;
  if (ranking.repeatOf === undefined) return slot.first;
  return (
    slot.repeats.find((one) => !matched.has(one) && sameAnswer(known.orders, one, ranking)) ?? null
  );
}

/** A ranking of the file as a record of this project, in the order of our set's completions. */
function prepare(
  theirs: ClassRanking,
  set: ClassSet,
  { ours, one, known, options }: FileMerge,
  guidelines: ReadonlyMap<number, number>,
): Ranking {
  const { madeIn, id, ranks, flags, ratings, order, guideline, repeatOf } = theirs;
  const texts = textsOf(set);
  const own = known.sets.get(known.orders(set.prompt, texts).key);
  const completions = own === undefined ? texts : textsOf(own);
  const places = placesOf(completions, texts);
  const version = guideline === undefined ? undefined : guidelines.get(guideline);
  return {
    ...without(theirs, 'set', 'madeIn', 'ratings', 'guideline', 'repeatOf'),
    id: options.newId(),
    projectId: ours.projectId,
    setId: own?.id ?? null,
    prompt: set.prompt,
    completions,
    ranks:
      ranks.length === 0
        ? []
        : competitionRanks(places.map((i) => ranks[i]!)).map((rank) => rank ?? 1),
    flags: flags.length === 0 ? completions.map(() => []) : places.map((i) => flags[i]!),
    order: order.map((place) => places.indexOf(place)),
    ...(ratings === undefined || ratings.length === 0
      ? {}
      : { ratings: places.map((i) => ratings[i]!) }),
    ...(version === undefined ? {} : { guideline: version }),
    ...(repeatOf === undefined ? {} : { repeatOf }),
    source: {
      file: one.name,
      importedAt: options.now,
      id,
      project: madeIn ?? one.file.madeIn,
    },
    seq: 0,
  };
}

/** `places[i]` is where text i of ours stands among theirs. */
function placesOf(ours: readonly string[], theirs: readonly string[]): number[] {
  const free = theirs.map((text, place) => ({ text, place, taken: false }));
  return ours.map((text) => {
    const found = free.find((one) => !one.taken && one.text === text)!;
    found.taken = true;
    return found.place;
  });
}
