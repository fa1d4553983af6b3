import { describe, expect, test } from 'vitest';
import { diagnose } from '../../../src/core/diagnosis';
import type { MetricRow } from '../../../src/core/domain';
import { gaussian } from '../../../src/core/rng';
import { change, idsOf, ppoRows, runOf } from './diagnosis-runs';

const ids = (rows: readonly MetricRow[]) => idsOf(runOf('ppo', rows));
const only = (rows: readonly MetricRow[]) => {
  const [first, ...others] = diagnose(runOf('ppo', rows));
  expect(others.map(({ id }) => id)).toEqual([]);
  return first!;
};

describe('an identity that every row breaks names its bug and nothing else', () => {
  test('kl-sign: the charge has the sign of the KL', () => {
    const rows = change(ppoRows(), (row) => ({
      'objective/non_score_reward': 0.05 * row['objective/kl']!,
    }));
    const finding = only(rows);
    expect(finding).toMatchObject({ id: 'kl-sign', severity: 'alarm' });
    expect(finding.title).toMatch(/paid for, not charged/);
    expect(finding.steps[1]).toBe(30);
  });

  test('kl-sign: the charge is of another size', () => {
    const rows = change(ppoRows(), (row) => ({
      'objective/non_score_reward': -0.02 * row['objective/kl']!,
    }));
    expect(only(rows)).toMatchObject({ id: 'kl-sign', title: 'The KL charge is not −β·KL' });
  });

  test('reward-on-wrong-token: the score is missing from the sum', () => {
    const rows = change(ppoRows(), () => ({ 'check/reward_sum_error': 0.82 }));
    const finding = only(rows);
    expect(finding).toMatchObject({ id: 'reward-on-wrong-token', steps: [1, 30] });
    expect(finding.evidence).toContain('0.82 on average (in 30 of 30 iterations)');
  });

  test('reward-on-wrong-token: also when completions as long as the row hide it most of the time', () => {
    const rows = change(ppoRows(), (_, i) =>
      i === 11 || i === 20 ? { 'check/reward_sum_error': 0.1 } : {},
    );
    expect(only(rows)).toMatchObject({ id: 'reward-on-wrong-token', steps: [12, 21] });
  });

  test('unmasked-whitening: the mean is not 0', () => {
    const rows = change(ppoRows(), () => ({ 'check/advantage_mean': 0.06 }));
    expect(only(rows)).toMatchObject({ id: 'unmasked-whitening', severity: 'alarm' });
  });

  test('unmasked-whitening: the deviation is above 1', () => {
    const rows = change(ppoRows(), () => ({ 'check/advantage_std': 1.4 }));
    const finding = only(rows);
    expect(finding.id).toBe('unmasked-whitening');
    expect(finding.evidence).toContain('deviation 1.4');
  });

  test('returns-after-whitening: the last return is not the last reward', () => {
    const rows = change(ppoRows(), () => ({ 'check/return_last_error': 0.4 }));
    expect(only(rows)).toMatchObject({ id: 'returns-after-whitening', severity: 'alarm' });
  });

  test('value-not-initialised: the first row alone tells', () => {
    const rows = change(ppoRows(), (_, i) => (i === 0 ? { 'check/value_init_gap': 0.9 } : {}));
    expect(only(rows)).toMatchObject({ id: 'value-not-initialised', steps: [1, 1] });
    expect(ids(rows.slice(0, 1))).toEqual(['value-not-initialised']);
  });

  test.each([
    ['a KL above 0', { 'objective/kl': 0.4, 'objective/kl_k3': null }],
    ['a KL below 0', { 'objective/kl': -0.3, 'objective/kl_k3': null }],
    ['a KL that cancels out, but not k3', { 'objective/kl': 0, 'objective/kl_k3': 0.2 }],
  ])('reference-dropout: %s before the first update', (_, first) => {
    const kl = first['objective/kl'];
    const rows = change(ppoRows(), (_row, i) =>
      i === 0 ? { ...first, 'objective/non_score_reward': -0.05 * kl } : {},
    );
    expect(only(rows)).toMatchObject({ id: 'reference-dropout', steps: [1, 1] });
    expect(ids(rows.slice(0, 1))).toEqual(['reference-dropout']);
  });

  test('wrong-temperature: sampled and recomputed log-probabilities differ', () => {
    const rows = change(ppoRows(), () => ({ 'check/old_logprob_gap': 0.2 }));
    expect(only(rows)).toMatchObject({ id: 'wrong-temperature', severity: 'alarm' });
  });

  test('wrong-temperature: the first ratio scatters around 1', () => {
    const rows = change(ppoRows(), (_, i) => ({
      'val/ratio_first': 1 + 0.02 * gaussian(5, 98, i),
    }));
    const finding = only(rows);
    expect(finding.id).toBe('wrong-temperature');
    // Sixteen times the rollouts scatter a quarter as much.
    const many = change(ppoRows({ rollouts: 512 }), (_, i) => ({
      'val/ratio_first': 1 + 0.0008 * gaussian(5, 98, i),
    }));
    expect(ids(many)).toEqual(['wrong-temperature']);
    expect(finding.evidence).toMatch(/ratio before the first update is off 1 by 0\.01\d/);
  });

  test('first-ratio: a little off 1 is only a warning, and blames rounding', () => {
    const rows = change(ppoRows(), () => ({ 'val/ratio_first': 1.0004 }));
    const finding = only(rows);
    expect(finding).toMatchObject({ id: 'first-ratio', severity: 'warning' });
    expect(finding.cause).toMatch(/round/);
  });

  test('negative-kl: below 0 for longer than chance allows', () => {
    const rows = change(ppoRows(), (row, i) => {
      const kl = i === 0 ? 0 : -0.6 + 0.2 * gaussian(3, 97, i);
      return { 'objective/kl': kl, 'objective/non_score_reward': -0.05 * kl };
    });
    const finding = only(rows);
    expect(finding).toMatchObject({ id: 'negative-kl', severity: 'alarm' });
    expect(finding.evidence).toMatch(/−0\.\d+ nats/);
  });
});

