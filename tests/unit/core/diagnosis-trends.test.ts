import { describe, expect, test } from 'vitest';
import { diagnose, enoughRows } from '../../../src/core/diagnosis';
import type { MetricRow } from '../../../src/core/domain';
import { gaussian } from '../../../src/core/rng';
import { change, idsOf, ppoRows, runOf } from './diagnosis-runs';

const ids = (rows: readonly MetricRow[], config: Record<string, string | number> = {}) =>
  idsOf(runOf('ppo', rows, { config }));
const find = (rows: readonly MetricRow[], id: string) =>
  diagnose(runOf('ppo', rows)).find((finding) => finding.id === id);
/** The KL replaced, its charge with it. */
const withKl = (rows: MetricRow[], kl: (i: number, before: number) => number) =>
  change(rows, (row, i) => {
    const value = kl(i, row['objective/kl']!);
    return { 'objective/kl': value, 'objective/non_score_reward': -0.05 * value };
  });

describe('healthy runs are silent', () => {
  test.each([
    ['the usual size', {}],
    ['short', { iterations: 12 }],
    ['long', { iterations: 120 }],
    ['few rollouts, so noisy', { rollouts: 8, iterations: 60 }],
    ['many rollouts', { rollouts: 256, iterations: 60 }],
  ])('200 seeds of %s', (_, shape) => {
    for (let seed = 1; seed <= 200; seed++) {
      expect(ids(ppoRows({ ...shape, seed })), `seed ${seed}`).toEqual([]);
    }
  });

  test('at every length while it grows', () => {
    const rows = ppoRows({ seed: 3, iterations: 40 });
    for (let length = 0; length <= rows.length; length++) {
      expect(ids(rows.slice(0, length)), `${length} rows`).toEqual([]);
    }
  });

  test('a run of this project, as it was logged', () => {
    const kl = [
      0, 0.043, 1.5, 1.84, 4.59, 3.39, 7.19, 5.2, 7.13, 7.16, 7.61, 7.22, 7.89, 7.58, 7.27, 9.72,
    ];
    const entropy = [
      9.34, 6.86, 9.05, 7.45, 8.8, 7.51, 8.91, 8.81, 8.81, 7.54, 8, 5.74, 7.09, 6.74, 7.4, 5.9,
    ];
    const fit = [
      -1.12, -2.17, -1.24, -0.751, -0.442, -0.286, 0.118, 0.159, 0.288, 0.009, 0.182, 0.155, 0.191,
      -0.018, 0.138, 0.488,
    ];
    const rows = change(ppoRows({ iterations: 16 }), (_, i) => ({
      'objective/kl': kl[i]!,
      'objective/kl_k3': null,
      'objective/non_score_reward': -0.05 * kl[i]!,
      'objective/entropy': entropy[i]!,
      'ppo/val/var_explained': fit[i]!,
    }));
    expect(ids(rows)).toEqual([]);
  });
});

describe('KL', () => {
  test('a jump is named with its step', () => {
    const rows = withKl(ppoRows(), (i, kl) => (i === 19 ? kl + 12 : kl));
    const finding = find(rows, 'kl-spike');
    expect(finding).toMatchObject({ severity: 'warning', steps: [20, 20] });
    expect(ids(rows)).toEqual(['kl-spike']);
  });

  test('a jump within the noise of few rollouts, a small one, or one out of a dip is not', () => {
    const few = withKl(ppoRows({ rollouts: 2 }), (i, kl) => (i === 19 ? kl + 12 : kl));
    expect(find(few, 'kl-spike')).toBeUndefined();
    const many = ppoRows({ rollouts: 256 });
    expect(ids(withKl(many, (i, kl) => (i === 19 ? kl + 4 : kl)))).toEqual([]);
    expect(ids(withKl(many, (i) => (i === 0 ? 0 : i === 19 ? 4.4 : 0.5)))).toEqual([]);
    expect(ids(withKl(many, (i, kl) => (i === 19 ? 0.1 : kl)))).toEqual([]);
    // Not twice as much.
    expect(ids(withKl(many, (i) => (i === 19 ? 20 : Math.min(12, i))))).toEqual([]);
  });

  test('more than 15 nats over five iterations is a warning, more than 30 an alarm', () => {
    const far = withKl(ppoRows(), (i) => 0.7 * i);
    expect(find(far, 'kl-too-high')).toMatchObject({ severity: 'warning', steps: [21, 30] });
    const away = withKl(ppoRows(), (i) => 1.6 * i);
    expect(find(away, 'kl-too-high')).toMatchObject({ severity: 'alarm' });
    expect(find(away, 'kl-too-high')?.evidence).toContain(
      'reached 43.2 nats a completion, as a mean over 5',
    );
  });

  test('14 nats are not, nor are four iterations above the limit', () => {
    expect(ids(withKl(ppoRows(), (i) => Math.min(14, i)))).toEqual([]);
    expect(ids(withKl(ppoRows(), (i) => (i > 25 ? 16 : Math.min(10, i))))).toEqual([]);
  });

  test('the adaptive controller may aim higher', () => {
    const rows = withKl(ppoRows(), (i) => Math.min(24, i));
    expect(ids(rows, { kl_controller: 'adaptive', target_kl: 14 })).toEqual([]);
    expect(ids(rows, { kl_controller: 'adaptive', target_kl: 6 })).toEqual(['kl-too-high']);
    expect(ids(rows, { kl_controller: 'fixed', target_kl: 14 })).toEqual(['kl-too-high']);
  });
});

