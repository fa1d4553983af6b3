/** How much is done: a little on every change, the full numbers with SOAK=1 (`npm run test:soak`). */

export interface SoakPlan {
  full: boolean;
  /** The second of four parts is `2/4`: a long suite can be run piece by piece. */
  part: number;
  parts: number;
}

/** The number for this run: `few` on every change, this part's share of `full` in a soak. */
export function amount(plan: SoakPlan, { few, full }: { few: number; full: number }): number {
  if (!plan.full) return few;
  const upTo = (part: number): number => Math.floor((full * part) / plan.parts);
  return upTo(plan.part) - upTo(plan.part - 1);
}

/** Where the counts of a part are kept, and what stands there. */
export function countsFile(
  { part, parts }: SoakPlan,
  name: string,
  counts: Record<string, number>,
): { path: string; content: string } {
  const record = { name, part, parts, date: new Date().toISOString(), counts };
  return {
    path: `.cache/soak/${name}.${part}-of-${parts}.json`,
    content: `${JSON.stringify(record, undefined, 2)}\n`,
  };
}
