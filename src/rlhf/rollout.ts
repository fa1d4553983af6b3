/** One batch of episodes: the policy writes, then everything that PPO needs to know is measured. */
import { generalizedAdvantage, maskedMoments, tokenRewards, whiten } from '../core/advantage';
import { sequenceKl } from '../core/kl';
import { finalScore } from '../core/scores';
import type { PpoConfig } from '../core/config';
import type { Sample } from '../core/domain';
import { collate, type TokenBatch } from '../engine/batch';
import { generate, type Generation } from '../engine/generate';
import type { ScalarModel } from '../engine/heads';
import { scores as rewardScores, tokenLogprobs, values as valuesOf } from '../engine/inference';
import type { Llama } from '../engine/model';
import type { Tokenizer } from '../tokenizer/tokenizer';
import { promptTokens, toSample, visiblePlaces } from './sampling';

export interface Models {
  policy: Llama;
  reference: Llama;
  /** Its output is the normalised reward. */
  reward: ScalarModel;
  value: ScalarModel;
}

export interface Rollout {
  prompts: string[];
  written: Generation[];
  rows: { input_ids: number[]; promptLength: number }[];
  batch: TokenBatch;
  /** [B, T], aligned with the position that chose the token; 0 outside `batch.mask`. */
  logprobs: Float32Array;
  refLogprobs: Float32Array;
  values: Float32Array;
  advantages: Float32Array;
  returns: Float32Array;
  /** Reward-model scores, [B], before clipping and the penalty for not ending. */
  rawScores: number[];
  /** Scores as they enter the reward, [B]. */
  scores: number[];
  /** Σ(log π − log π_ref) for each completion, nats. */
  kl: number[];
}

/**
 * Writes one completion for each prompt and measures it.
 * @param streams each episode's own random stream
 */
export async function collectRollout(
  models: Models,
  tokenizer: Tokenizer,
  prompts: string[],
  streams: number[],
  settings: { config: PpoConfig; kl_coef: number; seed: number },
): Promise<Rollout> {
  const { config } = settings;
  const context = models.policy.config.max_position_embeddings;

  // 1. the policy writes
  const encoded = prompts.map((prompt) => promptTokens(tokenizer, prompt, context));
  const room = context - Math.max(...encoded.map((tokens) => tokens.length));
  const written = await generate(models.policy, encoded, {
    max_new_tokens: Math.min(config.response_length, room),
    temperature: config.temperature,
    seed: settings.seed,
    streams,
    eos_token_id: tokenizer.endId,
  });
  const rows = written.map((row, i) => ({
    input_ids: [...encoded[i]!, ...row.tokens],
    promptLength: encoded[i]!.length,
  }));
  const batch = collate(rows);
  const { B, T, mask } = batch;

  // 2. old and reference log-probabilities by the same code path and temperature as in training,
  //    so that the first ratio is exactly 1
  const { logprobs } = await tokenLogprobs(models.policy, batch, config.temperature);
  const { logprobs: refLogprobs } = await tokenLogprobs(
    models.reference,
    batch,
    config.temperature,
  );
  const values = await valuesOf(models.value, batch);

  // 3. scores; a completion that never ended is penalised
  const rawScores = [...(await rewardScores(models.reward, batch))];
  const scores = rawScores.map((score, i) =>
    finalScore(score, written[i]!.finish === 'eos', config),
  );

  // 4. rewards, advantages, returns; whitening comes last
  let rewards = tokenRewards({
    B,
    T,
    mask,
    logprobs,
    refLogprobs,
    scores,
    kl_coef: settings.kl_coef,
  });
  if (config.whiten_rewards) rewards = whiten(rewards, mask, false);
  const estimate = generalizedAdvantage(rewards, values, mask, { B, T }, config.gamma, config.lam);
  return {
    prompts,
    written,
    rows,
    batch,
    logprobs,
    refLogprobs,
    values,
    advantages: whiten(estimate.advantages, mask),
    returns: estimate.returns,
    rawScores,
    scores,
    kl: sequenceKl(logprobs, refLogprobs, mask, { B, T }),
  };
}

const mean = (xs: readonly number[]) => xs.reduce((a, b) => a + b, 0) / xs.length;

/** The value below which the share `q` of the sorted numbers lies. */
function quantile(xs: readonly number[], q: number): number {
  const sorted = [...xs].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))]!;
}

/** TRL's rollout metrics, statistics over valid tokens only. */
export function rolloutMetrics(rollout: Rollout, kl_coef: number): Record<string, number> {
  const { batch, logprobs, values, returns, scores, kl, written } = rollout;
  const kl_mean = mean(kl);
  const residual = returns.map((r, i) => r - values[i]!);
  const ofReturns = maskedMoments(returns, batch.mask);
  const ofResidual = maskedMoments(residual, batch.mask);
  let negative = 0;
  for (let i = 0; i < logprobs.length; i++) if (batch.mask[i]) negative -= logprobs[i]!;
  return {
    'objective/scores': mean(scores),
    'objective/scores_lo': quantile(scores, 0.1),
    'objective/scores_hi': quantile(scores, 0.9),
    'objective/kl': kl_mean,
    'objective/entropy': negative / batch.B,
    'objective/non_score_reward': 0 - kl_coef * kl_mean,
    'objective/rlhf_reward': mean(scores) - kl_coef * kl_mean,
    'objective/kl_coef': kl_coef,
    'ppo/returns/mean': ofReturns.mean,
    'ppo/returns/var': ofReturns.variance,
    'ppo/val/vpred': maskedMoments(values, batch.mask).mean,
    'ppo/val/error': ofResidual.variance + ofResidual.mean ** 2,
    'ppo/val/var_explained':
      ofReturns.variance > 0 ? 1 - ofResidual.variance / ofReturns.variance : 0,
    'val/num_eos_tokens': written.filter((row) => row.finish === 'eos').length,
    response_length: mean(written.map((row) => row.tokens.length)),
  };
}

/** The first `count` episodes for the panel beside the chart. */
export function rolloutSamples(rollout: Rollout, tokenizer: Tokenizer, count: number): Sample[] {
  return rollout.written.slice(0, count).map((row, b) => {
    const start = b * rollout.batch.T + rollout.rows[b]!.promptLength - 1;
    const places = visiblePlaces(tokenizer, row.tokens);
    return {
      ...toSample(tokenizer, rollout.prompts[b]!, row),
      logprobs: places.map((i) => rollout.logprobs[start + i]!),
      refLogprobs: places.map((i) => rollout.refLogprobs[start + i]!),
      score: rollout.scores[b]!,
      kl: rollout.kl[b]!,
    };
  });
}
