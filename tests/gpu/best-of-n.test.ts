import { afterAll, beforeAll, expect, test } from 'vitest';
import { rolloutSettings } from '../../src/core/run-data';
import { closeEngine, openEngine } from '../../src/engine/backend';
import { numTensors } from '../../src/engine/memory';
import { Llama } from '../../src/engine/model';
import { measureBestOfN, type BestOfNInput } from '../../src/rlhf/best-of-n';
import { loadNano, loadTask, type Nano, type Task } from './rlhf-fixture';

let nano: Nano;
let task: Task;
let policy: Llama;

beforeAll(async () => {
  await openEngine({ force: 'webgpu' });
  nano = await loadNano();
  task = await loadTask('polite');
  policy = Llama.loadFrozen(nano.modelConfig, nano.weights);
});
afterAll(() => {
  policy.dispose();
  return closeEngine();
});

/** Everything that was scored, and what came of it. */
async function measure(changes: Partial<BestOfNInput> = {}) {
  const scored: { prompt: string; text: string; score: number }[] = [];
  const steps = measureBestOfN({
    policy,
    // letters of an answer: a rule in place of a reward model
    reward: (prompt, { text }) => {
      const score = text.length / 10;
      scored.push({ prompt, text, score });
      return score;
    },
    tokenizer: nano.tokenizer,
    prompts: task.prompts.slice(0, 6),
    rollouts: rolloutSettings({ response_length: 10, missing_eos: 'off', reward_clip: 0 }),
    seed: 1,
    ...changes,
  });
  const told: { done: number; total: number }[] = [];
  for (;;) {
    const next = await steps.next();
    if (next.done === true) return { result: next.value, told, scored };
    told.push(next.value);
  }
}

test('16 answers to each prompt; the best of n grows from their mean to their largest', async () => {
  const before = numTensors();
  const { result, told, scored } = await measure();
  expect(told).toEqual([
    { done: 4, total: 6 },
    { done: 6, total: 6 },
  ]);
  expect(scored).toHaveLength(6 * 16);
  const byPrompt = [...new Set(scored.map(({ prompt }) => prompt))].map((prompt) =>
    scored.filter((one) => one.prompt === prompt).map(({ score }) => score),
  );
  expect(byPrompt.map(({ length }) => length)).toEqual([16, 16, 16, 16, 16, 16]);
  // sixteen draws, not one draw sixteen times
  for (const { prompt } of scored) {
    const texts = scored.filter((one) => one.prompt === prompt).map(({ text }) => text);
    expect(new Set(texts).size).toBeGreaterThan(4);
  }
  const mean = (xs: number[]) => xs.reduce((a, b) => a + b, 0) / xs.length;
  const { points, prompts, completions } = result;
  expect([prompts, completions]).toEqual([6, 16]);
  expect(points.map(({ n }) => n)).toEqual([1, 2, 4, 8, 16]);
  expect(points[0]!.reward).toBeCloseTo(mean(byPrompt.map(mean)), 9);
  expect(points[4]!.reward).toBeCloseTo(mean(byPrompt.map((xs) => Math.max(...xs))), 9);
  expect(points[4]!.kl).toBeCloseTo(Math.log(16) - 15 / 16, 12);
  for (let i = 1; i < 5; i++) expect(points[i]!.reward).toBeGreaterThan(points[i - 1]!.reward);
  expect(numTensors()).toBe(before);
});

test('the same seed draws the same, another seed something else', async () => {
  const { result } = await measure();
  expect((await measure()).result).toEqual(result);
  // one prompt: not only another order of prompts
  const one = (seed: number) => measure({ prompts: task.prompts.slice(0, 1), seed });
  expect((await one(2)).scored).not.toEqual((await one(1)).scored);
});

test('scores enter as in PPO: clipped, and replaced where an answer does not end', async () => {
  const rollouts = rolloutSettings({ response_length: 1, missing_eos_penalty: 3 });
  const { result } = await measure({ prompts: task.prompts.slice(0, 1), rollouts });
  // one token: nearly no answer has ended
  expect(result.points[0]!.reward).toBeLessThan(-2.5);
});

test('a prompt that leaves no room to answer is refused before anything is written', async () => {
  const asked: string[] = [];
  // one of many: not among those that are written for first
  const prompts = ['word '.repeat(400), ...task.prompts.slice(0, 20)];
  const reward = (prompt: string) => asked.push(prompt);
  await expect(measure({ prompts, reward })).rejects.toMatchObject({
    code: 'input',
    field: 'prompt',
  });
  expect(asked).toEqual([]);
});