describe('length', () => {
  const growing = (share: number) => (row: MetricRow, i: number) => ({
    response_length: 20 * (1 + (share * i) / 29) + 0.5 * gaussian(4, 95, i),
    'objective/scores': 0.05 + i / 30 + 0.1 * gaussian(4, 94, i),
  });

  test('that rises with the reward is named', () => {
    const rows = change(ppoRows(), growing(1));
    expect(ids(rows)).toEqual(['reward-by-length']);
    expect(find(rows, 'reward-by-length')?.evidence).toMatch(/from 21\.\d to 3\d\.\d tokens/);
  });

  test('that rises by a quarter is not', () => {
    expect(ids(change(ppoRows(), growing(0.25)))).toEqual([]);
  });

  test('that rises while the reward does not is not', () => {
    const rows = change(ppoRows(), (row, i) => ({
      ...growing(1)(row, i),
      'objective/scores': 0.1 * gaussian(4, 94, i),
    }));
    expect(ids(rows)).toEqual([]);
  });

  test('that rises with hardly any reward is not', () => {
    const rows = change(ppoRows(), (row, i) => ({
      ...growing(1)(row, i),
      'objective/scores': 0.1 + 0.004 * i,
    }));
    expect(ids(rows)).toEqual([]);
  });

  test('that jumped apart from the reward is not', () => {
    // Longer from the start of the last third; the reward had risen before and falls since.
    const rows = change(ppoRows(), (_, i) => ({
      response_length: i < 20 ? 20 : 32,
      'objective/scores': i < 20 ? 0.1 * i : 2 - 0.15 * (i - 20),
    }));
    expect(ids(rows)).toEqual([]);
  });
});

describe('entropy', () => {
  const falling = (to: number, reward: number) => (_: MetricRow, i: number) => ({
    'objective/entropy': 9 * Math.exp((Math.log(to / 9) * i) / 27),
    'objective/scores': (reward * i) / 29 + 0.05 * gaussian(6, 93, i),
  });

  test('that falls to nothing is named, reward or no reward', () => {
    const gained = change(ppoRows(), falling(0.4, 1.5));
    expect(ids(gained)).toEqual(['entropy-collapse']);
    expect(find(gained, 'entropy-collapse')?.evidence).toMatch(/reward went from 0\.\d+ to 1\.\d/);
    expect(ids(change(ppoRows(), falling(0.4, 0)))).toEqual(['entropy-collapse']);
  });

  test('that falls to a quarter is named only when nothing is gained by it', () => {
    expect(ids(change(ppoRows(), falling(2.2, 0)))).toEqual(['entropy-collapse']);
    expect(ids(change(ppoRows(), falling(2.2, 1.5)))).toEqual([]);
  });

  test('that falls to half, or was low from the start, is not', () => {
    expect(ids(change(ppoRows(), falling(4, 0)))).toEqual([]);
    expect(ids(change(ppoRows(), () => ({ 'objective/entropy': 0.8 })))).toEqual([]);
  });
});

