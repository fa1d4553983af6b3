/** Every bug of the lab, planted in a real run, is named by the diagnosis from the logged rows. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PPO_BUGS, REWARD_BUGS, SFT_BUGS, type BugId } from '../../src/core/bugs';
import { stageConfig } from '../../src/core/config';
import type { MetricRow } from '../../src/core/domain';
import { diagnose } from '../../src/core/diagnosis';
import type { CheckedRun } from '../../src/core/diagnosis-finding';
import { closeEngine, openEngine } from '../../src/engine/backend';
import { trainPpo } from '../../src/rlhf/ppo';
import { trainReward } from '../../src/rlhf/reward';
import { trainSft } from '../../src/rlhf/sft';
import {
  asDemonstrations,
  drain,
  loadNano,
  loadTask,
  politeRankings,
  type Nano,
  type Task,
} from '../gpu/rlhf-fixture';

const ALL: readonly string[] = [...SFT_BUGS, ...REWARD_BUGS, ...PPO_BUGS];

let nano: Nano;
let task: Task;
let reward: { weights: Nano['weights']; rewardShift: number; rewardScale: number };

beforeAll(async () => {
  await openEngine({ force: 'wasm' });
  nano = await loadNano();
  task = await loadTask('polite');
  reward = (await drain(trainReward(rewardInput(8), stageConfig('reward', {}), nano))).output!;
});
afterAll(closeEngine);

const rewardInput = (count: number) => ({
  ...nano,
  rankings: politeRankings(task, count),
  demonstrations: asDemonstrations(task, 12, 0),
  seed: 1,
});

/** Bugs that the diagnosis finds in rows; it is told nothing of what was planted. */
function named(stage: CheckedRun['stage'], rows: MetricRow[]): string[] {
  const ids = diagnose({ stage, rows, config: {} }).map(({ id }) => id as string);
  return ids.filter((id) => ALL.includes(id));
}

describe('SFT', () => {
  test.each(SFT_BUGS)('%s', async (bug) => {
    const input = {
      ...nano,
      demonstrations: asDemonstrations(task, 24, 0),
      samplePrompts: [],
      seed: 1,
    };
    const config = stageConfig('sft', { num_train_epochs: 1, bug });
    const { rows } = await drain(trainSft(input, config, nano));
    expect(named('sft', rows)).toEqual(bug === 'none' ? [] : [bug]);
  });
});

describe('reward model', () => {
  test.each(REWARD_BUGS)('%s', async (bug) => {
    const config = stageConfig('reward', {
      bug,
      held_out_ratio: 0.4,
      eval_steps: 2,
      per_device_train_batch_size: bug === 'none' ? 2 : 12,
    });
    const { rows } = await drain(trainReward(rewardInput(16), config, nano));
    expect(named('reward', rows)).toEqual(bug === 'none' ? [] : [bug]);
  });
});

describe('PPO', () => {
  test.each(PPO_BUGS)('%s', async (bug) => {
    const { weights, rewardShift: shift, rewardScale: scale } = reward;
    const input = {
      modelConfig: nano.modelConfig,
      policyWeights: nano.weights,
      reward: { kind: 'model' as const, weights, shift, scale },
      prompts: task.prompts.slice(0, 8),
      seed: 1,
    };
    const config = stageConfig('ppo', {
      bug,
      num_iterations: 4,
      rollout_batch_size: 12,
      response_length: 16,
      warmup_iterations: 0,
    });
    const { rows } = await drain(trainPpo(input, config, nano));
    const found: string[] = named('ppo', rows);
    expect(found).toEqual(bug === 'none' ? [] : [bug satisfies BugId]);
  });
});
