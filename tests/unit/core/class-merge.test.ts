import { describe, expect, it } from 'vitest';
import type { ClassFile, ClassRanking } from '../../../src/core/class-file';
import type { CandidateSet, Ranking } from '../../../src/core/domain';
import { mergeChanges, mergedRecords } from '../../../src/core/merge-changes';
import { personKey } from '../../../src/core/merge-people';
import {
  planMerge,
  type IncomingFile,
  type MergePlan,
  type OurSide,
} from '../../../src/core/merge-rankings';
import type { Labeler } from '../../../src/core/people';
import { atOnce } from '../../../src/core/slices';

const person = (code: string, change: Partial<Labeler> = {}): Labeler => ({
  code,
  groups: [],
  consentedAt: null,
  simulated: null,
  dailyHarmLimit: null,
  ...change,
});
const RULE = { attribute: 'polite', noise: 0.2, harm_aversion: 0, length_bias: 0 } as const;

const TEXTS = ['a', 'b', 'c'];
const set = (i: number): CandidateSet => ({
  id: `our-${i}`,
  projectId: 'p',
  promptId: `q-${i}`,
  prompt: `Prompt ${i}?`,
  completions: TEXTS.map((text) => ({ text, tokens: [], logprobs: [], finish: 'eos' })),
  order: [0, 1, 2],
  sourceRunId: 'run',
  temperature: 1,
  seed: 1,
  seq: i,
});

const ours = (change: Partial<OurSide> = {}): OurSide => ({
  projectId: 'p',
  origin: 'p',
  sets: [set(0), set(1), set(2)],
  rankings: [],
  labelers: [person('me')],
  guidelines: [{ version: 1, text: 'Kind first.', createdAt: 0 }],
  exposures: [],
  ...change,
});

/** A ranking of `set i` in a file. */
const theirs = (
  id: string,
  i: number,
  ranks: number[],
  change: Partial<ClassRanking> = {},
): ClassRanking => ({
  id,
  set: `their-${i}`,
  ranks,
  outcome: 'ranked',
  labeler: 'Ada',
  simulated: false,
  flags: [[], ['insult'], []],
  order: [2, 0, 1],
  ...change,
});

const fileOf = (
  rankings: ClassRanking[],
  change: Partial<ClassFile> = {},
  name = 'ada.json',
): IncomingFile => ({
  name,
  quarantined: [],
  file: {
    format: 'rlhf-playground-class',
    version: 1,
    origin: 'p',
    madeIn: 'phone-of-ada',
    project: 'Class',
    groups: [],
    guidelines: [{ version: 1, text: 'Kind first.', createdAt: 0 }],
    labelers: [person('Ada')],
    sets: [0, 1, 2].map((i) => ({
      id: `their-${i}`,
      prompt: `Prompt ${i}?`,
      completions: TEXTS.map((text) => ({ text, finish: 'eos' as const })),
    })),
    rankings,
    exposures: [],
    ...change,
  },
});

let made = 0;
const plan = (
  side: OurSide,
  files: IncomingFile[],
  people: Record<string, string> = {},
): MergePlan => atOnce(planMerge(side, files, { newId: () => `new-${made++}`, now: 77, people }));

/** Our side after an import was accepted. */
function after(side: OurSide, files: IncomingFile[], people?: Record<string, string>): OurSide {
  const changes = mergeChanges(plan(side, files, people), new Map(), side.rankings.length);
  const gone = new Set(changes.remove.map(({ id }) => id));
  return {
    ...side,
    ...mergedRecords(side, changes),
    rankings: [...side.rankings.filter(({ id }) => !gone.has(id)), ...changes.add],
  };
}

const counts = ({ files }: MergePlan): number[][] =>
  files.map(({ added, duplicates, conflicts, quarantined }) => [
    added,
    duplicates,
    conflicts,
    quarantined,
  ]);

