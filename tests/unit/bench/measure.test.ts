/** How sides are timed and compared, on sides that only pretend to work. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { interleave, repeated } from '../../../bench/measure';
import { compare } from '../../../bench/parts/compare';
import { markdown } from '../../../bench/table';
import type { Contender, Timed } from '../../../bench/work';

let now = 0;
let calls: string[] = [];
beforeEach(() => {
  now = 0;
  calls = [];
  vi.spyOn(performance, 'now').mockImplementation(() => now);
});
afterEach(() => {
  vi.restoreAllMocks();
});

/** A side whose runs take these times, the last one for ever. */
function side(name: string, times: number[], loss?: number): Timed & { disposed: number } {
  let run = 0;
  return {
    disposed: 0,
    run: async () => {
      calls.push(name);
      now += times[Math.min(run++, times.length - 1)]!;
      return loss;
    },
    dispose() {
      this.disposed++;
    },
  };
}

test('sides take turns; the runs that warm up do not count', async () => {
  const results = await interleave([side('a', [900, 50, 1, 5, 3]), side('b', [7])], 3);
  expect(calls.join('')).toBe('ab'.repeat(5));
  expect(results[0]).toEqual({ ms: 3, fastest: 1, slowest: 5, rounds: 3, first: undefined });
  expect(results[1]).toMatchObject({ ms: 7, rounds: 3 });
});

test('a slow side gets three rounds, and no more than were asked for', async () => {
  const [slow, quick] = await interleave([side('s', [9000]), side('q', [1])], 5);
  expect([slow, quick]).toMatchObject([{ rounds: 3 }, { rounds: 5 }]);
  const [again] = await interleave([side('s', [9000])], 2);
  expect(again).toMatchObject({ rounds: 2 });
});

test('slow only while it compiles is not slow', async () => {
  const [result] = await interleave([side('c', [20000, 10])], 5);
  expect(result).toMatchObject({ rounds: 5, ms: 10 });
});

test('a side that throws is named and left out, the others go on', async () => {
  const broken: Timed = {
    run: () => {
      calls.push('x');
      return Promise.reject(new Error('no memory'));
    },
    dispose: () => undefined,
  };
  const results = await interleave([broken, side('a', [4])], 2);
  expect(results).toMatchObject([{ problem: 'no memory' }, { ms: 4, rounds: 2 }]);
  expect(calls.filter((name) => name === 'x')).toHaveLength(1);
});

test('short work is repeated until it can be timed', async () => {
  const repeat = async (times: number) => {
    now += times * 2;
  };
  const timed = await repeated({ repeat, dispose: () => undefined });
  expect(timed.times * 2).toBeGreaterThanOrEqual(75);
  const before = now;
  await timed.run();
  expect(now - before).toBe(timed.times * 2);
});

const contender = (impl: string, work: Timed, more: Partial<Contender> = {}): Contender => ({
  impl,
  adapter: '',
  trainingStep: async () => work,
  ...more,
});
const comparison = {
  name: 'training step',
  config: { size: 'main' as const, B: 2, T: 5 },
  tokens: 10,
  rounds: 1,
  prepare: (one: Contender) => one.trainingStep?.({ size: 'main', B: 2, T: 5 }),
};

test('rows have ratios to the first side and tokens per second; all work is disposed of', async () => {
  const works = [side('a', [20], 6.2), side('b', [50], 6.2001)];
  const { rows } = await compare(
    [contender('ours', works[0]!), contender('other', works[1]!)],
    comparison,
  );
  expect(rows).toMatchObject([
    { impl: 'ours', ms: 20, ratio: 1, tokens_per_s: 500 },
    { impl: 'other', ms: 50, ratio: 2.5, tokens_per_s: 200 },
  ]);
  expect(works.map(({ disposed }) => disposed)).toEqual([1, 1]);
  expect(markdown(rows)).toContain('| other | 50.00 | 200 |');
});

test('the same model with another loss did other work: refused', async () => {
  const sides = [contender('ours', side('a', [1], 6.2)), contender('other', side('b', [1], 6.3))];
  await expect(compare(sides, comparison)).rejects.toThrow('other starts with loss 6.3');
  const gpt = [sides[0]!, contender('other', side('b', [1], 6.3), { model: 'a GPT' })];
  expect((await compare(gpt, comparison)).rows).toHaveLength(2);
});

test('a side that cannot be set up is named; one that cannot do the work has no row', async () => {
  const sides = [
    contender('ours', side('a', [1])),
    contender('failing', side('b', [1]), {
      trainingStep: () => Promise.reject(new Error('no device')),
    }),
    { impl: 'without', adapter: '' },
  ];
  const { rows, problems } = await compare(sides, comparison);
  expect(rows.map(({ impl }) => impl)).toEqual(['ours']);
  expect(problems).toEqual(['training step, failing: no device']);
});
