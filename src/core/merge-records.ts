/** Class merge: what comes along with rankings: guidelines, the ledger of harmful texts, profiles. */
import type { ClassFile } from './class-file';
import type { MergePlan, OurSide } from './merge-rankings';
import type { Exposure, Labeler } from './people';

/**
 * Our version of each guideline of a file, by its text. A text that we do not have becomes a version
 * of ours; ours follows it once more, so that people go on under the text that they have.
 */
export function guidelineVersions(
  ours: OurSide,
  file: ClassFile,
  plan: MergePlan,
  now: number,
): Map<number, number> {
  const used = new Set(file.rankings.map(({ guideline }) => guideline));
  const versions = new Map<number, number>();
  for (const { version, text } of file.guidelines) {
    if (!used.has(version)) continue;
    const all = [...ours.guidelines, ...plan.guidelines];
    const same = all.find((one) => one.text === text);
    if (same !== undefined) {
      versions.set(version, same.version);
      continue;
    }
    const current = ours.guidelines.at(-1);
    const last = Math.max(0, ...all.map((one) => one.version));
    versions.set(version, last + 1);
    plan.guidelines.push({ version: last + 1, text, createdAt: now });
    if (current !== undefined) {
      plan.guidelines.push({ version: last + 2, text: current.text, createdAt: now });
    }
  }
  return versions;
}

/** A file that comes twice must not count twice: of two numbers for one day the higher one stands. */
export function mergeExposures(
  ours: OurSide,
  file: ClassFile,
  plan: MergePlan,
  codeOf: (code: string) => string,
): void {
  for (const exposure of file.exposures) {
    const labeler = codeOf(exposure.labeler);
    const here = (other: Exposure): boolean =>
      other.labeler === labeler && other.day === exposure.day;
    const planned = plan.exposures.find(here);
    const before = planned ?? ours.exposures.find(here);
    if (before !== undefined && before.texts >= exposure.texts) continue;
    if (planned === undefined) plan.exposures.push({ ...exposure, labeler });
    else planned.texts = exposure.texts;
  }
}

/** Profiles of those whose rankings come in: new ones, and ours with what the file knows better. */
export function changedLabelers(
  ours: readonly Labeler[],
  { added, conflicts }: MergePlan,
  profiles: ReadonlyMap<string, Labeler>,
): Labeler[] {
  const codes = new Set([...added, ...conflicts.map(({ theirs }) => theirs)].map((r) => r.labeler));
  return [...codes].flatMap((code) => {
    const profile = profiles.get(code);
    const before = ours.find((one) => one.code === code);
    return profile === undefined || JSON.stringify(profile) === JSON.stringify(before)
      ? []
      : [profile];
  });
}
