import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ClassFile, ClassRanking } from '../../../src/core/class-file';
import { PlaygroundError } from '../../../src/core/errors';
import { atOnce } from '../../../src/core/slices';
import {
  MAX_CLASS_FILE_BYTES,
  readClassFile,
  writeClassFile,
  type ReadClassFile,
} from '../../../src/formats/class-file';
import { damagedJson, FUZZED_FILES, readDamaged } from './fuzz';

const good = (): ClassFile => ({
  format: 'rlhf-playground-class',
  version: 1,
  origin: 'origin-1',
  madeIn: 'phone-1',
  project: 'Klasse “7b” <script>',
  task: 'Rank all',
  groups: ['morning'],
  guidelines: [{ version: 2, text: 'Kind first.\n\nThen short.', createdAt: 5 }],
  labelers: [
    { code: 'Ada', groups: ['morning'], consentedAt: 7, simulated: null, dailyHarmLimit: null },
  ],
  sets: [
    {
      id: 's1',
      prompt: 'Hello?',
      completions: ['a', 'b', '<img src=x onerror=alert(1)>'].map((text) => ({
        text,
        finish: 'eos',
      })),
    },
    { id: 's2', prompt: 'Bye?', completions: [{ text: 'x', finish: 'eos' }, { text: 'y', finish: 'length' }] }, // prettier-ignore
  ],
  rankings: [
    {
      id: 'r1',
      set: 's1',
      ranks: [1, 3, 1],
      outcome: 'ranked',
      labeler: 'Ada',
      simulated: false,
      flags: [[], ['insult'], []],
      order: [2, 0, 1],
      guideline: 2,
      ratings: [{ helpful: 'yes' }, {}, { harmless: 'no' }],
      comment: '<b>hm</b>',
      unsure: true,
      ms: 900,
      mode: 'list',
    },
    {
      id: 'r2',
      set: 's2',
      ranks: [],
      outcome: 'skipped',
      labeler: 'Ada',
      simulated: false,
      flags: [],
      order: [0, 1],
    },
    {
      id: 'r3',
      set: 's1',
      ranks: [1, 2, 3],
      outcome: 'ranked',
      labeler: 'Ada',
      simulated: false,
      flags: [],
      order: [0, 1, 2],
      repeatOf: 'r1',
      madeIn: 'tablet',
    },
  ],
  exposures: [{ labeler: 'Ada', day: '2026-01-31', texts: 2 }],
});

const bytesOf = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text);
const readText = (text: string): ReadClassFile => atOnce(readClassFile('a.json', bytesOf(text)));
const read = (file: unknown): ReadClassFile => readText(JSON.stringify(file));

function errorOf(work: () => unknown): PlaygroundError {
  try {
    work();
  } catch (thrown) {
    if (thrown instanceof PlaygroundError) return thrown;
    throw thrown;
  }
  throw new Error('nothing was thrown');
}

describe('a class file', () => {
  it('comes back as it was written, every field of every entry', () => {
    expect(readText(writeClassFile(good()))).toEqual({ file: good(), quarantined: [] });
  });

  it('keeps any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const file = good();
        file.sets[0]!.prompt = text;
        file.rankings[0]!.comment = text.slice(0, 4000);
        expect(readText(writeClassFile(file)).file).toEqual(file);
      }),
      { numRuns: 200 },
    );
  });

  it('may hold a preference card, which an import does not look at', () => {
    const { file } = read({ ...good(), preferences: { anything: 1 } });
    expect(file).toEqual(good());
  });
});