describe('rankings of one file', () => {
  it('become records of the project, in the order of its own completions', () => {
    const shuffled = fileOf(
      [theirs('r1', 0, [1, 2, 2], { order: [2, 0, 1], comment: '<b>x</b>' })],
      {
        sets: [
          {
            id: 'their-0',
            prompt: 'Prompt 0?',
            completions: ['c', 'a', 'b'].map((text) => ({ text, finish: 'eos' })),
          },
        ],
      },
    );
    const { added } = plan(ours(), [shuffled]);
    expect(added).toHaveLength(1);
    // c is best; the texts of our set are a, b, c
    expect(added[0]).toMatchObject({
      projectId: 'p',
      setId: 'our-0',
      completions: TEXTS,
      ranks: [2, 2, 1],
      flags: [['insult'], [], []],
      // shown: b, c, a
      order: [1, 2, 0],
      labeler: 'Ada',
      comment: '<b>x</b>',
      simulated: false,
      source: { file: 'ada.json', importedAt: 77, id: 'r1', project: 'phone-of-ada' },
    });
    expect(added[0]!.id).not.toBe('r1');
  });

  it('of texts that have no set here are kept with their own', () => {
    const side = ours({ sets: [set(0)] });
    const { added } = plan(side, [fileOf([theirs('r1', 2, [1, 2, 3])])]);
    expect(added[0]).toMatchObject({ setId: null, prompt: 'Prompt 2?', completions: TEXTS });
  });

  it('bring profiles, guidelines by their text, and the ledger along', () => {
    const file = fileOf([theirs('r1', 0, [1, 2, 3], { guideline: 1 })], {
      guidelines: [{ version: 1, text: 'Short first.', createdAt: 5 }],
      labelers: [person('Ada', { groups: ['morning'], consentedAt: 9 })],
      exposures: [{ labeler: 'Ada', day: '2026-01-02', texts: 3 }],
    });
    const side = after(ours({ exposures: [{ labeler: 'Ada', day: '2026-01-02', texts: 1 }] }), [
      file,
    ]);
    expect(side.labelers.at(-1)).toMatchObject({ code: 'Ada', groups: ['morning'] });
    expect(side.guidelines.map(({ text }) => text)).toEqual([
      'Kind first.',
      'Short first.',
      'Kind first.',
    ]);
    expect(side.rankings[0]!.guideline).toBe(2);
    expect(side.exposures).toEqual([{ labeler: 'Ada', day: '2026-01-02', texts: 3 }]);
    // the same once more changes nothing
    const again = after(side, [file]);
    expect(again).toEqual(side);
  });
});

describe('duplicates', () => {
  const first = fileOf([theirs('r1', 0, [1, 2, 3]), theirs('r2', 1, [3, 2, 1])]);

  it('are counted and not added: by id, and by labeler, set and answer', () => {
    const side = after(ours(), [first]);
    expect(counts(plan(side, [first]))).toEqual([[0, 2, 0, 0]]);
    const renamed = fileOf([theirs('x1', 0, [1, 2, 3]), theirs('x2', 1, [3, 2, 1])]);
    expect(counts(plan(side, [renamed]))).toEqual([[0, 2, 0, 0]]);
    expect(counts(plan(ours(), [first, { ...renamed, name: 'b.json' }]))).toEqual([
      [2, 0, 0, 0],
      [0, 2, 0, 0],
    ]);
  });

  it('are known when the labeler was brought in under another name', () => {
    const key = personKey('ada.json', 'Ada');
    const side = after(
      ours({
        rankings: after(ours(), [first]).rankings,
        labelers: [person('Ada', { groups: ['x'] })],
      }),
      [
        fileOf([theirs('z1', 0, [2, 1, 3])], {
          madeIn: 'tablet',
          labelers: [person('Ada', { groups: ['y'] })],
        }),
      ],
      { [key]: 'Ada of the tablet' },
    );
    expect(side.rankings.at(-1)!.labeler).toBe('Ada of the tablet');
    const again = plan(side, [
      fileOf([theirs('z1', 0, [2, 1, 3])], {
        madeIn: 'tablet',
        labelers: [person('Ada', { groups: ['y'] })],
      }),
    ]);
    expect(counts(again)).toEqual([[0, 1, 0, 0]]);
    expect(again.clashes).toEqual([]);
  });

  it('are not the silent repeats, however equal: a repeat with the same answer is a finding', () => {
    const file = fileOf([
      theirs('r2', 0, [1, 2, 3], { repeatOf: 'r1' }),
      theirs('r1', 0, [1, 2, 3]),
    ]);
    const side = after(ours(), [file]);
    expect(side.rankings).toHaveLength(2);
    expect(side.rankings[1]!.repeatOf).toBe(side.rankings[0]!.id);
    expect(counts(plan(side, [file]))).toEqual([[0, 2, 0, 0]]);
  });
});

