import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Demonstration } from '../../../src/core/domain';
import { splitHeldOut } from '../../../src/state/held-out';
import { aState } from './parts';

const demonstrations = (prompts: readonly string[]): Demonstration[] =>
  prompts.map((prompt, seq) => ({
    id: `d${seq}`,
    projectId: 'p1',
    prompt,
    completion: 'x',
    heldOut: false,
    seq,
  }));
const numbered = (count: number): string[] =>
  Array.from({ length: count }, (_, i) => `prompt ${i}`);
const heldOf = (list: readonly Demonstration[]): string[] =>
  list.filter(({ heldOut }) => heldOut).map(({ prompt }) => prompt);

describe('the held-out split', () => {
  it('takes about the share that was asked for, another with another seed', () => {
    const all = demonstrations(numbered(1000));
    const held = heldOf(splitHeldOut(all, { ratio: 0.15, seed: 1, beside: [] }));
    expect(held.length).toBeGreaterThan(115);
    expect(held.length).toBeLessThan(185);
    expect(heldOf(splitHeldOut(all, { ratio: 0.15, seed: 2, beside: [] }))).not.toEqual(held);
  });

  it('holds out one where the share asks for one, leaves one to train on, and parts no copies', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'), { minLength: 1 }),
        fc.integer({ min: 0, max: 50 }).map((percent) => percent / 100),
        fc.nat(1000),
        (prompts, ratio, seed) => {
          const split = splitHeldOut(demonstrations(prompts), { ratio, seed, beside: [] });
          const held = new Set(heldOf(split));
          const distinct = new Set(prompts).size;
          expect(split.some(({ heldOut }) => !heldOut)).toBe(true);
          if (ratio === 0) expect(held.size).toBe(0);
          if (distinct > 1 && Math.round(ratio * distinct) > 0)
            expect(held.size).toBeGreaterThan(0);
          for (const { prompt, heldOut } of split) expect(heldOut).toBe(held.has(prompt));
        },
      ),
    );
  });

  it('moves nothing that was there when more is added', () => {
    const { project } = aState();
    const block = (prompt: string): string => `Prompt: ${prompt}\nResponse: x`;
    project.addDemonstrations(numbered(40).map(block).join('\n\n'));
    const before = heldOf(project.demonstrations);
    expect(before.length).toBeGreaterThan(0);
    project.addDemonstrations(['prompt 3', 'new one', 'new two'].map(block).join('\n\n'));
    expect(heldOf(project.demonstrations.slice(0, 40))).toEqual(before);
    expect(project.demonstrations[40]?.heldOut).toBe(before.includes('prompt 3'));
  });

  it('is in the table before the worker is asked to train with another share', async () => {
    const { project, commits, calls } = aState({ startRun: { runId: 'r' } });
    const block = (prompt: string): string => `Prompt: ${prompt}\nResponse: x`;
    project.addDemonstrations(numbered(40).map(block).join('\n\n'));
    await project.startRun('sft', { held_out_ratio: 0.5 });
    const shown = heldOf(project.demonstrations);
    expect(shown.length).toBeGreaterThan(10);
    const stored = new Map<string, boolean>();
    for (const { demonstrations: changed } of commits) {
      for (const [id, record] of changed ?? []) stored.set(id, record?.heldOut === true);
    }
    expect(project.demonstrations.every(({ id, heldOut }) => stored.get(id) === heldOut)).toBe(
      true,
    );
    expect(calls.at(-1)).toMatchObject({ request: { config: { held_out_ratio: 0.5 } } });
  });
});
