/** PPO on the micro-language with its exact numbers, for people to watch. */
import { stageConfig } from '../core/config';
import { bestOfN, frontier, optimalLogprobs, rewardAndKl } from '../core/exact-optimum';
import {
  LETTER_WORTH,
  type LessonAnswer,
  type LessonPoint,
  type LessonRequest,
  type LessonStart,
} from '../core/lesson';
import type { WeightMap } from '../core/domain';
import { Llama } from '../engine/model';
import type { Tokenizer } from '../tokenizer/tokenizer';
import {
  allAnswers,
  answerLogprobs,
  MICRO_CONFIG,
  MICRO_PPO,
  microReference,
  microTokenizer,
} from './micro-language';
import { trainPpo } from './ppo';
import { underPrefix } from './stage';

const PROMPT = 'a';
const SHOWN_ANSWERS = 6;
const BEST_OF = [2, 4, 16];
/** β of the frontier's points: from hardly any price to hardly any gain. */
const FRONTIER_BETAS = Array.from({ length: 60 }, (_, i) => 10 ** (1.5 - (i * 2.8) / 59));

/** The start, then a point for each iteration. */
export async function* microLesson({
  kl_coef,
  seed,
}: LessonRequest): AsyncGenerator<
  { kind: 'start'; start: LessonStart } | { kind: 'point'; point: LessonPoint },
  void
> {
  const tokenizer = microTokenizer();
  const answers = allAnswers(tokenizer);
  const rewards = answers.map(({ tokens }) => worthOf(tokenizer, tokens));
  const policyWeights = microReference(seed);
  const config = stageConfig('ppo', { ...MICRO_PPO, kl_coef });
  const ref = await exactly(policyWeights, tokenizer);

  const optimum = optimalLogprobs(ref, rewards, kl_coef);
  const [best] = frontier(ref, rewards, [kl_coef]);
  const startReward = rewardAndKl(ref, ref, rewards).reward;
  const shown = answers
    .map((_, y) => y)
    .sort((a, b) => optimum[b]! - optimum[a]!)
    .slice(0, SHOWN_ANSWERS);
  yield {
    kind: 'start',
    start: {
      iterations: config.num_iterations,
      frontier: frontier(ref, rewards, FRONTIER_BETAS),
      best: best!,
      bestOfN: BEST_OF.map((n) => ({ n, ...bestOfN(ref, rewards, n) })),
      startReward,
      answers: shown.map((y): LessonAnswer => ({
        text: textOf(tokenizer, answers[y]!.tokens),
        worth: rewards[y]!,
        reference: Math.exp(ref[y]!),
        optimum: Math.exp(optimum[y]!),
      })),
    },
  };

  const input = {
    modelConfig: MICRO_CONFIG,
    policyWeights,
    reward: {
      kind: 'rule' as const,
      score: (_: string, { tokens }: { tokens: number[] }) => worthOf(tokenizer, tokens),
    },
    prompts: [PROMPT],
    seed,
  };
  for await (const event of trainPpo(input, config, { tokenizer })) {
    const { tensors } = await event.snapshot();
    const logprobs = await exactly(underPrefix('policy', tensors), tokenizer);
    const { reward, kl } = rewardAndKl(logprobs, ref, rewards);
    const gained = reward - kl_coef * kl - startReward;
    yield {
      kind: 'point',
      point: {
        iteration: event.step,
        reward,
        kl,
        gapClosed: gained / (best!.objective - startReward),
        probabilities: shown.map((y) => Math.exp(logprobs[y]!)),
      },
    };
  }
}

async function exactly(weights: WeightMap, tokenizer: Tokenizer): Promise<number[]> {
  const model = Llama.load(MICRO_CONFIG, weights);
  try {
    return await answerLogprobs(model, tokenizer, PROMPT);
  } finally {
    model.dispose();
  }
}

function worthOf(tokenizer: Tokenizer, tokens: readonly number[]): number {
  return tokenizer
    .decodeTokens([...tokens])
    .reduce((sum, letter) => sum + (LETTER_WORTH[letter] ?? 0), 0);
}

/** Letters as they are, an answer without any by a dash, template tokens by a dot. */
function textOf(tokenizer: Tokenizer, tokens: readonly number[]): string {
  const written = tokens.filter((id) => id !== tokenizer.endId);
  if (written.length === 0) return '–';
  return written.map((id) => (tokenizer.isSpecial(id) ? '·' : tokenizer.decode([id]))).join('');
}