it('three equal answers of one labeler are three, also when they come under other ids', () => {
  const thrice = (ids: string[]): IncomingFile =>
    fileOf([
      theirs(ids[0]!, 0, [1, 2, 3]),
      theirs(ids[1]!, 0, [1, 2, 3], { repeatOf: ids[0]! }),
      theirs(ids[2]!, 0, [1, 2, 3], { repeatOf: ids[0]! }),
    ]);
  const side = after(ours(), [thrice(['a', 'b', 'c'])]);
  expect(side.rankings).toHaveLength(3);
  expect(counts(plan(side, [thrice(['x', 'y', 'z'])]))).toEqual([[0, 3, 0, 0]]);
  const once = { ...side, rankings: side.rankings.slice(0, 2) };
  expect(counts(plan(once, [thrice(['x', 'y', 'z'])]))).toEqual([[1, 2, 0, 0]]);
});

it('a ledger that knows less takes nothing away', () => {
  const exposures = [{ labeler: 'Ada', day: '2026-01-02', texts: 5 }];
  const file = fileOf([theirs('r1', 0, [1, 2, 3])], {
    exposures: [{ labeler: 'Ada', day: '2026-01-02', texts: 3 }],
  });
  expect(after(ours({ exposures }), [file]).exposures).toEqual(exposures);
});

describe('conflicts', () => {
  const side = after(ours(), [fileOf([theirs('r1', 0, [1, 2, 3])])]);
  const other = fileOf([theirs('r9', 0, [3, 2, 1])]);

  it('are shown, and keep ours unless somebody decides', () => {
    const found = plan(side, [other]);
    expect(counts(found)).toEqual([[0, 0, 1, 0]]);
    expect(found.conflicts[0]).toMatchObject({
      ours: { id: side.rankings[0]!.id, ranks: [1, 2, 3] },
      theirs: { ranks: [3, 2, 1] },
    });
    expect(mergeChanges(found, new Map(), 1)).toMatchObject({ add: [], remove: [] });
  });

  it('can take theirs, or keep both with theirs as a repeat', () => {
    const found = plan(side, [other]);
    const taken = mergeChanges(found, new Map([[0, 'theirs']]), 5);
    expect(taken.remove).toEqual([side.rankings[0]]);
    expect(taken.add).toMatchObject([{ ranks: [3, 2, 1], seq: 5 }]);
    expect(taken.add[0]).not.toHaveProperty('repeatOf');
    const both = mergeChanges(found, new Map([[0, 'both']]), 5);
    expect(both.remove).toEqual([]);
    expect(both.add).toMatchObject([{ ranks: [3, 2, 1], repeatOf: side.rankings[0]!.id }]);
  });

  it('of two files of one import: the last that is taken stands alone', () => {
    const files = [[1, 2, 3], [3, 2, 1], [2, 1, 3]].map((ranks, i) =>
      fileOf([theirs(`r${i}`, 0, ranks)], {}, `${i}.json`),
    ); // prettier-ignore
    const found = plan(ours(), files);
    expect(counts(found)).toEqual([
      [1, 0, 0, 0],
      [0, 0, 1, 0],
      [0, 0, 1, 0],
    ]);
    const all = mergeChanges(found, new Map([[0, 'theirs'], [1, 'theirs']]), 0); // prettier-ignore
    expect(all.add).toMatchObject([{ ranks: [2, 1, 3] }]);
    expect(all.remove).toEqual([]);
  });

  it('also when one says “all bad” and the other gives ranks', () => {
    const bad = fileOf([theirs('r9', 0, [], { outcome: 'all-bad' })]);
    expect(counts(plan(side, [bad]))).toEqual([[0, 0, 1, 0]]);
  });
});

