/**
 * What people give the stages that is thin, odd or too long: a refusal that names the field, or a rule
 * that is kept. On WebAssembly; nothing here depends on the backend.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { stageConfig } from '../../src/core/config';
import type { Ranking } from '../../src/core/domain';
import { closeEngine, openEngine } from '../../src/engine/backend';
import { ScalarModel } from '../../src/engine/heads';
import { trainPpo, type PpoInput } from '../../src/rlhf/ppo';
import { rankedRows } from '../../src/rlhf/rankings';
import { scoreRows } from '../../src/rlhf/measures';
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
} from './rlhf-fixture';

let nano: Nano;
let task: Task;
/** More words than the context has tokens. */
const LONG = 'The cat sat on the mat. '.repeat(60);

beforeAll(async () => {
  await openEngine({ force: 'wasm' });
  nano = await loadNano();
  task = await loadTask('polite');
});
afterAll(closeEngine);

const context = () => nano.modelConfig.max_position_embeddings;
const demonstrations = () => asDemonstrations(task, 8, 0);

/** A ranking of the given answers, best first unless `ranks` say otherwise. */
function ranked(completions: string[], seq: number, changes: Partial<Ranking> = {}): Ranking {
  return {
    ...politeRankings(task, 1)[0]!,
    id: `r${seq}`,
    prompt: task.prompts[seq]!,
    completions,
    ranks: completions.map((_, i) => i + 1),
    outcome: 'ranked',
    flags: completions.map(() => []),
    order: completions.map((_, i) => i),
    seq,
    ...changes,
  };
}

const reward = (rankings: Ranking[], changes = {}) =>
  drain(
    trainReward(
      { ...nano, rankings, demonstrations: demonstrations(), seed: 1 },
      stageConfig('reward', { held_out_ratio: 0, ...changes }),
      nano,
    ),
  );

describe('the reward model', () => {
  test.each([
    ['no ranking', []],
    ['ties only', [{ ranks: [1, 1] }, { ranks: [1, 1] }]],
    ['skipped and all bad', [{ outcome: 'skipped' }, { outcome: 'all-bad' }]],
    ['no completion that fits', [{ completions: [`Yes. ${LONG}`, `No. ${LONG}`] }]],
  ] as [string, Partial<Ranking>[]][])('refuses %s', async (_, changes) => {
    const rankings = changes.map((change, seq) => ranked(['Yes.', 'No.'], seq, change));
    await expect(reward(rankings)).rejects.toMatchObject({ code: 'missing', field: 'rankings' });
  });

  test('learns from one labeler and one ranking, with nothing held out', async () => {
    const { rows, output } = await reward([ranked(['Gladly.', 'No.'], 0)], { held_out_ratio: 0.5 });
    expect(rows.length).toBeGreaterThan(0);
    expect(rows.at(-1)!.eval_accuracy).toBeUndefined();
    expect(Number.isFinite(output!.rewardScale)).toBe(true);
  });

  test('weighs each prompt alike, whatever its K', async () => {
    const answers = [2, 4, 9].map((k, seq) =>
      ranked(
        task.demonstrations.slice(0, k).map(({ completion }) => completion),
        seq,
      ),
    );
    const { rows } = await reward(answers, {
      per_device_train_batch_size: 3,
      num_train_epochs: 1,
      margin: 0,
      center_rewards_coefficient: 0,
    });
    // −mean over prompts of the mean over pairs of log σ(r_w − r_l), with the scores of the first step
    const model = ScalarModel.load(nano.modelConfig, nano.weights, 1);
    let expected = 0;
    for (const { rows: texts } of rankedRows(nano.tokenizer, answers, context())) {
      const r = await scoreRows(model, texts);
      const losses = r.flatMap((winner, i) =>
        r.slice(i + 1).map((loser) => Math.log1p(Math.exp(loser - winner))),
      );
      expected += losses.reduce((sum, x) => sum + x, 0) / losses.length / answers.length;
    }
    model.dispose();
    expect(rows).toHaveLength(1);
    expect(rows[0]!.loss).toBeCloseTo(expected, 5);
  });

  test('leaves out completions that do not fit, and compares the others', async () => {
    const texts = ['Gladly.', `Yes. ${LONG}`, 'No.'];
    const [group] = rankedRows(nano.tokenizer, [ranked(texts, 0)], context());
    expect(group!.ranks).toEqual([1, 3]);
    const { rows } = await reward([ranked(texts, 0)]);
    expect(rows.every(({ loss }) => Number.isFinite(loss))).toBe(true);
  });

  test('reads an empty completion as one that ends at once', async () => {
    const [group] = rankedRows(nano.tokenizer, [ranked(['Gladly.', ''], 0)], context());
    expect(group!.rows[1]!.input_ids.at(-1)).toBe(nano.tokenizer.endId);
    expect(group!.rows[1]!.input_ids).toHaveLength(group!.rows[1]!.promptLength + 1);
    const { rows } = await reward([ranked(['Gladly.', ''], 0)], { num_train_epochs: 20 });
    expect(rows.at(-1)!.accuracy).toBe(1);
  });
});

