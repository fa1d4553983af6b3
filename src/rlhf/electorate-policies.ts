/** A short PPO against the reward model of each electorate, and every policy under every judge. */
import { ATTRIBUTE_NAMES, hasAttribute } from '../core/attributes';
import type { PpoConfig } from '../core/config';
import type { ElectoratePolicy } from '../core/experiments';
import { isFlagged } from '../core/harm-lexicon';
import { finalScore } from '../core/scores';
import {
  mean,
  PPO_UNITS,
  pulled,
  scoreTexts,
  writeAnswers,
  WRITING_UNITS,
  type Answer,
  type ExperimentStart,
  type ExperimentSteps,
  type Meter,
} from './experiment-steps';
import { policyKl } from './policy-kl';
import { trainPpo } from './ppo';
import type { RewardOutput } from './reward';

/** Prompts that policies are compared on. */
export const MOST_PROMPTS = 24;
export const ANSWERS_PER_PROMPT = 4;
export const SHOWN_PROMPTS = 4;
/** Apart from the seed of the completions that were ranked: the reward models have learnt those. */
const APART = 2_000_003;

/** The SFT model first, then one policy for each reward model, in their order. */
export async function* electoratePolicies(
  input: ExperimentStart & { prompts: string[]; ppo: PpoConfig },
  rewards: readonly { name: string; output: RewardOutput }[],
  iterations: number,
  meter: Meter,
): ExperimentSteps<ElectoratePolicy[]> {
  const { modelConfig, weights, tokenizer, prompts, ppo, seed } = input;
  const config: PpoConfig = {
    ...ppo,
    num_iterations: iterations,
    warmup_iterations: Math.min(ppo.warmup_iterations, Math.floor(iterations / 4)),
    ptx_coef: 0,
    bug: 'none',
  };
  const writing = {
    temperature: 1,
    max_new_tokens: config.response_length,
    seed: (seed + APART) >>> 0,
  };
  const policies: ElectoratePolicy[] = [];
  for (const trained of [null, ...rewards]) {
    const name = trained?.name ?? 'SFT model';
    const policy =
      trained === null
        ? weights
        : (yield* pulled(
            trainPpo(
              {
                modelConfig,
                policyWeights: weights,
                reward: {
                  kind: 'model',
                  weights: trained.output.weights,
                  shift: trained.output.rewardShift,
                  scale: trained.output.rewardScale,
                },
                prompts,
                seed,
              },
              config,
              { tokenizer },
            ),
            () => meter.took(PPO_UNITS, `PPO for ${name}`),
          )).weights;
    const answers = yield* writeAnswers(
      { modelConfig, weights: policy, tokenizer },
      prompts,
      ANSWERS_PER_PROMPT,
      writing,
      () => meter.took(WRITING_UNITS, `answers for ${name}`),
    );
    policies.push({
      name,
      scores: await judgeAll(input, rewards, answers, config),
      kl: trained === null ? 0 : await policyKl(input, policy, answers),
      attributes: Object.fromEntries(
        ATTRIBUTE_NAMES.map((attribute) => [
          attribute,
          share(answers, ({ completion }) => hasAttribute(attribute, completion.text)),
        ]),
      ) as ElectoratePolicy['attributes'],
      flagged: share(answers, ({ completion }) => isFlagged(completion.text)),
      shown: Array.from(
        { length: Math.min(SHOWN_PROMPTS, prompts.length) },
        (_, i) => answers[i * ANSWERS_PER_PROMPT]!.completion.text,
      ),
    });
  }
  return policies;
}

/** Mean score by each reward model, as it enters PPO. */
async function judgeAll(
  start: ExperimentStart,
  rewards: readonly { output: RewardOutput }[],
  answers: readonly Answer[],
  config: PpoConfig,
): Promise<number[]> {
  const texts = answers.map(({ prompt, completion }) => ({ prompt, text: completion.text }));
  const means: number[] = [];
  for (const { output } of rewards) {
    const raw = await scoreTexts(start, output, texts);
    means.push(
      mean(raw.map((x, i) => finalScore(x, answers[i]!.completion.finish === 'eos', config))),
    );
  }
  return means;
}

const share = (answers: readonly Answer[], holds: (answer: Answer) => boolean): number =>
  answers.filter(holds).length / answers.length;
