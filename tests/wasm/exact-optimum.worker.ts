/** Runs PPO on the micro-language, away from the test's own thread, so that two runs share two cores. */
import { stageConfig } from '../../src/core/config';
import { frontier, rewardAndKl } from '../../src/core/exact-optimum';
import { gaussian, STREAM } from '../../src/core/rng';
import { openEngine } from '../../src/engine/backend';
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
import { drain } from '../gpu/rlhf-fixture';

export interface BanditRun {
  seed: number;
  kl_coef: number;
}

const PROMPT = 'a';
const tokenizer = microTokenizer();
const answers = allAnswers(tokenizer);
const ready = openEngine({ force: 'wasm' });

/** A worth for each token at each place, and a little for each answer as a whole. */
const rewardsOf = (seed: number): number[] =>
  answers.map(({ tokens }, y) =>
    tokens.reduce(
      (worth, id, place) => worth + 0.7 * gaussian(seed, STREAM.labeler, id, place),
      0.1 * gaussian(seed, STREAM.labeler, y, 9),
    ),
  );

/** Share of the way from the reference to the optimum that a run goes. */
async function gapClosed({ seed, kl_coef }: BanditRun): Promise<number> {
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

addEventListener('message', ({ data }: MessageEvent<BanditRun>) => {
  void ready
    .then(() => gapClosed(data))
    .then(
      (closed) => postMessage({ closed }),
      (error: unknown) => postMessage({ error: String(error) }),
    );
});