describe('SFT', () => {
  const sft = (completions: string[], prompt?: string) =>
    drain(
      trainSft(
        {
          ...nano,
          demonstrations: completions.map((completion, i) => ({
            ...demonstrations()[i]!,
            completion,
            ...(prompt !== undefined && { prompt }),
          })),
          samplePrompts: [],
          seed: 1,
        },
        stageConfig('sft', { num_train_epochs: 1 }),
        nano,
      ),
    );

  test('refuses demonstrations none of which fits', async () => {
    await expect(sft(['Yes.', 'No.'], LONG)).rejects.toMatchObject({
      code: 'missing',
      field: 'demonstrations',
    });
  });

  test('learns to end at once from an empty completion, and leaves out what is too long', async () => {
    const { rows } = await sft(['', `Yes. ${LONG}`]);
    expect(rows).toHaveLength(1);
    // the end token is all that there is to learn
    expect(Number.isFinite(rows[0]!.loss)).toBe(true);
    expect(rows[0]!.num_tokens).toBeLessThan(context());
  });
});

describe('PPO', () => {
  const ppo = (input: Partial<PpoInput>, changes = {}) =>
    drain(
      trainPpo(
        {
          modelConfig: nano.modelConfig,
          policyWeights: nano.weights,
          reward: { kind: 'rule', score: (_, { text }) => text.length },
          prompts: task.prompts.slice(0, 4),
          seed: 1,
          ...input,
        },
        stageConfig('ppo', { num_iterations: 1, rollout_batch_size: 4, ...changes }),
        nano,
      ),
    );

  test('refuses to start without prompts', async () => {
    await expect(ppo({ prompts: [] })).rejects.toMatchObject({
      code: 'missing',
      field: 'prompts',
    });
  });

  test('refuses a prompt longer than the context before it writes anything', async () => {
    // the first iteration would not draw the last of these prompts
    const prompts = [...Array.from({ length: 63 }, () => 'Where is the cat?'), LONG];
    let scored = 0;
    const reward = { kind: 'rule', score: () => ++scored } as const;
    await expect(ppo({ prompts, reward })).rejects.toMatchObject({
      code: 'input',
      field: 'prompt',
    });
    expect(scored).toBe(0);
  });

  test('gives a long prompt the room that is left', async () => {
    const words = 'The cat sat on the mat.';
    let prompt = words;
    const length = (text: string) => nano.tokenizer.encode(text).length;
    while (length(`${prompt} ${words}`) < context() - 20) prompt = `${prompt} ${words}`;
    const { rows } = await ppo({ prompts: [prompt] });
    expect(rows[0]!.response_length).toBeLessThanOrEqual(context() - length(prompt));
    expect(Number.isFinite(rows[0]!['objective/kl'])).toBe(true);
  });

  test('learns from completions that are empty', async () => {
    const lengths: number[] = [];
    const score = (_: string, { tokens }: { tokens: number[] }) => {
      lengths.push(tokens.length);
      return tokens.length === 1 ? 1 : 0;
    };
    const { rows } = await ppo(
      { reward: { kind: 'rule', score } },
      // one token: whatever does not end at once is cut off
      { response_length: 1, num_iterations: 2, missing_eos: 'off' },
    );
    expect(new Set(lengths)).toEqual(new Set([1]));
    for (const row of rows) {
      const bad = Object.entries(row).filter(([, value]) => !Number.isFinite(value));
      expect(bad, `row ${row.step}`).toEqual([]);
    }
  });
});