describe('value model', () => {
  test('worse than a constant for long', () => {
    const rows = change(ppoRows(), () => ({ 'ppo/val/var_explained': -0.3 }));
    expect(ids(rows)).toEqual(['value-failing']);
    expect(find(rows, 'value-failing')?.steps).toEqual([21, 30]);
    expect(find(rows, 'value-failing')?.evidence).toContain('explains −30 %');
  });

  test('a bad start, or a fit just above 0, is healthy', () => {
    const slow = change(ppoRows(), (_, i) => ({
      'ppo/val/var_explained': i < 20 ? -2 : 0.01,
    }));
    expect(ids(slow)).toEqual([]);
    const start = change(ppoRows({ iterations: 19 }), () => ({ 'ppo/val/var_explained': -2 }));
    expect(ids(start)).toEqual([]);
  });
});

describe('end token', () => {
  const ending = (count: number) => change(ppoRows(), () => ({ 'val/num_eos_tokens': count }));

  test('never written is an alarm, seldom written a warning', () => {
    expect(find(ending(0), 'eos-missing')).toMatchObject({
      severity: 'alarm',
      title: 'Completions never end',
      steps: [1, 30],
    });
    expect(find(ending(10), 'eos-missing')).toMatchObject({ severity: 'warning' });
    expect(find(ending(10), 'eos-missing')?.evidence).toContain('31 %');
  });

  test('the cause tells what was never learnt from what was unlearnt and from what was cut', () => {
    const later = change(ppoRows(), (_, i) => (i < 10 ? {} : { 'val/num_eos_tokens': 0 }));
    expect(find(later, 'eos-missing')).toMatchObject({ steps: [10, 30], severity: 'alarm' });
    expect(find(later, 'eos-missing')?.cause).toMatch(/unlearnt/);
    expect(find(ending(0), 'eos-missing')?.cause).toMatch(/never learnt/);
    expect(find(ending(10), 'eos-missing')?.cause).toMatch(/shorter than/);
  });

  test('three iterations are enough to tell', () => {
    expect(ids(ending(0).slice(0, 2))).toEqual([]);
    expect(ids(ending(0).slice(0, 3))).toEqual(['eos-missing']);
  });

  test('more than half is healthy, and nothing is asked where ending does not count', () => {
    expect(ids(ending(17))).toEqual([]);
    expect(ids(ending(0), { missing_eos: 'off' })).toEqual([]);
  });
});

describe('updates', () => {
  test('that move the policy too far', () => {
    const rows = change(ppoRows(), (_, i) => (i < 4 ? { 'policy/approxkl_avg': 0.15 } : {}));
    expect(ids(rows)).toEqual(['update-too-large']);
    expect(find(rows, 'update-too-large')).toMatchObject({ severity: 'alarm', steps: [1, 5] });
  });

  test('that are mostly clipped', () => {
    const rows = change(ppoRows(), () => ({ 'policy/clipfrac_avg': 0.4 }));
    expect(ids(rows)).toEqual(['clipped-too-often']);
  });

  test('below their alarms, or above them once, are healthy', () => {
    const below = change(ppoRows(), () => ({
      'policy/approxkl_avg': 0.095,
      'policy/clipfrac_avg': 0.29,
    }));
    expect(ids(below)).toEqual([]);
    const once = change(ppoRows(), (_, i) =>
      i === 8 ? { 'policy/approxkl_avg': 0.2, 'policy/clipfrac_avg': 0.5 } : {},
    );
    expect(ids(once)).toEqual([]);
  });
});

test('alarms come before warnings, causes before symptoms', () => {
  const rows = change(
    withKl(ppoRows(), (i) => 1.6 * i),
    (row) => ({
      'objective/non_score_reward': 0.05 * row['objective/kl']!,
      'ppo/val/var_explained': -1,
    }),
  );
  expect(ids(rows)).toEqual(['kl-sign', 'kl-too-high', 'value-failing']);
});

test('ten iterations are enough to say that nothing is wrong', () => {
  expect(enoughRows({ stage: 'ppo', rows: ppoRows({ iterations: 9 }) })).toBe(false);
  expect(enoughRows({ stage: 'ppo', rows: ppoRows({ iterations: 10 }) })).toBe(true);
});

test('numbers that are not finite are left out', () => {
  const rows = change(ppoRows(), (_, i) =>
    i % 2 === 0 ? {} : { 'objective/kl': NaN, 'policy/approxkl_avg': Infinity },
  );
  expect(ids(rows)).toEqual([]);
});
