/** The experiments on a real model: WebAssembly, which is several times faster here than software WebGPU. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { stageConfig } from '../../src/core/config';
import type { Ranking } from '../../src/core/domain';
import { weightOf } from '../../src/core/electorate';
import { HARM_EXPOSURES } from '../../src/core/experiments';
import type { Labeler, SimulatedValues } from '../../src/core/people';
import { closeEngine, openEngine } from '../../src/engine/backend';
import { numTensors } from '../../src/engine/memory';
import { swapElectorate, type ElectorateInput } from '../../src/rlhf/electorate';
import { dialHarm } from '../../src/rlhf/harm-dial';
import { trainReward } from '../../src/rlhf/reward';
import { askFirst, rightPairCurves } from '../../src/rlhf/right-pair';
import { simulatedRanking } from '../../src/rlhf/simulated-rankings';
import { trainSft } from '../../src/rlhf/sft';
import {
  asDemonstrations,
  drain,
  loadNano,
  loadTask,
  sameWeights,
  type Nano,
  type Task,
} from './rlhf-fixture';

const KIND: SimulatedValues = {
  attribute: 'polite',
  noise: 0.2,
  harm_aversion: 1.5,
  length_bias: 0,
};
/** Likes rudeness better than anything. */
const CHEEKY: SimulatedValues = { ...KIND, harm_aversion: -2.5 };

let nano: Nano;
let task: Task;
/** nano after a short SFT: its answers are polite, plain and rude. */
let sft: Nano;

beforeAll(async () => {
  await openEngine({ force: 'wasm' });
  nano = await loadNano();
  task = await loadTask('polite');
  const { output } = await drain(
    trainSft(
      { ...nano, demonstrations: asDemonstrations(task, 80, 0), samplePrompts: [], seed: 1 },
      stageConfig('sft', { num_train_epochs: 3 }),
      nano,
    ),
  );
  sft = { ...nano, weights: output!.weights };
});
afterAll(closeEngine);

async function ended<T>(steps: AsyncGenerator<unknown, T>): Promise<T> {
  for (;;) {
    const next = await steps.next();
    if (next.done === true) return next.value;
  }
}

/** A labeler's rankings of `count` sets of the bundled completions. */
function rankingsBy(labeler: string, values: SimulatedValues, count: number): Ranking[] {
  return Array.from({ length: count }, (_, i) => {
    const texts = Array.from({ length: 4 }, (_, k) => ({
      text: task.demonstrations[(i * 5 + k * 7) % task.demonstrations.length]!.completion,
      finish: 'eos' as const,
    }));
    const prompt = task.prompts[i % task.prompts.length]!;
    return { ...simulatedRanking(values, { prompt, texts }, 1, i), labeler };
  });
}

const labeler = (code: string, group: string): Labeler => ({
  code,
  groups: [group],
  consentedAt: null,
  simulated: KIND,
  dailyHarmLimit: null,
});

const electorate = (changes: Partial<ElectorateInput> = {}): ElectorateInput => ({
  ...sft,
  demonstrations: asDemonstrations(task, 20, 0),
  rankings: [...rankingsBy('ann', KIND, 32), ...rankingsBy('ben', CHEEKY, 32)],
  labelers: [labeler('ann', 'kind'), labeler('ben', 'cheeky')],
  prompts: task.prompts.slice(0, 6),
  reward: stageConfig('reward', { num_train_epochs: 3, held_out_ratio: 0.25 }),
  ppo: stageConfig('ppo', {
    rollout_batch_size: 12,
    response_length: 16,
    learning_rate: 2e-3,
    kl_coef: 0.05,
  }),
  seed: 1,
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
        rankings: [...rankingsBy('ann', KIND, 24), ...rankingsBy('ben', CHEEKY, 4)],
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
  const rankings = [...rankingsBy('ann', KIND, 10), ...rankingsBy('ben', CHEEKY, 10)];
  const train = async (own: Ranking[], weights?: Record<string, number>) => {
    const input = { ...electorate(), rankings: own };
    const run = trainReward({ ...input, electorate: weights ?? {} }, config, sft);
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
    sft,
  );
  await expect(drain(run)).rejects.toMatchObject({ code: 'missing', field: 'electorate' });
});

