/**
 * Which demonstrations are held out. Drawn here and nowhere else: the table shows the marks, and
 * training holds out exactly what is marked.
 */
import type { Demonstration } from '../core/domain';
import { hashText, STREAM, uniform } from '../core/rng';

/**
 * The demonstrations with `ratio` of them held out. The draw goes by seed and prompt: copies of a
 * prompt never stand on both sides, and what is added later moves nothing that was there. As the
 * draw is by chance, a short list is put right: one is held out where the share asks for one, and one
 * is always left to train on.
 * @param beside demonstrations that keep their marks
 */
export function splitHeldOut(
  demonstrations: readonly Demonstration[],
  { ratio, seed, beside }: { ratio: number; seed: number; beside: readonly Demonstration[] },
): Demonstration[] {
  const held = new Map(beside.map(({ prompt, heldOut }) => [prompt, heldOut]));
  const draws = new Map<string, number>();
  for (const { prompt } of demonstrations) {
    if (held.has(prompt)) continue;
    draws.set(prompt, uniform(seed, STREAM.split, hashText(prompt)));
  }
  for (const [prompt, draw] of draws) held.set(prompt, draw < ratio);
  const nearest = [...draws].sort(([, a], [, b]) => a - b).map(([prompt]) => prompt);
  const [first, last] = [nearest[0], nearest.at(-1)];
  const marks = (): boolean[] => [...held.values()];
  if (first !== undefined && Math.round(ratio * held.size) > 0 && !marks().includes(true)) {
    held.set(first, true);
  }
  if (last !== undefined && !marks().includes(false)) held.set(last, false);
  return demonstrations.map((one) => ({ ...one, heldOut: held.get(one.prompt)! }));
}
