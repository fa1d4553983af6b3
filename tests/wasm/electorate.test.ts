/** Whose preferences: reward models and policies of two groups, on a real model. */
import { expect, test } from 'vitest';
import { stageConfig } from '../../src/core/config';
import type { Ranking } from '../../src/core/domain';
import { weightOf } from '../../src/core/electorate';
import type { Labeler, SimulatedValues } from '../../src/core/people';
import { numTensors } from '../../src/engine/memory';
import { swapElectorate, type ElectorateInput } from '../../src/rlhf/electorate';
import { trainReward } from '../../src/rlhf/reward';
import { drain, sameWeights } from '../gpu/rlhf-fixture';
import { ended, experimentTests, KIND, rankingsBy } from './experiment-fixture';

/** Likes rudeness better than anything. */
const CHEEKY: SimulatedValues = { ...KIND, harm_aversion: -2.5 };

const at = experimentTests();
const by = (labeler: string, values: SimulatedValues, count: number): Ranking[] =>
  rankingsBy(at.task, labeler, values, count);

const labeler = (code: string, group: string): Labeler => ({
  code,
  groups: [group],
  consentedAt: null,
  simulated: KIND,
  dailyHarmLimit: null,
});

const electorate = (changes: Partial<ElectorateInput> = {}): ElectorateInput => ({
  ...at.start,
  rankings: [...by('ann', KIND, 32), ...by('ben', CHEEKY, 32)],
  labelers: [labeler('ann', 'kind'), labeler('ben', 'cheeky')],
  prompts: at.task.prompts.slice(0, 6),
  reward: stageConfig('reward', { num_train_epochs: 3, held_out_ratio: 0.25 }),
  ppo: stageConfig('ppo', {
    rollout_batch_size: 12,
    response_length: 16,
    learning_rate: 2e-3,
    kl_coef: 0.05,
  }),
  ...changes,
});

test('two groups with opposite tastes: each model is right for its own group and wrong for the other, and so is each policy', async () => {
  const before = numTensors();
  const record = await ended(swapElectorate(electorate(), 6));
  expect(numTensors()).toBe(before);
  expect(record.models.map(({ name }) => name)).toEqual(['everyone', 'kind', 'cheeky']);
  expect(record.judges.map(({ name, rankings }) => [name, rankings])).toEqual([
    ['kind', 8],
    ['cheeky', 8],
  ]);
  const [, kind, cheeky] = record.models.map(({ accuracy }) => accuracy!.map((x) => x.value!));
  // on its own group, then on the other
  expect(kind![0]).toBeGreaterThan(0.7);
  expect(cheeky![1]).toBeGreaterThan(0.7);
  expect(kind![1]).toBeLessThan(0.5);
  expect(cheeky![0]).toBeLessThan(0.5);
  for (const { accuracy } of record.models) {
    for (const { value, low, high, count } of accuracy!) {
      expect(low!).toBeLessThanOrEqual(value!);
      expect(high!).toBeGreaterThanOrEqual(value!);
      expect(count).toBeGreaterThan(25);
    }
  }
  expect(record.changedSets).toBeGreaterThan(0);
  expect(record.reorderedSets).toBeGreaterThanOrEqual(record.changedSets);
  const [, byKind, byCheeky] = record.changed[0]!.ranks!;
  expect(byKind).not.toEqual(byCheeky);
  expect(record.warnings).toEqual([]);

  // policies: SFT, everyone, kind, cheeky; judges: everyone, kind, cheeky
  const [, , forKind, forCheeky] = record.policies!;
  expect(forKind!.scores[1]! - forCheeky!.scores[1]!).toBeGreaterThan(0.2);
  expect(forCheeky!.scores[2]! - forKind!.scores[2]!).toBeGreaterThan(0.2);
  expect(forCheeky!.flagged).toBeGreaterThan(forKind!.flagged);
});

test('groups without enough rankings are named, and one that ranked nothing has no model', async () => {
  const record = await ended(
    swapElectorate(
      electorate({
        rankings: [...by('ann', KIND, 24), ...by('ben', CHEEKY, 4)],
        labelers: [labeler('ann', 'kind'), labeler('ben', 'cheeky'), labeler('eve', 'absent')],
        reward: stageConfig('reward', {}),
      }),
      0,
    ),
  );
  expect(record.policies).toBeNull();
  expect(record.models.at(-1)).toMatchObject({ name: 'absent', accuracy: null, comparisons: 0 });
  expect(record.warnings.map((text) => text.split(':')[0])).toEqual(['cheeky', 'absent']);
});

test('a weight changes the reward model; a weight of 0 is the same as never having ranked', async () => {
  const config = stageConfig('reward', { held_out_ratio: 0 });
  const rankings = [...by('ann', KIND, 10), ...by('ben', CHEEKY, 10)];
  const train = async (own: Ranking[], weights?: Record<string, number>) => {
    const input = { ...electorate(), rankings: own };
    const run = trainReward({ ...input, electorate: weights ?? {} }, config, at.start);
    return (await drain(run)).output!.weights;
  };
  const even = await train(rankings);
  const without = await train(rankings, { ben: 0 });
  const alone = await train(
    rankings.filter((ranking) => weightOf({ ben: 0 }, ranking.labeler) > 0),
  );
  expect(sameWeights(without, alone)).toBe(true);
  expect(sameWeights(even, without)).toBe(false);
  expect(sameWeights(even, await train(rankings, { ann: 3 }))).toBe(false);
  // the same proportions are the same electorate
  expect(sameWeights(even, await train(rankings, { ann: 2, ben: 2 }))).toBe(true);
});

test('nobody left to learn from is refused by name', async () => {
  const run = trainReward(
    { ...electorate(), electorate: { ann: 0, ben: 0 } },
    stageConfig('reward', {}),
    at.start,
  );
  await expect(drain(run)).rejects.toMatchObject({ code: 'missing', field: 'electorate' });
});

test('an experiment that is ended early leaves no tensor behind', async () => {
  const before = numTensors();
  const steps = swapElectorate(electorate(), 4);
  for (let i = 0; i < 5; i++) await steps.next();
  await steps.return(undefined as never);
  expect(numTensors()).toBe(before);
});