describe('a file that is no class file is refused as a whole', () => {
  it.each([
    ['text', 'hello', /not JSON/],
    ['cut off', JSON.stringify(good()).slice(0, -5), /not JSON, or it is cut off/],
    ['null', 'null', /not a class file/],
    ['another format', '{"format":"x","version":1}', /not a class file/],
    ['a newer version', JSON.stringify({ ...good(), version: 2 }), /newer page \(version 2/],
    ['rankings that are no list', JSON.stringify({ ...good(), rankings: {} }), /field rankings/],
    ['an unknown field', JSON.stringify({ ...good(), evil: 1 }), /field evil/],
    ['no origin', JSON.stringify({ ...good(), origin: '../x' }), /field origin/],
  ])('%s', (_name, text, message) => {
    const error = errorOf(() => readText(text));
    expect(error).toMatchObject({ code: 'format', field: 'a.json' });
    expect(error.message).toMatch(message);
    expect(error.remedy).toMatch(/Nothing/);
  });

  it('no UTF-8', () => {
    const error = errorOf(() => atOnce(readClassFile('a.json', Uint8Array.of(0xff, 0xfe, 0))));
    expect(error.message).toMatch(/not UTF-8/);
  });

  it('50 MB: by its size, before it is read, with the numbers', () => {
    const started = performance.now();
    const huge = { length: 50 * 2 ** 20 } as Uint8Array;
    const error = errorOf(() => atOnce(readClassFile('huge.json', huge)));
    expect(error).toMatchObject({ code: 'input', field: 'huge.json' });
    expect(error.message).toMatch(/huge\.json has 50\.0 MB; a class file has at most 8\.0 MB/);
    expect(performance.now() - started).toBeLessThan(1000);
    expect(MAX_CLASS_FILE_BYTES).toBeLessThan(50 * 2 ** 20);
  });
});

describe('a bad entry is set aside with its reason, and the others stay', () => {
  type Change = (file: ClassFile) => void;
  const first =
    (change: object): Change =>
    (file) =>
      Object.assign(file.rankings[0]!, change);
  const cases: [string, Change, RegExp][] = [
    ['too few ranks', first({ ranks: [1, 2] }), /2 ranks for 3 completions/],
    ['ranks of a skipped set', first({ outcome: 'skipped' }), /3 ranks for an outcome without/],
    ['rank 0', first({ ranks: [0, 1, 2] }), /field ranks\.0/],
    ['a rank beyond the last', first({ ranks: [1, 2, 4] }), /rank 4 of 3 completions/],
    ['flags of another number', first({ flags: [[]] }), /flags for 1 of 3/],
    ['an unknown flag', first({ flags: [['rude'], [], []] }), /field flags\.0\.0/],
    ['ratings of another number', first({ ratings: [{}] }), /ratings for 1 of 3/],
    ['an order that is none', first({ order: [0, 0, 1] }), /name each of 3 completions once/],
    ['an order beyond the last', first({ order: [0, 1, 3] }), /name each of 3 completions once/],
    ['an unknown set', first({ set: 's9' }), /set s9 is not in the file/],
    ['an unknown guideline', first({ guideline: 7 }), /guideline version 7/],
    ['no name', first({ labeler: '  ' }), /field labeler/],
    ['a name without end', first({ labeler: 'x'.repeat(81) }), /field labeler/],
    ['a mark that is no mark', first({ simulated: 'no' }), /field simulated/],
    ['a comment without end', first({ comment: 'x'.repeat(4001) }), /field comment/],
    ['a field too many', first({ weight: 3 }), /field weight/],
    ['itself repeated', first({ repeatOf: 'r1' }), /repeats itself/],
  ];
  it.each(cases)('%s', (_name, change, reason) => {
    const file = good();
    change(file);
    const { file: taken, quarantined } = read(file);
    expect(quarantined).toHaveLength(1);
    expect(quarantined[0]).toMatchObject({ file: 'a.json', where: 'rankings 1' });
    expect(quarantined[0]!.reason).toMatch(reason);
    expect(taken.rankings).toEqual(good().rankings.slice(1));
  });

  it('an id twice: the first stays', () => {
    const file = good();
    file.rankings[1]!.id = 'r1';
    const { file: taken, quarantined } = read(file);
    expect(quarantined).toMatchObject([{ where: 'rankings 2', reason: 'the id r1 occurs twice' }]);
    expect(taken.rankings.map(({ id }) => id)).toEqual(['r1', 'r3']);
  });

  it('a set id twice: nobody can say what was ranked', () => {
    const file = good();
    file.sets[1]!.id = 's1';
    const { quarantined } = read(file);
    expect(quarantined.map(({ where }) => where)).toEqual([
      'sets 2',
      'rankings 1',
      'rankings 2',
      'rankings 3',
    ]);
  });

  it('a set of ten completions, with the rankings of it', () => {
    const file = good();
    file.sets[0]!.completions = Array.from({ length: 10 }, () => ({ text: 'x', finish: 'eos' }));
    expect(read(file).quarantined.map(({ where }) => where)).toEqual([
      'sets 1',
      'rankings 1',
      'rankings 3',
    ]);
  });
});

it(`${FUZZED_FILES} damaged files: a typed error, or every entry taken or named`, async () => {
  const text = JSON.stringify(good());
  const whole = new Map(good().rankings.map((ranking) => [ranking.id, JSON.stringify(ranking)]));
  let readable = 0;
  let setAside = 0;
  let untouched = 0;
  for (let i = 0; i < FUZZED_FILES; i++) {
    const bytes = damagedJson(text, i);
    const result = await readDamaged(`file ${i}`, () => atOnce(readClassFile('x.json', bytes)));
    if (result === null) continue;
    readable++;
    const { file, quarantined } = result;
    const given = JSON.parse(new TextDecoder().decode(bytes)) as Record<string, unknown[]>;
    for (const kind of ['guidelines', 'labelers', 'sets', 'rankings', 'exposures'] as const) {
      const named = quarantined.filter(({ where }) => where.startsWith(`${kind} `));
      expect(file[kind].length + named.length, `file ${i}, ${kind}`).toBe(given[kind]!.length);
      setAside += named.length;
    }
    for (const ranking of file.rankings) {
      const K = file.sets.find(({ id }) => id === ranking.set)!.completions.length;
      expect(ranking.ranks.length).toBe(ranking.outcome === 'ranked' ? K : 0);
      // What was not touched came through untouched.
      const source = given['rankings']!.find(
        (one) => (one as ClassRanking | null)?.id === ranking.id,
      );
      if (JSON.stringify(source) !== whole.get(ranking.id)) continue;
      untouched++;
      expect(ranking).toEqual(source);
    }
  }
  expect(Object.keys(Object.prototype)).toEqual([]);
  expect(readable).toBeGreaterThan(1000);
  expect(readable).toBeLessThan(FUZZED_FILES - 1000);
  expect(setAside).toBeGreaterThan(1000);
  expect(untouched).toBeGreaterThan(1000);
}, 120_000);
