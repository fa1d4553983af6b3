import { describe, expect, test } from 'vitest';
import { diagnose, enoughRows } from '../../../src/core/diagnosis';
import type { MetricRow } from '../../../src/core/domain';
import { change, COUNTS, dpoRows, idsOf, runOf } from './diagnosis-runs';

const dpo = (rows: readonly MetricRow[], counts = COUNTS) => {
  const run = runOf('dpo', rows, { counts });
  return { ...run, config: { ...run.config, beta: 0.1 } };
};

describe('DPO', () => {
  test('200 healthy runs, short and long, are silent', () => {
    for (let seed = 1; seed <= 200; seed++) {
      expect(idsOf(dpo(dpoRows({ seed }))), `seed ${seed}`).toEqual([]);
      expect(idsOf(dpo(dpoRows({ seed, steps: 60 }))), `seed ${seed}`).toEqual([]);
    }
    expect(enoughRows({ stage: 'dpo', rows: dpoRows({ steps: 5 }) })).toBe(false);
  });

  test('dpo-forgets: the better answers lose likelihood with the worse ones, in nats by β', () => {
    const rows = change(dpoRows(), (row, i) => ({
      'rewards/chosen': -1.2 * (i / 23),
      'rewards/rejected': row['rewards/rejected']! - 1.2 * (i / 23),
    }));
    const [finding] = diagnose(dpo(rows));
    expect(finding).toMatchObject({ id: 'dpo-forgets', severity: 'alarm', steps: [17, 24] });
    expect(finding?.evidence).toMatch(/10\.2 nats less likely .*the worse ones 2\d/);
    // The same rewards at a β ten times as large are a tenth of the nats.
    const strong = dpo(rows);
    expect(idsOf({ ...strong, config: { ...strong.config, beta: 1 } })).toEqual([]);
  });

  test('dpo-memorises: nearly all training pairs right, the held-out ones not', () => {
    const perfect = change(dpoRows({ accuracy: 0.66 }), (_, i) => ({
      'rewards/accuracies': Math.min(1, 0.5 + i / 16),
    }));
    const many = { ...COUNTS, heldOutPairs: 200 };
    const [finding] = diagnose(dpo(perfect, many));
    expect(finding).toMatchObject({ id: 'dpo-memorises', severity: 'warning' });
    expect(finding?.evidence).toMatch(/^100 % of the training pairs .* 66 % of about 200/);
    // So few held-out pairs leave room for the same accuracy; and 80 % is as good as such rankings allow.
    expect(idsOf(dpo(perfect, { ...COUNTS, heldOutPairs: 2 }))).toEqual(['dpo-near-chance']);
    expect(idsOf(dpo(change(dpoRows(), () => ({ 'rewards/accuracies': 1 }))))).toEqual([]);
  });

  test('one epoch is no memorising', () => {
    const rows = change(dpoRows({ accuracy: 0.66 }), (row) => ({
      'rewards/accuracies': 1,
      epoch: row['epoch']! / 3,
    }));
    expect(idsOf(dpo(rows, { ...COUNTS, heldOutPairs: 200 }))).toEqual([]);
  });

  test('dpo-near-chance: the interval holds 50 %, or lies below', () => {
    expect(diagnose(dpo(dpoRows({ accuracy: 0.55 })))).toMatchObject([
      { id: 'dpo-near-chance', severity: 'warning', steps: [24, 24] },
    ]);
    expect(diagnose(dpo(dpoRows({ accuracy: 0.1 })))).toMatchObject([
      { id: 'dpo-near-chance', severity: 'alarm' },
    ]);
    expect(idsOf(dpo(dpoRows({ accuracy: 0.55 }).slice(0, 6)))).toEqual([]);
  });

  test('loss-rising holds for DPO too', () => {
    expect(idsOf(dpo(change(dpoRows(), (_, i) => ({ loss: 0.5 + 0.3 * i }))))).toEqual([
      'loss-rising',
    ]);
  });
});
