/** What SFT, the reward model, pretraining and sampling count, checked by another road. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { stageConfig } from '../../src/core/config';
import type { Ranking } from '../../src/core/domain';
import { permutation, STREAM, uniform } from '../../src/core/rng';
import { closeEngine, openEngine } from '../../src/engine/backend';
import { ScalarModel } from '../../src/engine/heads';
import { Llama } from '../../src/engine/model';
import { evaluateLoss, scoreRows } from '../../src/rlhf/measures';
import { pretrain } from '../../src/rlhf/pretrain';
import { rankedRows } from '../../src/rlhf/rankings';
import { normalizedRewardWeights, trainReward } from '../../src/rlhf/reward';
import { sampleCompletions, toSample } from '../../src/rlhf/sampling';
import { trainSft } from '../../src/rlhf/sft';
import { encodeDialogue } from '../../src/tokenizer/chat-template';
import { encodeDocument } from '../../src/tokenizer/documents';
import { trainBpe } from '../../src/tokenizer/train-bpe';
import { largestDifference } from './model-fixture';
import {
  asDemonstrations,
  drain,
  loadNano,
  loadTask,
  politeRankings,
  sameWeights,
  type Nano,
  type Task,
} from './rlhf-fixture';

let nano: Nano;
let task: Task;

beforeAll(async () => {
  await openEngine({ force: 'webgpu' });
  nano = await loadNano();
  task = await loadTask('polite');
});
afterAll(closeEngine);

/** Four steps, two of them warm-up: the last stands half-way down the cosine from 1 to 0.1. */
const FACTORS = [0.5, 1, 1, 0.55];
const mean = (xs: readonly number[]) => xs.reduce((a, b) => a + b, 0) / xs.length;
const dialogues = (items: readonly { prompt: string; completion: string }[]) =>
  items.map(({ prompt, completion }) => encodeDialogue(nano.tokenizer, prompt, completion));

describe('SFT', () => {
  test('counts completion tokens only, and follows its schedule', async () => {
    const demonstrations = asDemonstrations(task, 20, 4);
    const config = stageConfig('sft', {
      num_train_epochs: 4,
      per_device_train_batch_size: 16,
      learning_rate: 1e-2,
      min_lr_ratio: 0.1,
      warmup_ratio: 0.5,
    });
    const input = { ...nano, demonstrations, samplePrompts: [], seed: 1 };
    const { rows, output } = await drain(trainSft(input, config, nano));
    const loss = async (weights: Nano['weights'], heldOut: boolean) => {
      const model = Llama.load(nano.modelConfig, weights);
      const part = demonstrations.filter((demonstration) => demonstration.heldOut === heldOut);
      const result = await evaluateLoss(model, dialogues(part));
      model.dispose();
      return result;
    };
    expect(rows[0]!.loss).toBeCloseTo(await loss(nano.weights, false), 4);
    expect(rows.at(-1)!.eval_loss).toBeCloseTo(await loss(output!.weights, true), 4);
    const rates = rows.map((row) => row.learning_rate!);
    expect(
      largestDifference(
        rates,
        FACTORS.map((factor) => factor * 1e-2),
      ),
    ).toBeLessThan(1e-9);
    const tokens = dialogues(demonstrations.slice(4)).reduce(
      (sum, { input_ids }) => sum + input_ids.length,
      0,
    );
    expect(rows.map((row) => row.num_tokens)).toEqual([1, 2, 3, 4].map((epoch) => epoch * tokens));
  });

  test('leaves out demonstrations longer than max_length', async () => {
    const config = stageConfig('sft', { max_length: 16 });
    const demonstrations = asDemonstrations(task, 20, 0).filter(
      (_, i) => dialogues(task.demonstrations)[i]!.input_ids.length > 16,
    );
    expect(demonstrations.length).toBeGreaterThan(8);
    const input = { ...nano, demonstrations, samplePrompts: [], seed: 1 };
    await expect(drain(trainSft(input, config, nano), 1)).rejects.toMatchObject({
      code: 'missing',
      field: 'demonstrations',
    });
  });
});