test('the harm dial rises with exposure over three seeds', async () => {
  const before = numTensors();
  const record = await ended(
    dialHarm(
      {
        ...sft,
        demonstrations: asDemonstrations(task, 20, 0),
        prompts: task.prompts.slice(0, 16),
        reward: stageConfig('reward', {}),
        ppo: stageConfig('ppo', { response_length: 24 }),
        seed: 1,
      },
      // the policy is tested with the electorate
      { values: KIND, comparisons: 160, ppoIterations: 0, seeds: 3 },
    ),
  );
  expect(numTensors()).toBe(before);
  expect(record.runs).toHaveLength(3 * HARM_EXPOSURES.length);
  expect(record.baseline).toHaveLength(3);
  const at = (exposure: number) => {
    const own = record.runs.filter((run) => run.exposure === exposure);
    return own.reduce((sum, { harmAccuracy }) => sum + harmAccuracy, 0) / own.length;
  };
  expect(
    record.runs.filter(({ exposure }) => exposure === 0).every((run) => run.harmful === 0),
  ).toBe(true);
  expect(at(0.5)).toBeGreaterThan(at(0) + 0.1);
  expect(at(0.2)).toBeGreaterThan(at(0));
  expect(at(0.5)).toBeGreaterThan(at(0.2));
});

test('asking first puts what is disputed in front, the same way every time', async () => {
  const [polite, rude, plain] = ['With pleasure, my dear.', 'Go away, turnip.', 'In the shed.'];
  const input = {
    ...electorate(),
    rankings: rankingsBy('ann', KIND, 16),
    sets: [
      // one text four times: nothing to disagree about
      { id: 'same', prompt: 'Who is Sam?', texts: [plain, plain, plain, plain] },
      { id: 'mixed', prompt: 'Who is Sam?', texts: [polite, rude, plain, 'You again?'] },
      { id: 'close', prompt: 'Good morning!', texts: ['Soup.', 'By the well.', plain, 'Gladly.'] },
    ],
  };
  const before = numTensors();
  const order = await ended(askFirst(input));
  expect(numTensors()).toBe(before);
  expect(order.at(-1)).toEqual({ setId: 'same', disagreement: 0 });
  expect(order[0]!.disagreement).toBeGreaterThanOrEqual(order[1]!.disagreement);
  expect(order[1]!.disagreement).toBeGreaterThan(0);
  expect(await ended(askFirst(input))).toEqual(order);
});

test('learning curves: both ways start alike, and more rankings are better than few', async () => {
  const record = await ended(
    rightPairCurves(
      {
        ...sft,
        demonstrations: asDemonstrations(task, 20, 0),
        prompts: task.prompts.slice(0, 15),
        reward: stageConfig('reward', {}),
        response_length: 24,
        seed: 1,
      },
      { values: { ...KIND, noise: 0 }, seeds: 1 },
    ),
  );
  const of = (choice: string) => record.points.filter((point) => point.choice === choice);
  const [asked, chance] = [of('disagreement'), of('random')];
  expect(asked.map(({ rankings }) => rankings)).toEqual([6, 12, 18, 24, 36]);
  expect(chance.map(({ rankings }) => rankings)).toEqual([6, 12, 18, 24, 36]);
  expect(asked[0]!.accuracy).toBe(chance[0]!.accuracy);
  const accuracies = (curve: typeof asked) => curve.map(({ accuracy }) => accuracy);
  expect(accuracies(asked)).not.toEqual(accuracies(chance));
  expect(record.pool).toBe(40);
  for (const curve of [asked, chance]) {
    expect(curve.at(-1)!.accuracy).toBeGreaterThan(curve[0]!.accuracy);
  }
});

test('an experiment that is ended early leaves no tensor behind', async () => {
  const before = numTensors();
  const steps = swapElectorate(electorate(), 4);
  for (let i = 0; i < 5; i++) await steps.next();
  await steps.return(undefined as never);
  expect(numTensors()).toBe(before);
});
