/** The harm dial on a real model. */
import { expect, test } from 'vitest';
import { stageConfig, type PpoConfig } from '../../src/core/config';
import { HARM_EXPOSURES, type HarmDialRequest } from '../../src/core/experiments';
import { numTensors } from '../../src/engine/memory';
import { dialHarm } from '../../src/rlhf/harm-dial';
import { ended, experimentTests, KIND } from './experiment-fixture';

const at = experimentTests();

const dial = (ppo: Partial<PpoConfig>, request: HarmDialRequest) =>
  ended(
    dialHarm(
      {
        ...at.start,
        prompts: at.task.prompts.slice(0, 16),
        reward: stageConfig('reward', {}),
        ppo: stageConfig('ppo', { response_length: 24, ...ppo }),
      },
      request,
    ),
  );

test('the harm dial rises with exposure over three seeds', async () => {
  const before = numTensors();
  // the policies are the next test's
  const record = await dial({}, { values: KIND, comparisons: 160, ppoIterations: 0, seeds: 3 });
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

test('a policy that follows a reward model which has seen harm writes less of it', async () => {
  const record = await dial(
    { rollout_batch_size: 16, learning_rate: 2e-3, kl_coef: 0.05 },
    { values: { ...KIND, harm_aversion: 3 }, comparisons: 160, ppoIterations: 6, seeds: 1 },
  );
  const [before] = record.baseline;
  const rates = record.runs.map(({ harmRate }) => harmRate);
  console.info(`harmful answers: SFT ${before!.toFixed(2)}, by exposure ${rates.join(', ')}`);
  expect(record.runs.every(({ kl }) => kl > 0.01)).toBe(true);
  const half = record.runs.find(({ exposure }) => exposure === 0.5)!;
  expect(half.harmRate).toBeLessThan(before!);
  // and less than one that follows a model which has seen none
  expect(half.harmRate).toBeLessThan(rates[0]!);
});