describe('reward model', () => {
  const config = (changes = {}) =>
    stageConfig('reward', {
      per_device_train_batch_size: 2,
      held_out_ratio: 0.2,
      learning_rate: 1e-2,
      min_lr_ratio: 0.1,
      warmup_ratio: 0.5,
      ...changes,
    });
  const input = (rankings: Ranking[]) => ({
    ...nano,
    rankings,
    demonstrations: asDemonstrations(task, 12, 0),
    seed: 1,
  });
  /** Distinct ranks: no tie blurs what turning a ranking round does. */
  const distinct = () =>
    politeRankings(task, 10).map((ranking) => ({
      ...ranking,
      outcome: 'ranked' as const,
      ranks: permutation(4, ranking.seq, STREAM.split).map((rank) => rank + 1),
    }));

  test('held-out rankings are measured and never trained on; scores are normalised', async () => {
    const rankings = distinct();
    const heldOut = permutation(10, 1, STREAM.split).slice(0, 2);
    const turned = rankings.map((ranking, i) =>
      heldOut.includes(i) ? { ...ranking, ranks: ranking.ranks.map((rank) => 5 - rank) } : ranking,
    );
    const stage = trainReward(input(rankings), config(), nano);
    const begun = await drain(stage, 4);
    const { state } = await begun.events[3]!.snapshot();
    const { output } = await drain(stage);
    const other = await drain(trainReward(input(turned), config(), nano));
    expect(sameWeights(other.output!.weights, output!.weights)).toBe(true);
    expect(other.rows[0]!.eval_accuracy! + begun.rows[0]!.eval_accuracy!).toBeCloseTo(1, 6);
    expect(other.rows[3]!.eval_accuracy! + begun.rows[3]!.eval_accuracy!).toBeCloseTo(1, 6);
    const moved = other.rows[3]!.eval_loss! - begun.rows[3]!.eval_loss!;
    expect(Math.abs(moved)).toBeGreaterThan(1e-3);
    const rates = begun.rows.map((row) => row.learning_rate!);
    expect(
      largestDifference(
        rates,
        FACTORS.map((factor) => factor * 1e-2),
      ),
    ).toBeLessThan(1e-9);

    const { rewardShift, rewardScale, weights } = output!;
    // The worker stores these with the run's checkpoint.
    expect(state).toMatchObject({ rewardShift, rewardScale });
    const normalized = normalizedRewardWeights(weights, rewardShift, rewardScale);
    const model = ScalarModel.load(nano.modelConfig, normalized, 1);
    const demonstrated = await scoreRows(model, dialogues(input([]).demonstrations));
    expect(mean(demonstrated)).toBeCloseTo(0, 3);
    const trained = rankings
      .filter((_, i) => !heldOut.includes(i))
      .flatMap(({ prompt, completions }) =>
        completions.map((completion) => ({ prompt, completion })),
      );
    const ranked = await scoreRows(model, dialogues(trained));
    const center = mean(ranked);
    expect(Math.sqrt(mean(ranked.map((r) => (r - center) ** 2)))).toBeCloseTo(1, 3);
    // Not so by chance: the raw scores stand elsewhere.
    expect(Math.abs(rewardShift)).toBeGreaterThan(0.01);
    expect(Math.abs(rewardScale - 1)).toBeGreaterThan(0.01);
    model.dispose();
  });

  test('a margin and centring raise the loss', async () => {
    const firstLoss = async (changes: object) => {
      const stage = trainReward(input(distinct()), config(changes), nano);
      const { rows } = await drain(stage, 1);
      await stage.return({ weights: new Map(), rewardShift: 0, rewardScale: 1 });
      return rows[0]!.loss!;
    };
    const plain = await firstLoss({});
    expect(await firstLoss({ margin: 4 })).toBeGreaterThan(plain + 1);
    expect(await firstLoss({ center_rewards_coefficient: 1 })).toBeGreaterThan(plain + 0.01);
  });

  test('a completion that does not fit the context takes its rank with it', () => {
    const ranking = {
      ...politeRankings(task, 1)[0]!,
      completions: ['a '.repeat(200), 'b', 'c'],
      ranks: [2, 3, 1],
      outcome: 'ranked' as const,
    };
    const [group] = rankedRows(nano.tokenizer, [ranking], 64);
    expect(group!.ranks).toEqual([3, 1]);
    expect(group!.rows).toEqual(
      dialogues(['b', 'c'].map((completion) => ({ prompt: ranking.prompt, completion }))),
    );
    expect(rankedRows(nano.tokenizer, [{ ...ranking, ranks: [2, 1, 1] }], 64)).toEqual([]);
  });
});

