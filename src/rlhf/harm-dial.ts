/**
 * The harm-exposure dial: how much harm must a reward model have seen to be trusted with it? A simulated
 * labeler compares as many pairs in every run, of which 0, 5, 20 or 50 % are harmful against harmless;
 * then PPO follows each reward model, and its answers are read for harm.
 */
import type { PpoConfig, RewardConfig } from '../core/config';
import {
  HARM_EXPOSURES,
  type HarmDialRecord,
  type HarmDialRequest,
  type HarmDialRun,
} from '../core/experiments';
import { PlaygroundError } from '../core/errors';
import { isFlagged } from '../core/harm-lexicon';
import { valuedGold } from '../core/simulated-gold';
import { permutation, STREAM } from '../core/rng';
import {
  mean,
  Meter,
  PPO_UNITS,
  pulled,
  rewardUnits,
  scoreTexts,
  writeAnswers,
  writingBatches,
  WRITING_UNITS,
  type ExperimentStart,
  type ExperimentSteps,
} from './experiment-steps';
import { harmPool, type TextPair } from './harm-pool';
import { policyKl } from './policy-kl';
import { trainPpo } from './ppo';
import { trainReward, type RewardOutput } from './reward';
import { simulatedRanking } from './simulated-rankings';

export interface HarmDialInput extends ExperimentStart {
  /** PPO's; a quarter of them is held out. */
  prompts: string[];
  reward: RewardConfig;
  ppo: PpoConfig;
}

/** Prompts to compare on and to train on; more cost time and say little more. */
const MOST_PROMPTS = 48;
const HELD_OUT = 0.25;
/** Texts written for each prompt of the pool. */
const TEXTS = 8;
/** Answers of each policy to each held-out prompt. */
const ANSWERS = 16;
/** Held-out pairs of each kind. */
const MOST_PAIRS = 200;
/** Apart from all that PPO draws. */
const APART = 3_000_017;

/**
 * @throws PlaygroundError `missing` with fewer than four prompts, or when the policy's answers are too
 *   much alike to compare; `input` when a prompt is too long
 */
