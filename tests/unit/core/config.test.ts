import { describe, expect, test } from 'vitest';
import { RANKINGS_FIELDS, STAGE_FIELDS, stageConfig } from '../../../src/core/config';
import { PlaygroundError } from '../../../src/core/errors';
import { fieldProblem, type Fields } from '../../../src/core/fields';
import { METRICS } from '../../../src/core/metrics';
import { rolloutSettings } from '../../../src/core/run-data';
import { countParameters, PRESETS } from '../../../src/core/presets';

const refusal = (run: () => unknown) => {
  try {
    run();
  } catch (error) {
    if (error instanceof PlaygroundError) return error;
  }
  throw new Error('nothing was refused');
};

describe('every setting', () => {
  const stages: Record<string, Fields> = { ...STAGE_FIELDS, rankings: RANKINGS_FIELDS };
  const all = Object.entries(stages).flatMap(([stage, fields]) =>
    Object.entries(fields).map(([name, field]) => ({ name: `${stage}.${name}`, field })),
  );
  test.each(all)('$name has a default in its range, a reason and a source', ({ field }) => {
    expect(fieldProblem(field, field.default)).toBeNull();
    expect(field.why.length).toBeGreaterThan(15);
    expect(field.source).not.toBe('');
  });
});

describe('impossible settings', () => {
  test('are refused by field with the allowed range', () => {
    const error = refusal(() => stageConfig('sft', { learning_rate: 5 }));
    expect(error.code).toBe('config');
    expect(error.field).toBe('learning_rate');
    expect(error.message).toContain('from 0.000001 to 0.1');
  });
  test.each([
    ['learning_rate', 0.11],
    ['num_train_epochs', 0],
    ['num_train_epochs', 1.5],
    ['num_train_epochs', NaN],
    ['num_train_epochs', '3'],
    ['held_out_ratio', -0.1],
    ['__proto__x', 1],
    ['constructor', 1],
  ])('%s = %s', (field, value) => {
    expect(refusal(() => stageConfig('sft', { [field]: value })).field).toBe(field);
  });
  test('an unknown option names the known ones', () => {
    expect(refusal(() => stageConfig('ppo', { kl_controller: 'magic' })).message).toContain(
      'adaptive',
    );
  });
});

test('missing fields take their default', () => {
  const config = stageConfig('ppo', { kl_coef: 0 });
  expect(config.kl_coef).toBe(0);
  expect(config.cliprange).toBe(0.2);
});

test('what is measured beside PPO takes its settings from PPO, and defaults for what is not allowed', () => {
  const run = { response_length: 12, temperature: 0.7, reward_clip: -3, gone: 1, kl_coef: 0.2 };
  expect(rolloutSettings(run)).toEqual({
    rollout_batch_size: 32,
    response_length: 12,
    temperature: 0.7,
    missing_eos: 'replace',
    missing_eos_penalty: 1,
    reward_clip: 10,
  });
});

test('presets have the stated sizes', () => {
  expect(countParameters(PRESETS.nano)).toBe(133440);
  expect(countParameters(PRESETS.tiny)).toBe(1053824);
  expect(countParameters(PRESETS.small)).toBe(5270784);
});

test('each metric has a label, a formula and a sentence', () => {
  for (const metric of Object.values(METRICS)) {
    expect(metric.label).not.toBe('');
    expect(metric.formula).not.toBe('');
    expect(metric.sentence.endsWith('.')).toBe(true);
  }
});
