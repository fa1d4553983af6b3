/**
 * Best-of-n on the real model: the SFT model writes N answers to each prompt, the reward model scores
 * them, and order statistics give what keeping the best of n ≤ N would score (core/best-of-n.ts).
 */
import { bestOfNPoints, type BestOfNResult } from '../core/best-of-n';
import { permutation, STREAM } from '../core/rng';
import type { RolloutSettings } from '../core/run-data';
import type { Llama } from '../engine/model';
import type { Tokenizer } from '../tokenizer/tokenizer';
import { promptTokens } from './sampling';
import { scoreEpisodes, writeEpisodes, type Models } from './rollout';

/** N: answers to each prompt. */
const DRAWN = 16;
/** Every power of two that N allows. */
const NS = [1, 2, 4, 8, 16];
/** Enough prompts that their mean is good to a tenth, few enough for a software adapter. */
const MOST_PROMPTS = 24;
/** Prompts written for together. */
const TOGETHER = 4;
/** Another seed than that of the completions that were ranked: the reward model has learnt those. */
const APART = 1_000_003;

export interface BestOfNInput {
  /** The SFT model. */
  policy: Llama;
  /** Its output is the normalised reward. */
  reward: Models['reward'];
  tokenizer: Tokenizer;
  /** PPO's prompts; some of them are drawn where there are many. */
  prompts: readonly string[];
  /** How PPO writes and scores. */
  rollouts: RolloutSettings;
  seed: number;
}

/**
 * One event for each few prompts.
 * @throws PlaygroundError `input` when a prompt is too long; `non-finite` when the reward model gives
 *   no number
 */
export async function* measureBestOfN(
  input: BestOfNInput,
): AsyncGenerator<{ done: number; total: number }, BestOfNResult> {
  const { policy, reward, tokenizer, rollouts, seed } = input;
  const order = permutation(input.prompts.length, seed, STREAM.prompts);
  const prompts = order.slice(0, MOST_PROMPTS).map((i) => input.prompts[i]!);
  // refused before anything is written
  for (const prompt of prompts) {
    promptTokens(tokenizer, prompt, policy.config.max_position_embeddings);
  }
  const scores: number[][] = [];
  while (scores.length < prompts.length) {
    const first = scores.length;
    const some = prompts.slice(first, first + TOGETHER);
    const episodes = await writeEpisodes(
      policy,
      tokenizer,
      some.flatMap((prompt) => Array.from({ length: DRAWN }, () => prompt)),
      some.flatMap((_, p) => Array.from({ length: DRAWN }, (_, i) => (first + p) * DRAWN + i)),
      { ...rollouts, seed: (seed + APART) >>> 0 },
    );
    const { scores: all } = await scoreEpisodes(reward, tokenizer, episodes, rollouts);
    scores.push(...some.map((_, p) => all.slice(p * DRAWN, (p + 1) * DRAWN)));
    yield { done: scores.length, total: prompts.length };
  }
  return { points: bestOfNPoints(scores, NS), prompts: prompts.length, completions: DRAWN };
}
