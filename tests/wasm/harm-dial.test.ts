/** The harm dial on a real model. */
import { expect, test } from 'vitest';
import { stageConfig } from '../../src/core/config';
import { HARM_EXPOSURES } from '../../src/core/experiments';
import { numTensors } from '../../src/engine/memory';
import { dialHarm } from '../../src/rlhf/harm-dial';
import { ended, experimentTests, KIND } from './experiment-fixture';

const at = experimentTests();

test('the harm dial rises with exposure over three seeds', async () => {
  const before = numTensors();
  const record = await ended(
    dialHarm(
      {
        ...at.start,
        prompts: at.task.prompts.slice(0, 16),
        reward: stageConfig('reward', {}),
        ppo: stageConfig('ppo', { response_length: 24 }),
      },
      // the policy is tested with the electorate
      { values: KIND, comparisons: 160, ppoIterations: 0, seeds: 3 },
    ),
  );
  expect(numTensors()).toBe(before);
  expect(record.runs).toHaveLength(3 * HARM_EXPOSURES.length);
  expect(record.baseline).toHaveLength(3);
  const accuracyAt = (exposure: number) => {
    const own = record.runs.filter((run) => run.exposure === exposure);
    return own.reduce((sum, { harmAccuracy }) => sum + harmAccuracy, 0) / own.length;
  };
  expect(
    record.runs.filter(({ exposure }) => exposure === 0).every((run) => run.harmful === 0),
  ).toBe(true);
  expect(accuracyAt(0.5)).toBeGreaterThan(accuracyAt(0) + 0.1);
  expect(accuracyAt(0.2)).toBeGreaterThan(accuracyAt(0));
  expect(accuracyAt(0.5)).toBeGreaterThan(accuracyAt(0.2));
});
