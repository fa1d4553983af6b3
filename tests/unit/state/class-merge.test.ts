import { expect, it } from 'vitest';
import type { ClassFile } from '../../../src/core/class-file';
import { atOnce } from '../../../src/core/slices';
import { readClassFile } from '../../../src/formats/class-file';
import { classProject, rankingsFile, setsFile } from '../../../src/state/class-files';
import { aProject, aState } from './parts';

/** A project with three rankings of `me`. */
const opened = () => {
  const all = aState({ generateCandidates: [] }, aProject({ id: 'p1' }));
  const { project } = all;
  for (const i of [0, 1, 2]) {
    project.addRanking({
      prompt: `Prompt ${i}?`,
      completions: ['a', 'b', 'c'],
      ranks: [1, 2, 3],
      labeler: 'me',
      flags: [],
    });
  }
  return all;
};

/** What Ada's device would send: her rankings of the same texts. */
async function adasFile(change: (file: ClassFile) => void = () => {}): Promise<File> {
  const { project } = opened();
  const file = JSON.parse(await (await rankingsFile(project)).text()) as ClassFile;
  file.madeIn = 'phone';
  file.labelers = [{ ...file.labelers[0]!, code: 'Ada', groups: ['x'] }];
  file.rankings = file.rankings.map((one, i) => ({ ...one, id: `ada-${i}`, labeler: 'Ada' }));
  file.guidelines = [];
  change(file);
  return new File([JSON.stringify(file)], 'ada.rankings.json');
}

it('an import is a preview first, then one transaction, and can be taken back whole', async () => {
  const { project, commits } = opened();
  await project.flush();
  const before = { rankings: project.rankings, record: project.record };
  await project.classMerge.read([
    await adasFile((file) => {
      file.exposures = [{ labeler: 'Ada', day: '2026-01-01', texts: 2 }];
    }),
  ]);
  await project.flush();
  expect(project.rankings).toBe(before.rankings);
  expect(project.record).toBe(before.record);
  const stored = commits.length;
  expect(await project.classMerge.accept()).toMatchObject({ added: 3, duplicates: 0 });
  await project.flush();
  expect(commits).toHaveLength(stored + 1);
  expect([...commits.at(-1)!.rankings!.values()].map((one) => one?.labeler)).toEqual([
    'Ada',
    'Ada',
    'Ada',
  ]);
  expect(commits.at(-1)!.projects!.get('p1')).toMatchObject({
    labelers: [{ code: 'Ada', groups: ['x'] }],
    exposures: [{ labeler: 'Ada', texts: 2 }],
  });
  expect(project.rankings.map(({ seq }) => seq)).toEqual([0, 1, 2, 3, 4, 5]);

  project.classMerge.undo();
  await project.flush();
  expect(project.rankings).toEqual(before.rankings);
  expect(project.record).toMatchObject({ labelers: [], exposures: [] });
  expect([...commits.at(-1)!.rankings!.values()]).toEqual([null, null, null]);
  expect(project.classMerge.canUndo).toBe(false);
});

it('what was ranked while the preview was open is looked at again', async () => {
  const { project } = opened();
  await project.classMerge.read([await adasFile()]);
  project.addRanking({
    prompt: 'Prompt 0?',
    completions: ['c', 'b', 'a'],
    ranks: [1, 2, 3],
    labeler: 'Ada',
    flags: [],
  });
  await expect(project.classMerge.accept()).rejects.toMatchObject({ code: 'busy' });
  expect(project.classMerge.plan?.clashes).toMatchObject([{ code: 'Ada', as: 'Ada 2' }]);
  expect(project.rankings).toHaveLength(4);
});

it('files that cannot be read are named, and the good ones come in', async () => {
  const { project } = opened();
  const huge = new File([new Uint8Array(9 * 2 ** 20)], 'huge.json');
  await project.classMerge.read([new File(['{'], 'broken.json'), huge, await adasFile()]);
  const outcome = await project.classMerge.accept();
  expect(outcome).toMatchObject({
    added: 3,
    refused: [{ name: 'broken.json' }, { name: 'huge.json' }],
  });
  expect(outcome!.refused[1]!.reason).toMatch(/9\.0 MB; a class file has at most 8\.0 MB/);
});

it('sets go out without models and names, and make a project that can be ranked at once', async () => {
  const { project } = aState({ generateCandidates: [] }, aProject({ origin: 'first' }));
  expect(() => setsFile(project)).toThrow(/nothing to rank/);
  const read = (text: string) =>
    atOnce(readClassFile('c.json', new Uint8Array(new TextEncoder().encode(text))));
  const file: ClassFile = {
    format: 'rlhf-playground-class',
    version: 1,
    origin: 'first',
    madeIn: 'p1',
    project: 'Class',
    groups: ['x'],
    guidelines: [{ version: 3, text: 'Kind.', createdAt: 1 }],
    labelers: [],
    sets: Array.from({ length: 20 }, (_, i) => ({
      id: `s${i}`,
      prompt: `Prompt ${i}?`,
      completions: ['a', 'b', 'c', 'd'].map((text) => ({ text, finish: 'eos' })),
    })),
    rankings: [],
    exposures: [],
  };
  const member = (code: string) => ({ code, groups: ['x'], consentedAt: null });
  const [ada, bo] = ['Ada', 'Bo'].map((code) =>
    classProject(read(JSON.stringify(file)), member(code)),
  );
  expect(ada!.project).toMatchObject({
    origin: 'first',
    page: 'rankings',
    labelers: [{ code: 'Ada', groups: ['x'] }],
    guidelines: file.guidelines,
  });
  expect(ada!.sets).toHaveLength(20);
  for (const { order } of ada!.sets) expect([...order].sort()).toEqual([0, 1, 2, 3]);
  const orders = (one: typeof ada): string[] => one!.sets.map(({ order }) => order.join(''));
  expect(new Set(orders(ada)).size).toBeGreaterThan(5);
  const alike = orders(ada).filter((order, i) => order === orders(bo)[i]).length;
  expect(alike).toBeLessThan(6);
  // the same labeler sees the same order again
  expect(orders(classProject(read(JSON.stringify(file)), member('Ada')))).toEqual(orders(ada));
});
