/** Some episodes of a rollout for the panel beside the chart, with what PPO made of each token. */
import type { PpoConfig } from '../core/config';
import type { Sample, TokenReceipt } from '../core/domain';
import { collate } from '../engine/batch';
import { tokenLogprobs } from '../engine/inference';
import type { Llama } from '../engine/model';
import type { Tokenizer } from '../tokenizer/tokenizer';
import type { Rollout } from './rollout';
import { toSample, visiblePlaces } from './sampling';

/**
 * The first `count` episodes.
 * @param policy after the updates on this rollout
 */
export async function rolloutSamples(
  rollout: Rollout,
  policy: Llama,
  tokenizer: Tokenizer,
  { temperature, cliprange }: Pick<PpoConfig, 'temperature' | 'cliprange'>,
  count: number,
): Promise<Sample[]> {
  const { T } = rollout.batch;
  const chosen = collate(rollout.rows.slice(0, count), { padTo: T });
  const { logprobs: after } = await tokenLogprobs(policy, chosen, temperature);
  return rollout.written.slice(0, count).map((row, b) => {
    const first = b * T + rollout.rows[b]!.promptLength - 1;
    const column = (x: Float32Array) => row.tokens.map((_, t) => x[first + t]!);
    const logprobs = column(rollout.logprobs);
    const advantages = column(rollout.advantages);
    const ratios = column(after).map((logprob, t) => Math.exp(logprob - logprobs[t]!));
    const receipt: TokenReceipt = {
      tokens: tokenizer.decodeTokens(row.tokens),
      logprobs,
      refLogprobs: column(rollout.refLogprobs),
      charges: column(rollout.charges),
      rewards: column(rollout.rewards),
      values: column(rollout.values),
      advantages,
      returns: column(rollout.returns),
      ratios,
      clipped: ratios.map((ratio, t) =>
        advantages[t]! > 0 ? ratio > 1 + cliprange : ratio < 1 - cliprange,
      ),
    };
    const places = visiblePlaces(tokenizer, row.tokens);
    return {
      ...toSample(tokenizer, rollout.prompts[b]!, row),
      logprobs: places.map((t) => logprobs[t]!),
      refLogprobs: places.map((t) => receipt.refLogprobs[t]!),
      score: rollout.scores[b]!,
      kl: rollout.kl[b]!,
      receipt,
    };
  });
}
