/** How much is done: a little on every change, the full numbers with SOAK=1 (`npm run test:soak`). */
import { mkdirSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';

const FULL = process.env['SOAK'] === '1';
/** `2/4`: the second of four parts, so that a long suite can be run piece by piece. */
const [PART, PARTS] = (process.env['SOAK_PART'] ?? '1/1').split('/').map(Number) as [
  number,
  number,
];

/** The number for this run: `few` on every change, this part's share of `full` in a soak. */
export function amount({ few, full }: { few: number; full: number }): number {
  if (!FULL) return few;
  return Math.floor((full * PART) / PARTS) - Math.floor((full * (PART - 1)) / PARTS);
}

/** Another draw in every part. */
export const soakSeed = (): number => PART;

/** Keeps what a soak has counted; tools/soak/soak.ts puts the parts together. */
export function keepCounts(name: string, counts: Record<string, number>): void {
  console.log(name, JSON.stringify(counts));
  if (!FULL) return;
  const folder = resolve('.cache/soak');
  mkdirSync(folder, { recursive: true });
  writeFileSync(
    resolve(folder, `${name}.${PART}-of-${PARTS}.json`),
    JSON.stringify({ name, part: PART, parts: PARTS, date: new Date().toISOString(), counts }),
  );
}
