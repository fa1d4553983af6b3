/** Reward and KL of a policy that PPO has not trained, measured as PPO measures its own. */
import { sequenceKl } from '../core/kl';
import type { RolloutSettings } from '../core/run-data';
import type { ScalarModel } from '../engine/heads';
import { tokenLogprobs } from '../engine/inference';
import type { Llama } from '../engine/model';
import type { Tokenizer } from '../tokenizer/tokenizer';
import { scoreEpisodes, writeEpisodes } from './rollout';

/**
 * Means over fresh completions, one for each prompt: `objective/kl`, Σ(log π − log π_ref), nats, and
 * `objective/scores` where there is a reward model.
 * @param streams each completion's own random stream
 * @throws PlaygroundError `input` when a prompt is too long; `non-finite` when the reward model gives
 *   no number
 */
export async function measureOnPpoAxes(
  models: { policy: Llama; reference: Llama; reward: ScalarModel | null },
  tokenizer: Tokenizer,
  prompts: string[],
  streams: number[],
  settings: RolloutSettings & { seed: number },
): Promise<{ 'objective/kl': number; 'objective/scores'?: number }> {
  const { policy, reference, reward } = models;
  const { temperature } = settings;
  const episodes = await writeEpisodes(policy, tokenizer, prompts, streams, settings);
  const { batch } = episodes;
  const { logprobs } = await tokenLogprobs(policy, batch, temperature);
  const { logprobs: refLogprobs } = await tokenLogprobs(reference, batch, temperature);
  const kl = mean(sequenceKl(logprobs, refLogprobs, batch.mask, batch));
  if (reward === null) return { 'objective/kl': kl };
  const { scores } = await scoreEpisodes(reward, tokenizer, episodes, settings);
  return { 'objective/scores': mean(scores), 'objective/kl': kl };
}

const mean = (xs: readonly number[]): number => xs.reduce((a, b) => a + b, 0) / xs.length;
