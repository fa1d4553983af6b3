import Papa from 'papaparse';
import { describe, expect, it } from 'vitest';
import type { Ranking } from '../../../src/core/domain';
import { metricsToCsv, toCsv } from '../../../src/formats/csv';
import { rankingsToKwise, rankingsToPairs } from '../../../src/formats/rankings';

describe('metricsToCsv', () => {
  it('has a column for every metric, step first, empty where a row lacks it', () => {
    const csv = metricsToCsv([
      { 'objective/kl': 0.1, step: 1 },
      { step: 2, 'objective/kl': -0.25, 'val/ratio': 1e-7 },
    ]);
    expect(csv.split('\r\n')).toEqual(['step,objective/kl,val/ratio', '1,0.1,', '2,-0.25,1e-7']);
  });

  it('reads back to the same numbers, and NaN is visible', () => {
    const value = 0.1 + 0.2;
    const { data } = Papa.parse<string[]>(metricsToCsv([{ step: 3, a: value, b: NaN }]));
    expect(Number(data[1]![1])).toBe(value);
    expect(data[1]![2]).toBe('NaN');
  });
});

describe('toCsv', () => {
  it.each([
    ...['=1+1', '+cmd', '-2+3', '@sum', '\t=1', '\r=1', '\n=1', '=HYPERLINK("x")', '--1', '-1=2'],
    ...['=1\n2', '-1\n=2', '=a\r\nb', '+\n', '＝1+1', '＠sum'],
  ])('takes the bite out of %j', (cell) => {
    const csv = toCsv(['text', cell], [[cell, 1]]);
    const { data } = Papa.parse<string[]>(csv, { newline: '\r\n' });
    expect(data[1]![0]).toBe(`'${cell}`);
    expect(data[0]![1]).toBe(`'${cell}`);
  });

  it.each(['-3', '+4.5e-3', '-.5', 'plain', 'a=b', 'quote " comma , line\nbreak', ''])(
    'leaves %j as it is',
    (cell) => {
      const { data } = Papa.parse<string[]>(toCsv(['text', 'n'], [[cell, -7]]), {
        newline: '\r\n',
      });
      expect(data[1]).toEqual([cell, '-7']);
    },
  );
});

const ranking = (over: Partial<Ranking>): Ranking => ({
  id: 'r1',
  projectId: 'p',
  setId: 's1',
  prompt: 'Q\n"é"',
  completions: ['a', 'b', 'c', 'd'],
  ranks: [2, 1, 2, 3],
  outcome: 'ranked',
  labeler: 'Ada',
  simulated: false,
  flags: [[], ['insult'], [], []],
  order: [3, 1, 0, 2],
  seq: 4,
  ...over,
});
const lines = (text: string): Record<string, unknown>[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);

describe('rankings', () => {
  it('become all pairs with different ranks, best first', () => {
    const pairs = lines(rankingsToPairs([ranking({})]));
    expect(
      pairs.map(({ chosen, rejected }) => `${String(chosen)}>${String(rejected)}`).sort(),
    ).toEqual(['a>d', 'b>a', 'b>c', 'b>d', 'c>d']);
    expect(
      pairs.every((pair) => pair['prompt'] === 'Q\n"é"' && Object.keys(pair).length === 3),
    ).toBe(true);
  });

  it('give no pairs when nothing was ranked', () => {
    const none = [
      ranking({ outcome: 'skipped', ranks: [] }),
      ranking({ outcome: 'all-bad', ranks: [] }),
    ];
    expect(rankingsToPairs(none)).toBe('');
    expect(rankingsToPairs([ranking({ ranks: [1, 1, 1, 1] })])).toBe('');
  });

  it('lose nothing in the K-wise file but the project they are in', () => {
    const given = [
      ranking({}),
      ranking({ id: 'r2', setId: null, outcome: 'skipped', ranks: [], simulated: true }),
    ];
    const back = lines(rankingsToKwise(given)).map(({ group_id, ...rest }) => ({
      ...rest,
      setId: group_id,
      projectId: 'p',
    }));
    expect(back).toEqual(given);
  });
});
