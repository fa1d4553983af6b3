import { describe, expect, it } from 'vitest';
import type { HarmDialRun } from '../../../src/core/experiments';
import {
  EXPOSURE,
  harmDialRows,
  harmDialWords,
} from '../../../src/ui/stages/people/experiments/harm-dial-chart';
import { rightPairRows } from '../../../src/ui/stages/people/experiments/right-pair-chart';

const run = (seed: number, exposure: number, harmAccuracy: number): HarmDialRun => ({
  seed,
  exposure,
  harmful: 100 * exposure,
  harmAccuracy,
  harmlessAccuracy: 0.8,
  harmRate: 0.25 - exposure / 4,
  kl: 1,
});
const record = {
  inputHash: '',
  values: { attribute: 'polite', noise: 0.5, harm_aversion: 1, length_bias: 0 } as const,
  comparisons: 100,
  ppoIterations: 10,
  seeds: 2,
  runs: [run(1, 0.5, 0.75), run(2, 0.5, 1), run(1, 0, 0.5), run(2, 0, 0.75)],
  baseline: [0.25, 0.5],
  harmPairs: 1,
  harmlessPairs: 1,
  answers: 1,
  written: 1,
  surrogates: 0,
};

describe('the harm dial as a chart', () => {
  it('has means and ranges over the seeds in per cent, exposure rising, and the SFT model beside', () => {
    const rows = harmDialRows(record);
    expect(rows.map((row) => row[EXPOSURE])).toEqual([0, 50]);
    expect(rows[0]).toMatchObject({
      'harmful pairs': 62.5,
      'harmful pairs, lowest seed': 50,
      'harmful pairs, highest seed': 75,
      'SFT model': 37.5,
    });
    expect(rows[1]!['harm rate']).toBe(12.5);
  });

  it('says the first and the last of it', () => {
    expect(harmDialWords(record)).toBe(
      'With 0 % harmful comparisons the reward model gets 63 % of the harmful pairs right, with 50 % it gets 88 %. ' +
        'The SFT model’s answers are harmful in 38 %; after PPO 25 % and 13 %.',
    );
  });
});

it('learning curves stand in one row for each number of rankings', () => {
  const point = { seed: 1, rankings: 6 } as const;
  expect(
    rightPairRows({
      points: [
        { ...point, choice: 'disagreement', accuracy: 0.75 },
        { ...point, choice: 'random', accuracy: 0.5 },
      ],
    }),
  ).toMatchObject([{ rankings: 6, disagreement: 75, chance: 50 }]);
});
