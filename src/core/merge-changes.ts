/** Class merge: from an accepted plan to what is stored, and back. */
import type { Ranking } from './domain';
import type { ConflictChoice, MergePlan, OurSide } from './merge-rankings';
import type { Exposure, Guideline, Labeler } from './people';
import { without } from './without';

/** Everything that an import changes; applied at once or not at all. */
export interface MergeChanges {
  add: Ranking[];
  /** Of the project, replaced by another answer. */
  remove: Ranking[];
  labelers: Labeler[];
  guidelines: Guideline[];
  exposures: Exposure[];
}

/**
 * The plan with each conflict decided.
 * @param choices by the place of the conflict; those without one keep ours
 * @param firstSeq of the rankings that come in
 */
export function mergeChanges(
  plan: MergePlan,
  choices: ReadonlyMap<number, ConflictChoice>,
  firstSeq: number,
): MergeChanges {
  const add = new Map(plan.added.map((ranking) => [ranking.id, ranking]));
  const remove: Ranking[] = [];
  /** What stands in the place of a ranking that was replaced. */
  const replaced = new Map<string, Ranking>();
  const standing = (ranking: Ranking): Ranking => {
    let now = ranking;
    for (let next = replaced.get(now.id); next !== undefined; next = replaced.get(now.id))
      now = next;
    return now;
  };
  for (const [i, { ours, theirs }] of plan.conflicts.entries()) {
    const choice = choices.get(i) ?? 'ours';
    if (choice === 'ours') continue;
    const current = standing(ours);
    if (choice === 'both') {
      add.set(theirs.id, { ...theirs, repeatOf: current.repeatOf ?? current.id });
      continue;
    }
    // What repeated the old answer repeats the new one.
    const alone = without(theirs, 'repeatOf');
    add.set(
      theirs.id,
      current.repeatOf === undefined ? alone : { ...alone, repeatOf: current.repeatOf },
    );
    if (!add.delete(current.id)) remove.push(current);
    replaced.set(current.id, theirs);
  }
  const now = (id: string): string => {
    let found = id;
    for (let next = replaced.get(found); next !== undefined; next = replaced.get(found)) {
      found = next.id;
    }
    return found;
  };
  const added = [...add.values()].map((ranking, i) => ({
    ...ranking,
    ...(ranking.repeatOf === undefined ? {} : { repeatOf: now(ranking.repeatOf) }),
    seq: firstSeq + i,
  }));
  const present = new Set(added.map(({ labeler }) => labeler));
  return {
    add: added,
    remove,
    labelers: plan.labelers.filter(({ code }) => present.has(code)),
    guidelines: added.length === 0 ? [] : plan.guidelines,
    exposures: plan.exposures,
  };
}

/** The lists of a project's record after an import. */
export function mergedRecords(
  ours: Pick<OurSide, 'guidelines' | 'exposures'> & { labelers: readonly Labeler[] },
  { labelers, guidelines, exposures }: MergeChanges,
): { labelers: Labeler[]; guidelines: Guideline[]; exposures: Exposure[] } {
  const known = new Map([...ours.labelers, ...labelers].map((one) => [one.code, one]));
  const day = ({ labeler, day }: Exposure): string => `${day} ${labeler}`;
  const days = new Map([...ours.exposures, ...exposures].map((one) => [day(one), one]));
  return {
    labelers: [...known.values()],
    guidelines: [...ours.guidelines, ...guidelines],
    exposures: [...days.values()],
  };
}