export async function* dialHarm(
  input: HarmDialInput,
  request: HarmDialRequest,
): ExperimentSteps<Omit<HarmDialRecord, 'inputHash'>> {
  const { values, ppoIterations } = request;
  const distinct = [...new Set(input.prompts)];
  const prompts = permutation(distinct.length, input.seed, STREAM.prompts)
    .slice(0, MOST_PROMPTS)
    .map((i) => distinct[i]!);
  if (prompts.length < 4) throw fewPrompts(prompts.length);
  const held = prompts.slice(0, Math.max(1, Math.round(HELD_OUT * prompts.length)));
  const train = prompts.slice(held.length);
  const { reward: rewardConfig } = input;
  const writing = (seed: number) => ({
    temperature: 1,
    max_new_tokens: input.ppo.response_length,
    seed: (seed + APART) >>> 0,
  });
  const perPolicy = writingBatches(held.length, ANSWERS) * WRITING_UNITS;
  const perSeed =
    writingBatches(prompts.length, TEXTS) * WRITING_UNITS +
    perPolicy +
    HARM_EXPOSURES.length *
      (rewardUnits(request.comparisons, pairsConfig(rewardConfig)) +
        ppoIterations * PPO_UNITS +
        perPolicy);
  const meter = new Meter(request.seeds * perSeed);

  const runs: HarmDialRun[] = [];
  const baseline: number[] = [];
  const counts = { harmPairs: 0, harmlessPairs: 0, written: 0, surrogates: 0 };
  let { comparisons } = request;
  for (let s = 0; s < request.seeds; s++) {
    const seed = (input.seed + s) >>> 0;
    const own = { ...input, seed };

    // 1. texts by the SFT model, and how harmful it is by itself
    const tick = () => meter.took(WRITING_UNITS, `texts of the SFT model, seed ${s + 1}`);
    const answers = yield* writeAnswers(input, prompts, TEXTS, writing(seed), tick);
    const before = yield* writeAnswers(input, held, ANSWERS, writing(seed + 1), tick);
    baseline.push(mean(before.map(({ completion }) => Number(isFlagged(completion.text)))));
    const isHeld = new Set(held);
    const pool = harmPool(
      answers.filter(({ prompt }) => !isHeld.has(prompt)),
      values,
      seed,
    );
    const test = harmPool(
      answers.filter(({ prompt }) => isHeld.has(prompt)),
      values,
      seed,
    );
    const harmTest = test.harmful.slice(0, MOST_PAIRS);
    const harmlessTest = test.harmless.slice(0, MOST_PAIRS);
    comparisons = Math.min(comparisons, pool.harmless.length, 2 * pool.harmful.length);
    if (comparisons < 8 || harmTest.length === 0 || harmlessTest.length === 0) throw tooMuchAlike();
    counts.harmPairs += harmTest.length;
    counts.harmlessPairs += harmlessTest.length;
    counts.written += pool.written + test.written;
    counts.surrogates += pool.surrogates + test.surrogates;

    // 2. for each exposure a reward model, then a policy
    for (const exposure of HARM_EXPOSURES) {
      const harmful = Math.round(exposure * comparisons);
      const chosen = [
        ...pool.harmful.slice(0, harmful),
        ...pool.harmless.slice(0, comparisons - harmful),
      ];
      const said = `${Math.round(100 * exposure)} % harmful, seed ${s + 1}`;
      const reward = yield* pulled(
        trainReward(
          {
            ...own,
            rankings: chosen.map((pair, i) => simulatedRanking(values, pair, seed, i)),
          },
          pairsConfig(rewardConfig),
          input,
        ),
        () => meter.took(1, `reward model, ${said}`),
      );
      const policy = yield* pulled(
        trainPpo(
          {
            modelConfig: input.modelConfig,
            policyWeights: input.weights,
            reward: {
              kind: 'model',
              weights: reward.weights,
              shift: reward.rewardShift,
              scale: reward.rewardScale,
            },
            prompts: train,
            seed,
          },
          dialPpo(input.ppo, ppoIterations),
          input,
        ),
        () => meter.took(PPO_UNITS, `PPO, ${said}`),
      );
      const after = yield* writeAnswers(
        { ...input, weights: policy.weights },
        held,
        ANSWERS,
        writing(seed + 1),
        () => meter.took(WRITING_UNITS, `answers, ${said}`),
      );
      runs.push({
        seed,
        exposure,
        harmful,
        harmAccuracy: await accuracy(own, reward, harmTest, values),
        harmlessAccuracy: await accuracy(own, reward, harmlessTest, values),
        harmRate: mean(after.map(({ completion }) => Number(isFlagged(completion.text)))),
        kl: await policyKl(input, policy.weights, after),
      });
    }
  }
  return { ...request, comparisons, runs, baseline, ...counts, answers: held.length * ANSWERS };
}

/** Comparisons are smaller than rankings of 4 with their 6 pairs: as many pairs make a step as there. */
function pairsConfig(config: RewardConfig): RewardConfig {
  return {
    ...config,
    per_device_train_batch_size: Math.min(32, 2 * config.per_device_train_batch_size),
    held_out_ratio: 0,
    bug: 'none',
  };
}

const dialPpo = (config: PpoConfig, iterations: number): PpoConfig => ({
  ...config,
  num_iterations: iterations,
  warmup_iterations: Math.min(config.warmup_iterations, Math.floor(iterations / 4)),
  temperature: 1,
  ptx_coef: 0,
  bug: 'none',
});

/** Share of pairs of which the text that the values prefer has the higher score; a tie counts half. */
async function accuracy(
  start: ExperimentStart,
  reward: RewardOutput,
  pairs: readonly TextPair[],
  values: HarmDialRequest['values'],
): Promise<number> {
  const scores = await scoreTexts(
    start,
    reward,
    pairs.flatMap(({ prompt, texts }) => texts.map(({ text }) => ({ prompt, text }))),
  );
  return mean(
    pairs.map(({ texts: [a, b] }, i) => {
      const scored = Math.sign(scores[2 * i]! - scores[2 * i + 1]!);
      return (1 + scored * Math.sign(valuedGold(values, a) - valuedGold(values, b))) / 2;
    }),
  );
}

const fewPrompts = (count: number): PlaygroundError =>
  new PlaygroundError({
    code: 'missing',
    field: 'prompts',
    message: `The harm-exposure dial needs at least 4 prompts; there ${count === 1 ? 'is' : 'are'} ${count}.`,
    remedy: 'Add prompts in the Rankings stage.',
  });

const tooMuchAlike = (): PlaygroundError =>
  new PlaygroundError({
    code: 'missing',
    field: 'prompts',
    message: 'The SFT model’s answers are too much alike to be compared by these values.',
    remedy: 'Add prompts, or choose another attribute for the simulated labeler.',
  });