describe('people', () => {
  it('with one code and different groups are two unless somebody says otherwise', () => {
    const side = after(ours({ labelers: [person('Ada', { groups: ['morning'] })] }), [
      fileOf([theirs('r1', 0, [1, 2, 3])]),
    ]);
    const stranger = fileOf([theirs('s1', 0, [3, 2, 1])], {
      madeIn: 'another-phone',
      labelers: [person('Ada', { groups: ['evening'], consentedAt: 4 })],
    });
    const found = plan(side, [stranger]);
    expect(found.clashes).toMatchObject([{ code: 'Ada', as: 'Ada 2', free: 'Ada 2' }]);
    expect(found.clashes[0]!.reasons.join(' ')).toMatch(/groups differ.*two devices/);
    expect(found.added).toMatchObject([{ labeler: 'Ada 2' }]);
    expect(found.labelers).toMatchObject([{ code: 'Ada 2', groups: ['evening'], consentedAt: 4 }]);
    const same = plan(side, [stranger], { [personKey('ada.json', 'Ada')]: 'Ada' });
    expect(counts(same)).toEqual([[0, 0, 1, 0]]);
  });

  it('who never gave themselves a name are as many as their devices', () => {
    const files = [1, 2, 3].map((i) =>
      fileOf(
        [theirs(`r${i}`, 0, [1, 2, 3], { labeler: 'me' })],
        { madeIn: `phone-${i}`, labelers: [person('me')] },
        `${i}.json`,
      ),
    );
    const { added } = plan(ours(), files);
    expect(added.map(({ labeler }) => labeler)).toEqual(['me', 'me 2', 'me 3']);
  });

  it('on a second device of theirs are asked about, and stay one person', () => {
    const side = after(ours(), [fileOf([theirs('r1', 0, [1, 2, 3])])]);
    const laptop = fileOf([theirs('r2', 1, [1, 2, 3])], { madeIn: 'laptop-of-ada' });
    expect(plan(side, [laptop])).toMatchObject({
      clashes: [{ code: 'Ada', as: 'Ada' }],
      added: [{ labeler: 'Ada' }],
    });
  });

  it('unknown to the file and to us are set aside with their rankings', () => {
    const found = plan(ours(), [
      fileOf([theirs('r1', 0, [1, 2, 3]), theirs('r2', 1, [1, 2, 3], { labeler: 'Eve' })]),
    ]);
    expect(counts(found)).toEqual([[1, 0, 0, 1]]);
    expect(found.quarantined).toMatchObject([{ file: 'ada.json', where: 'rankings 2' }]);
    expect(found.quarantined[0]!.reason).toMatch(/“Eve” is neither/);
  });
});

