import { expect, test } from 'vitest';
import { collected } from '../../../tools/soak/collect';
import { amount, countsFile } from '../../soak-plan';

const plan = (part: number, parts: number) => ({ full: true, part, parts });

test('the parts of a soak make up the full number, whatever the division', () => {
  for (const parts of [1, 3, 7, 30]) {
    const shares = Array.from({ length: parts }, (_, i) =>
      amount(plan(i + 1, parts), { few: 2, full: 100 }),
    );
    expect(shares.reduce((a, b) => a + b)).toBe(100);
  }
  expect(amount({ ...plan(1, 1), full: false }, { few: 2, full: 100 })).toBe(2);
});

test('counts of parts are added up; of times the longest counts, of two divisions the newest', () => {
  const part = (n: number, parts: number, date: string, counts: Record<string, number>) => ({
    name: 'kills',
    part: n,
    parts,
    date,
    counts,
  });
  expect(
    collected([
      part(1, 2, '2030-01-02', { kills: 50, slowestMs: 9 }),
      part(2, 2, '2030-01-03', { kills: 50, slowestMs: 4 }),
      part(1, 1, '2030-01-01', { kills: 7 }),
      { ...part(1, 4, '2030-01-01', { losses: 12 }), name: 'losses' },
    ]),
  ).toEqual({
    kills: { date: '2030-01-03', parts: '2 of 2', counts: { kills: 100, slowestMs: 9 } },
    losses: { date: '2030-01-01', parts: '1 of 4', counts: { losses: 12 } },
  });
  expect(countsFile(plan(2, 5), 'kills', {}).path).toBe('.cache/soak/kills.2-of-5.json');
});
