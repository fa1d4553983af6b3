/** Class merge: who is who. Two people may use one code, and one person may send several files. */
import type { ClassFile } from './class-file';
import type { Ranking } from './domain';
import type { Labeler } from './people';

/** Code under which a labeler of a file comes in, by `personKey`. */
export type PersonChoices = Readonly<Record<string, string>>;

export const personKey = (file: string, code: string): string => JSON.stringify([file, code]);

/** A code that may stand for two people. */
export interface Clash {
  file: string;
  code: string;
  /** What speaks for two people, a sentence each. */
  reasons: string[];
  /** The code that the file's labeler gets; `code` itself: they are one person. */
  as: string;
  /** A code that nobody has. */
  free: string;
  rankings: number;
}

/** The name that a browser starts with: on thirty devices it is thirty people. */
const NAMELESS = 'me';

/** What is known of the people: ours first, then those of each file that was merged. */
export interface Claims {
  profiles: Map<string, Labeler>;
  /** Projects in which rankings under a code were made, where that is known. */
  madeIn: Map<string, Set<string>>;
  note: (ranking: Ranking) => void;
}

export function claimsOf(ours: {
  projectId: string;
  labelers: readonly Labeler[];
  rankings: readonly Ranking[];
}): Claims {
  const madeIn = new Map<string, Set<string>>();
  const note = ({ labeler, source }: Ranking): void => {
    const project = source === undefined ? ours.projectId : source.project;
    const projects = madeIn.get(labeler) ?? new Set();
    madeIn.set(labeler, projects);
    if (project !== undefined) projects.add(project);
  };
  for (const ranking of ours.rankings) note(ranking);
  return { profiles: new Map(ours.labelers.map((one) => [one.code, one])), madeIn, note };
}

export interface SettledPeople {
  clashes: Clash[];
  /** The code under which a labeler of the file comes in. */
  codeOf: (code: string) => string;
  /** Why a ranking of theirs cannot be taken, or null. */
  problem: (ranking: Ranking) => string | null;
}

/** Decides, or asks, who the labelers of one file are; their profiles join `claims`. */
export function settlePeople({
  name,
  file,
  claims,
  choices,
  rankings,
  knownAs,
  disagrees,
}: {
  name: string;
  file: ClassFile;
  claims: Claims;
  choices: PersonChoices;
  /** Of the file, under its own codes. */
  rankings: readonly Ranking[];
  /** Labeler here of a ranking with this id, or null. */
  knownAs: (id: string) => string | null;
  /** Whether the same code has answered the same set otherwise. */
  disagrees: (ranking: Ranking) => boolean;
}): SettledPeople {
  const profiles = new Map(file.labelers.map((labeler) => [labeler.code, labeler]));
  const codes = new Map<string, string>();
  const clashes: Clash[] = [];
  for (const code of new Set(rankings.map(({ labeler }) => labeler))) {
    const own = rankings.filter(({ labeler }) => labeler === code);
    const before = own.map(({ source }) => knownAs(source!.id!)).find((as) => as !== null);
    const { reasons, serious } = differences(code, own, profiles.get(code), claims, disagrees);
    const chosen = choices[personKey(name, code)];
    if (before !== undefined && before !== null && chosen === undefined) codes.set(code, before);
    else if (reasons.length === 0 && chosen === undefined) codes.set(code, code);
    else {
      const free = freeCode(code, claims, profiles);
      const as = chosen ?? (serious ? free : code);
      codes.set(code, as);
      clashes.push({ file: name, code, reasons, as, free, rankings: own.length });
    }
  }
  const codeOf = (code: string): string => codes.get(code) ?? code;
  for (const [code, as] of codes) {
    const profile = profiles.get(code);
    if (profile === undefined) continue;
    claims.profiles.set(as, together(claims.profiles.get(as), { ...profile, code: as }));
  }
  return {
    clashes,
    codeOf,
    problem: (ranking) => problemOf(ranking, profiles, claims, codeOf),
  };
}

/** What speaks for two people under one code; serious: their rankings must not be mixed unasked. */
function differences(
  code: string,
  own: readonly Ranking[],
  theirs: Labeler | undefined,
  { profiles, madeIn }: Claims,
  disagrees: (ranking: Ranking) => boolean,
): { reasons: string[]; serious: boolean } {
  const ours = profiles.get(code);
  const reasons: string[] = [];
  if (ours !== undefined && theirs !== undefined) {
    if ((ours.simulated === null) !== (theirs.simulated === null)) {
      reasons.push('One is a person, the other a simulated labeler.');
    }
    if (ours.groups.length > 0 && theirs.groups.length > 0 && !sameNames(ours, theirs)) {
      reasons.push(
        `Their groups differ: ${ours.groups.join(', ')} here, ${theirs.groups.join(', ')} there.`,
      );
    }
    const consents = [ours.consentedAt, theirs.consentedAt];
    if (!consents.includes(null) && consents[0] !== consents[1]) {
      reasons.push('They agreed to the use of their rankings at different times.');
    }
  }
  let serious = reasons.length > 0;
  const elsewhere = own.filter(({ source }) => {
    const projects = madeIn.get(code);
    const project = source?.project;
    return (
      projects !== undefined && projects.size > 0 && project !== undefined && !projects.has(project)
    );
  });
  if (elsewhere.length > 0) {
    const otherwise = elsewhere.filter(disagrees).length;
    reasons.push(
      otherwise === 0
        ? 'The rankings under this code were made on two devices.'
        : `The rankings under this code were made on two devices, and ${otherwise} of them answer the same set otherwise.`,
    );
    serious ||= otherwise > 0 || code === NAMELESS;
  }
  return { reasons, serious };
}

const sameNames = (a: Labeler, b: Labeler): boolean =>
  [...a.groups].sort().join('\n') === [...b.groups].sort().join('\n');

/** `code 2`, `code 3`, …: the first that is nobody's. */
function freeCode(code: string, claims: Claims, theirs: ReadonlyMap<string, Labeler>): string {
  for (let n = 2; ; n++) {
    const free = `${code} ${n}`;
    if (!claims.profiles.has(free) && !claims.madeIn.has(free) && !theirs.has(free)) return free;
  }
}

/** Our profile with what only the other one knows. */
function together(ours: Labeler | undefined, theirs: Labeler): Labeler {
  if (ours === undefined) return theirs;
  return {
    ...ours,
    groups: ours.groups.length > 0 ? ours.groups : theirs.groups,
    consentedAt: ours.consentedAt ?? theirs.consentedAt,
  };
}

/** Codes of rules that make rankings (core/simulated-labeler.ts). */
const SIMULATED_CODE = /^simulated:/i;

function problemOf(
  { labeler, simulated }: Ranking,
  theirs: ReadonlyMap<string, Labeler>,
  claims: Claims,
  codeOf: (code: string) => string,
): string | null {
  const profile = theirs.get(labeler) ?? claims.profiles.get(codeOf(labeler));
  const rule = SIMULATED_CODE.test(labeler) || (profile?.simulated ?? null) !== null;
  if (rule && !simulated) {
    return `“${labeler}” is a simulated labeler, and the ranking says that a person made it`;
  }
  if (simulated && profile !== undefined && profile.simulated === null) {
    return `“${labeler}” is a person, and the ranking is marked as simulated`;
  }
  if (profile === undefined && !rule) {
    return `its labeler “${labeler}” is neither among the labelers of the file nor known here`;
  }
  return null;
}
