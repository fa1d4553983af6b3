/**
 * PPO on a language whose every answer can be listed: it has to come close to the exact optimum of
 * E[r] − β·KL, whatever the seed. On WebAssembly, where so small a model is fastest; the numbers of the
 * backends agree to 1e-6.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { stageConfig } from '../../src/core/config';
import { frontier, rewardAndKl } from '../../src/core/exact-optimum';
import { gaussian, STREAM } from '../../src/core/rng';
import { closeEngine, openEngine } from '../../src/engine/backend';
import { Llama } from '../../src/engine/model';
import {
  allAnswers,
  answerLogprobs,
  MICRO_CONFIG,
  MICRO_PPO,
  microReference,
  microTokenizer,
} from '../../src/rlhf/micro-language';
import { trainPpo } from '../../src/rlhf/ppo';
import { drain } from './rlhf-fixture';

const PROMPT = 'a';
const SEEDS = Array.from({ length: 10 }, (_, i) => i + 1);
const tokenizer = microTokenizer();
const answers = allAnswers(tokenizer);

beforeAll(() => openEngine({ force: 'wasm' }));
afterAll(closeEngine);

/** A worth for each token at each place, and something for each answer as a whole. */
const rewardsOf = (seed: number): number[] =>
  answers.map(({ tokens }, y) =>
    tokens.reduce(
      (worth, id, place) => worth + 0.7 * gaussian(seed, STREAM.labeler, id, place),
      0.3 * gaussian(seed, STREAM.labeler, y, 9),
    ),
  );

/** Share of the way from the reference to the optimum that a run goes. */
async function gapClosed(seed: number, kl_coef: number): Promise<number> {
  const rewards = rewardsOf(seed);
  const rewardOf = new Map(answers.map(({ tokens }, y) => [tokens.join(), rewards[y]!]));
  const policyWeights = microReference(seed);
  const logprobsOf = async (weights: typeof policyWeights) => {
    const model = Llama.load(MICRO_CONFIG, weights);
    const logprobs = await answerLogprobs(model, tokenizer, PROMPT);
    model.dispose();
    return logprobs;
  };
  const ref = await logprobsOf(policyWeights);
  const { output } = await drain(
    trainPpo(
      {
        modelConfig: MICRO_CONFIG,
        policyWeights,
        reward: { kind: 'rule', score: (_, { tokens }) => rewardOf.get(tokens.join())! },
        prompts: [PROMPT],
        seed,
      },
      stageConfig('ppo', { ...MICRO_PPO, kl_coef }),
      { tokenizer },
    ),
  );
  const start = rewardAndKl(ref, ref, rewards).reward;
  const { reward, kl } = rewardAndKl(await logprobsOf(output!.weights), ref, rewards);
  const [best] = frontier(ref, rewards, [kl_coef]);
  return (reward - kl_coef * kl - start) / (best!.objective - start);
}

test('all answers are listed: their probabilities add up to 1', async () => {
  const model = Llama.load(MICRO_CONFIG, microReference(1));
  const logprobs = await answerLogprobs(model, tokenizer, PROMPT);
  model.dispose();
  expect(logprobs.reduce((total, logprob) => total + Math.exp(logprob), 0)).toBeCloseTo(1, 5);
});

test.each([0.25, 0.5, 1])(
  'PPO closes 95 percent of the gap to the optimum in 9 of 10 seeds at β = %s',
  { timeout: 600_000 },
  async (kl_coef) => {
    const closed: number[] = [];
    for (const seed of SEEDS) closed.push(await gapClosed(seed, kl_coef));
    const shown = closed.map((share) => share.toFixed(3)).join(' ');
    console.info(`gap closed at β = ${kl_coef}: ${shown}`);
    expect(closed.filter((share) => share >= 0.95).length, shown).toBeGreaterThanOrEqual(9);
  },
);
