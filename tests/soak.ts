/** The plan of a soak for tests in Node; tests in the browser get it from vitest.config.ts. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { countsFile, type SoakPlan } from './soak-plan.ts';

export function soakPlan(): SoakPlan {
  const text = process.env['SOAK_PART'] ?? '1/1';
  const [part, parts] = text.split('/').map(Number);
  if (!Number.isInteger(part) || !Number.isInteger(parts) || part! < 1 || part! > parts!) {
    throw new Error(`SOAK_PART is "${text}", and should be like 2/4.`);
  }
  return { full: process.env['SOAK'] === '1', part: part!, parts: parts! };
}

/** Keeps what a soak has counted; tools/soak puts the parts together. */
export function keepCounts(name: string, counts: Record<string, number>): void {
  const plan = soakPlan();
  console.log(name, JSON.stringify(counts));
  if (!plan.full) return;
  const { path, content } = countsFile(plan, name, counts);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
}
