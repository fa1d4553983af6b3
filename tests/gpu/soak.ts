/** The plan of a soak as vitest.config.ts hands it to the browser. */
import { inject } from 'vitest';
import { commands } from 'vitest/browser';
import { amount, countsFile, type SoakPlan } from '../soak-plan';

declare module 'vitest' {
  interface ProvidedContext {
    soak: SoakPlan;
  }
}

export const soakAmount = (numbers: { few: number; full: number }): number =>
  amount(inject('soak'), numbers);

/** Another draw in every part. */
export const soakSeed = (): number => inject('soak').part;

/** Keeps what a soak has counted; tools/soak puts the parts together. */
export async function keepCounts(name: string, counts: Record<string, number>): Promise<void> {
  const plan = inject('soak');
  if (!plan.full) return;
  const { path, content } = countsFile(plan, name, counts);
  // From the project's folder.
  await commands.writeFile(path, content);
}
