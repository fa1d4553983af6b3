import fc from 'fast-check';
import { expect, it } from 'vitest';
import { readProjectFile } from '../../../src/formats/project-file';
import { keepCounts, soakPlan } from '../../soak';
import { amount } from '../../soak-plan';
import { generatedProject } from './generated-project';
import { bytesOfFile } from './project-bundle';

const PROJECTS = amount(soakPlan(), { few: 100, full: 1000 });

it(
  'generated projects: written, read and written again they are the same bytes',
  { timeout: 20_000 + PROJECTS * 200 },
  async () => {
    let tables = 0;
    await fc.assert(
      fc.asyncProperty(generatedProject, async (given) => {
        const first = await bytesOfFile(given);
        const back = await readProjectFile(first);
        expect(Buffer.compare(await bytesOfFile(back), first)).toBe(0);
        expect(back.rankings).toEqual(given.rankings);
        expect(back.metrics).toEqual(given.metrics);
        tables += [back.demonstrations, back.rankings, back.runs, back.checkpoints].filter(
          (records) => records.length > 0,
        ).length;
      }),
      { numRuns: PROJECTS, seed: soakPlan().part },
    );
    // They are no empty ones.
    expect(tables).toBeGreaterThan(PROJECTS);
    keepCounts('project-files', { projects: PROJECTS, identical: PROJECTS });
  },
);

it('the same comparison sees a record that is lost on the way, and a number that is another', async () => {
  const ranked = generatedProject.filter(({ rankings }) => rankings.length > 0);
  const [given] = fc.sample(ranked, { numRuns: 1, seed: 1 });
  const first = await bytesOfFile(given!);
  const back = await readProjectFile(first);
  const shorter = await bytesOfFile({ ...back, rankings: back.rankings.slice(1) });
  expect(Buffer.compare(shorter, first)).not.toBe(0);
  const [ranking, ...others] = back.rankings;
  const other = { ...ranking!, seq: ranking!.seq + 1 };
  const changed = await bytesOfFile({ ...back, rankings: [other, ...others] });
  expect(Buffer.compare(changed, first)).not.toBe(0);
});