describe('pretraining', () => {
  const texts = Array.from({ length: 40 }, (_, i) =>
    `The cat sat by door ${i}. `.repeat(i === 5 ? 6 : 1),
  );
  const config = stageConfig('pretrain', { max_steps: 7, eval_steps: 100, max_length: 32 });
  const input = { texts, seed: 1, samplePrompts: [] };

  test('reads every token of the documents that are not held out, with a vocabulary of 4·n', async () => {
    expect(trainBpe(texts, { vocab_size: 512 }).vocabSize % 4).not.toBe(0);
    const { rows, output } = await drain(pretrain(input, config, {}));
    expect(output!.modelConfig.vocab_size % 4).toBe(0);
    expect(output!.tokenizer.vocabSize).toBe(output!.modelConfig.vocab_size);
    const kept = texts.filter((_, i) => uniform(1, STREAM.split, i) >= 0.05);
    expect(kept.length).toBeLessThan(texts.length);
    const tokens = kept.map((text) => encodeDocument(output!.tokenizer, text).length);
    const epoch = rows.find((row) => row.epoch === 1);
    expect(epoch!.num_tokens).toBe(tokens.reduce((a, b) => a + b, 0));
    expect(rows[0]!.eval_loss).toBeGreaterThan(0);
  });

  test('a run cut off and resumed equals one never cut off', async () => {
    const whole = await drain(pretrain(input, config, {}));
    const stage = pretrain(input, config, {});
    const cut = await drain(stage, 2);
    const resume = await cut.events[1]!.snapshot();
    await stage.return(whole.output!);
    const rest = await drain(pretrain(input, config, { resume }));
    expect(rest.rows).toEqual(whole.rows.slice(2));
    expect(sameWeights(rest.output!.weights, whole.output!.weights)).toBe(true);
  });
});

test('a completion depends on seed, prompt and its number alone, and no two are alike', async () => {
  const model = Llama.load(nano.modelConfig, nano.weights);
  const options = { temperature: 1, max_new_tokens: 12, seed: 4 };
  const [first, second] = task.prompts;
  const sample = (prompts: string[]) =>
    sampleCompletions(model, nano.tokenizer, prompts, 3, options);
  const together = await sample([first!, second!]);
  expect(together.map((completions) => completions.length)).toEqual([3, 3]);
  const tokens = (completions: { tokens: number[] }[]) => completions.map((c) => c.tokens);
  expect(tokens(together[1]!)).toEqual(tokens((await sample([second!]))[0]!));
  expect(new Set(together.flat().map((c) => c.tokens.join())).size).toBe(6);
  model.dispose();
});

test('a sample shows each word with its own log-probability, whatever special token stands between', () => {
  const { tokenizer } = nano;
  const [word] = tokenizer.encode('Tom');
  const sample = toSample(tokenizer, 'Who?', {
    tokens: [word!, tokenizer.userId, word!, tokenizer.endId],
    logprobs: [-1, -2, -3, -4],
    finish: 'eos',
  });
  expect(sample.tokens).toHaveLength(2);
  expect(sample.logprobs).toEqual([-1, -3]);
});