describe('the mark of simulated rankings', () => {
  it('stays, and makes no person', () => {
    const { added, labelers } = plan(ours(), [
      fileOf([theirs('r1', 0, [1, 2, 3], { labeler: 'simulated:polite', simulated: true })]),
    ]);
    expect(added).toMatchObject([{ simulated: true, labeler: 'simulated:polite' }]);
    expect(labelers).toEqual([]);
  });

  it('cannot be washed off: by name, by profile, by id, or by the same answer', () => {
    const simulated = fileOf([
      theirs('r1', 0, [1, 2, 3], { labeler: 'simulated:polite', simulated: true }),
    ]);
    const side = after(ours(), [simulated]);
    const washed = fileOf(
      [
        theirs('w1', 0, [1, 2, 3], { labeler: 'simulated:polite' }),
        theirs('w2', 0, [1, 2, 3], { labeler: 'Robot' }),
        theirs('r1', 0, [1, 2, 3], { labeler: 'Ada' }),
        theirs('w4', 1, [1, 2, 3], { labeler: 'Ada', simulated: true }),
        theirs('ok', 1, [1, 2, 3]),
      ],
      { labelers: [person('Ada'), person('Robot', { simulated: RULE })] },
    );
    const found = plan(side, [washed]);
    expect(counts(found)).toEqual([[1, 0, 0, 4]]);
    expect(found.added.map(({ source }) => source?.id)).toEqual(['ok']);
  });
});

describe('files that do not belong here', () => {
  it('of another project are refused when none of their texts is known', () => {
    const foreign = fileOf([theirs('r1', 0, [1, 2, 3])], {
      origin: 'other',
      project: 'Foreign',
      sets: [
        { id: 'their-0', prompt: 'x', completions: TEXTS.map((text) => ({ text, finish: 'eos' })) },
      ],
    });
    const found = plan(ours(), [foreign]);
    expect(found.files[0]!.refused).toMatch(/another project \(“Foreign”\)/);
    expect(found.added).toEqual([]);
    // known texts join projects that do not know of each other
    expect(plan(ours(), [fileOf([theirs('r1', 0, [1, 2, 3])], { origin: 'other' })]).added).toHaveLength(1); // prettier-ignore
  });

  it('of sets alone are told apart', () => {
    expect(plan(ours(), [fileOf([])]).files[0]!.refused).toMatch(/sets to rank/);
  });
});

it('thirty files of hundreds of rankings merge in less than 3 s, in pieces under 50 ms', () => {
  const sets = Array.from({ length: 300 }, (_, i) => ({
    ...set(i),
    completions: Array.from({ length: 4 }, (_unused, k) => ({
      text: `Completion ${k} of set ${i}, as long as such texts are, about eighty characters`,
      tokens: [],
      logprobs: [],
      finish: 'eos' as const,
    })),
  }));
  const files = Array.from({ length: 30 }, (_, f) =>
    fileOf(
      sets.map((one, i) => ({
        ...theirs(`f${f}-${i}`, i, [1, 2, 3, 4]),
        labeler: `L${f}`,
        flags: [],
        order: [0, 1, 2, 3],
      })),
      {
        madeIn: `phone-${f}`,
        labelers: [person(`L${f}`)],
        sets: sets.map(({ prompt, completions }, i) => ({ id: `their-${i}`, prompt, completions })),
      },
      `${f}.json`,
    ),
  );
  const work = planMerge(ours({ sets }), files, { newId: () => `n${made++}`, now: 1 });
  const pieces: number[] = [];
  let step: ReturnType<typeof work.next>;
  const started = performance.now();
  do {
    const before = performance.now();
    step = work.next();
    pieces.push(performance.now() - before);
  } while (step.done !== true);
  const total = performance.now() - started;
  expect(step.value.added).toHaveLength(9000);
  // the goals are 3 s and 50 ms; a machine that runs all tests at once gets some times as long
  expect(total).toBeLessThan(9000);
  pieces.sort((a, b) => a - b);
  expect(pieces[Math.floor(pieces.length * 0.98)]).toBeLessThan(50);
});

it('leaves what it is given as it was', () => {
  const side = after(ours(), [fileOf([theirs('r1', 0, [1, 2, 3])])]);
  const file = fileOf([theirs('r9', 0, [3, 2, 1]), theirs('r8', 1, [1, 1, 2])]);
  const before = structuredClone({ side, file });
  plan(side, [file]);
  expect({ side, file }).toEqual(before);
  expect(side.rankings satisfies readonly Ranking[]).toHaveLength(1);
});
