/** Ask me the right pair: which sets come first, and whether that pays, on a real model. */
import { expect, test } from 'vitest';
import { stageConfig } from '../../src/core/config';
import { numTensors } from '../../src/engine/memory';
import { askFirst, rightPairCurves } from '../../src/rlhf/right-pair';
import { ended, experimentTests, KIND, rankingsBy } from './experiment-fixture';

const at = experimentTests();

test('asking first puts what is disputed in front, the same way every time', async () => {
  const [polite, rude, plain] = ['With pleasure, my dear.', 'Go away, turnip.', 'In the shed.'];
  const input = {
    ...at.start,
    reward: stageConfig('reward', { num_train_epochs: 3 }),
    rankings: rankingsBy(at.task, 'ann', KIND, 8),
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
        ...at.start,
        prompts: at.task.prompts.slice(0, 15),
        reward: stageConfig('reward', {}),
        response_length: 24,
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