describe('near misses are silent', () => {
  test('identities that hold but for rounding', () => {
    const rows = change(ppoRows(), (row) => ({
      'check/reward_sum_error': 0.0009,
      'check/advantage_mean': 0.0009,
      'check/advantage_std': 1.009,
      'check/return_last_error': 0.0009,
      'check/old_logprob_gap': 0.009,
      'val/ratio_first': 1.00009,
      'objective/non_score_reward': 0.9991 * row['objective/non_score_reward']! + 9e-6,
    }));
    expect(ids(rows)).toEqual([]);
  });

  test('a first row with the KL and the value gap of rounding', () => {
    const rows = change(ppoRows(), (_, i) =>
      i === 0
        ? { 'objective/kl': 5e-4, 'objective/kl_k3': 1e-6, 'check/value_init_gap': 0.005 }
        : {},
    );
    expect(ids(rows)).toEqual([]);
  });

  test('one odd row among thirty', () => {
    const rows = change(ppoRows(), (_, i) =>
      i === 12
        ? {
            'check/reward_sum_error': 0.5,
            'check/advantage_mean': 0.2,
            'check/advantage_std': 1.3,
            'check/return_last_error': 0.5,
            'check/old_logprob_gap': 0.5,
            'val/ratio_first': 1.1,
            'objective/non_score_reward': 0.5,
          }
        : {},
    );
    expect(ids(rows)).toEqual([]);
  });

  test('a run that is read from its middle: its KL is not the first one’s', () => {
    expect(ids(ppoRows().slice(9))).toEqual([]);
  });

  test('a KL that hovers around 0 because nothing is learnt', () => {
    for (let seed = 1; seed <= 100; seed++) {
      const rows = change(ppoRows({ seed, iterations: 60 }), (_, i) => {
        const kl = i === 0 ? 0 : 0.02 + 0.15 * gaussian(seed, 96, i);
        return { 'objective/kl': kl, 'objective/non_score_reward': -0.05 * kl };
      });
      expect(ids(rows), `seed ${seed}`).toEqual([]);
    }
  });

  test('KL sign while β is 0', () => {
    const rows = change(ppoRows(), () => ({
      'objective/kl_coef': 0,
      'objective/non_score_reward': 0,
    }));
    expect(ids(rows)).toEqual([]);
  });

  test('few tokens: Bessel’s correction leaves the deviation below 1', () => {
    const rows = change(ppoRows(), () => ({ 'check/advantage_std': 0.71 }));
    expect(ids(rows)).toEqual([]);
  });

  test('rows of an older version, without the checks', () => {
    const names = Object.keys(ppoRows()[0]!).filter((name) => /^check|k3$/.test(name));
    const rows = change(ppoRows(), () => Object.fromEntries(names.map((name) => [name, null])));
    expect(names).toHaveLength(7);
    expect(ids(rows)).toEqual([]);
  });
});

test('no check reads which bug is planted', () => {
  for (const bug of ['none', 'kl-sign', 'wrong-temperature']) {
    expect(idsOf(runOf('ppo', ppoRows(), { config: { bug } }))).toEqual([]);
  }
});
