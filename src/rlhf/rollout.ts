/** One batch of episodes: the policy writes, then everything that PPO needs to know is measured. */
import {
  generalizedAdvantage,
  lastPosition,
  maskedMoments,
  tokenRewards,
  whiten,
} from '../core/advantage';
import { PlaygroundError } from '../core/errors';
import { k3, sequenceKl } from '../core/kl';
import { finalScore } from '../core/scores';
import type { PpoConfig } from '../core/config';
import type { Completion } from '../core/domain';
import { collate, type TokenBatch } from '../engine/batch';
import { generate, type Generation } from '../engine/generate';
import type { ScalarModel } from '../engine/heads';
import { scores as rewardScores, tokenLogprobs, values as valuesOf } from '../engine/inference';
import type { Llama } from '../engine/model';
import type { Tokenizer } from '../tokenizer/tokenizer';
import {
  chargedKlCoef,
  placedRewards,
  referenceDropout,
  valueTargets,
  whitenedPlaces,
} from './bug-lab';
import { promptTokens, toCompletion } from './sampling';

/** A reward that is written down instead of learnt. */
export type RewardRule = (prompt: string, completion: Completion) => number;

export interface Models {
  policy: Llama;
  reference: Llama;
  /** Its output is the normalised reward; or a rule in its place. */
  reward: ScalarModel | RewardRule;
  value: ScalarModel;
}

/** One completion for each prompt, as token rows. */
export interface Episodes {
  prompts: string[];
  written: Generation[];
  rows: { input_ids: number[]; promptLength: number }[];
  batch: TokenBatch;
}

export interface Rollout extends Episodes {
  /** [B, T], aligned with the position that chose the token; 0 outside `batch.mask`. */
  logprobs: Float32Array;
  refLogprobs: Float32Array;
  values: Float32Array;
  /** KL charges, and rewards with the score, before any whitening. */
  charges: Float32Array;
  rewards: Float32Array;
  /** Whitened. */
  advantages: Float32Array;
  /** What the value model is trained on. */
  returns: Float32Array;
  /** Reward-model scores, [B], before clipping and the penalty for not ending. */
  rawScores: number[];
  /** Scores as they enter the reward, [B]. */
  scores: number[];
  /** Σ(log π − log π_ref) for each completion, nats. */
  kl: number[];
}

/**
 * The policy writes one completion for each prompt.
 * @param streams each episode's own random stream
 * @throws PlaygroundError `input` when a prompt leaves no room in the context
 */
export async function writeEpisodes(
  policy: Llama,
  tokenizer: Tokenizer,
  prompts: string[],
  streams: number[],
  settings: Pick<PpoConfig, 'response_length' | 'temperature'> & { seed: number },
): Promise<Episodes> {
  const context = policy.config.max_position_embeddings;
  const encoded = prompts.map((prompt) => promptTokens(tokenizer, prompt, context));
  const room = context - Math.max(...encoded.map((tokens) => tokens.length));
  const written = await generate(policy, encoded, {
    max_new_tokens: Math.min(settings.response_length, room),
    temperature: settings.temperature,
    seed: settings.seed,
    streams,
    eos_token_id: tokenizer.endId,
  });
  const rows = written.map((row, i) => ({
    input_ids: [...encoded[i]!, ...row.tokens],
    promptLength: encoded[i]!.length,
  }));
  return { prompts, written, rows, batch: collate(rows) };
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
  settings: { config: PpoConfig; kl_coef: number; seed: number; iteration: number },
): Promise<Rollout> {
  const { config } = settings;

  // 1. the policy writes
  const episodes = await writeEpisodes(models.policy, tokenizer, prompts, streams, {
    ...config,
    seed: settings.seed,
  });
  const { batch } = episodes;
  const { B, T, mask } = batch;

  // 2. old and reference log-probabilities by the same code path and temperature as in training,
  //    so that the first ratio is exactly 1
  const { logprobs } = await tokenLogprobs(models.policy, batch, config.temperature);
  const { logprobs: refLogprobs } = await tokenLogprobs(
    models.reference,
    batch,
    config.temperature,
    referenceDropout(config, settings.seed, settings.iteration),
  );
  const values = await valuesOf(models.value, batch);

  // 3. scores; a completion that never ended is penalised
  const { rawScores, scores } = await scoreEpisodes(models.reward, tokenizer, episodes, config);

  // 4. rewards, advantages, returns; whitening comes last
  const kl_coef = chargedKlCoef(config, settings.kl_coef);
  const { charges, rewards: due } = tokenRewards({
    B,
    T,
    mask,
    logprobs,
    refLogprobs,
    scores,
    kl_coef,
  });
  const rewards = placedRewards(config, due, batch, scores);
  const estimate = generalizedAdvantage(
    config.whiten_rewards ? whiten(rewards, mask, false) : rewards,
    values,
    mask,
    { B, T },
    config.gamma,
    config.lam,
  );
  const advantages = whiten(estimate.advantages, whitenedPlaces(config, mask));
  return {
    ...episodes,
    logprobs,
    refLogprobs,
    values,
    charges,
    rewards,
    advantages,
    returns: valueTargets(config, { returns: estimate.returns, whitened: advantages, values }),
    rawScores,
    scores,
    kl: sequenceKl(logprobs, refLogprobs, mask, { B, T }),
  };
}

/**
 * Scores as they come, and as they enter the reward.
 * @throws PlaygroundError `non-finite` naming the completion that the reward model has no number for
 */
export async function scoreEpisodes(
  reward: Models['reward'],
  tokenizer: Tokenizer,
  episodes: Episodes,
  config: Parameters<typeof finalScore>[2],
): Promise<{ rawScores: number[]; scores: number[] }> {
  const rawScores = await scoreAll(reward, tokenizer, episodes);
  const scores = rawScores.map((score, i) =>
    finalScore(score, episodes.written[i]!.finish === 'eos', config),
  );
  return { rawScores, scores };
}

/** @throws PlaygroundError `non-finite` naming the completion that the reward model has no number for */
async function scoreAll(
  reward: Models['reward'],
  tokenizer: Tokenizer,
  { prompts, written, batch }: Episodes,
): Promise<number[]> {
  const completions = written.map((row) => toCompletion(tokenizer, row));
  const all =
    typeof reward === 'function'
      ? completions.map((completion, i) => reward(prompts[i]!, completion))
      : [...(await rewardScores(reward, batch))];
  const bad = all.findIndex((score) => !Number.isFinite(score));
  if (bad < 0) return all;
  throw new PlaygroundError({
    code: 'non-finite',
    field: 'objective/scores',
    message: `The reward model gives ${all[bad]} for "${completions[bad]!.text.slice(0, 60)}".`,
    remedy: 'Train the reward model again with a lower learning rate.',
  });
}

const mean = (xs: readonly number[]) => xs.reduce((a, b) => a + b, 0) / xs.length;

/** The value below which the share `q` of the sorted numbers lies. */
function quantile(xs: readonly number[], q: number): number {
  const sorted = [...xs].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))]!;
}

/** TRL's rollout metrics, statistics over valid tokens only, and our own checks (`check/…`). */
export function rolloutMetrics(
  rollout: Rollout,
  kl_coef: number,
  config: Pick<PpoConfig, 'whiten_rewards'>,
): Record<string, number> {
  const { batch, logprobs, refLogprobs, values, returns, scores, kl, written } = rollout;
  const residual = returns.map((r, i) => r - values[i]!);
  const ofReturns = maskedMoments(returns, batch.mask);
  const ofResidual = maskedMoments(residual, batch.mask);
  let negative = 0;
  let kl_k3 = 0;
  for (let i = 0; i < logprobs.length; i++) {
    if (!batch.mask[i]) continue;
    negative -= logprobs[i]!;
    kl_k3 += k3(logprobs[i]!, refLogprobs[i]!);
  }
  const charged = rowSums(rollout, rollout.charges);
  return {
    'objective/scores': mean(scores),
    'objective/scores_lo': quantile(scores, 0.1),
    'objective/scores_hi': quantile(scores, 0.9),
    'objective/kl': mean(kl),
    'objective/kl_k3': kl_k3 / batch.B,
    'objective/entropy': negative / batch.B,
    'objective/non_score_reward': mean(charged),
    'objective/rlhf_reward': mean(scores) + mean(charged),
    'objective/kl_coef': kl_coef,
    'ppo/returns/mean': ofReturns.mean,
    'ppo/returns/var': ofReturns.variance,
    'ppo/val/vpred': maskedMoments(values, batch.mask).mean,
    'ppo/val/error': ofResidual.variance + ofResidual.mean ** 2,
    'ppo/val/var_explained':
      ofReturns.variance > 0 ? 1 - ofResidual.variance / ofReturns.variance : 0,
    'val/num_eos_tokens': written.filter((row) => row.finish === 'eos').length,
    response_length: mean(written.map((row) => row.tokens.length)),
    ...rolloutChecks(rollout, charged, config),
  };
}

/** Identities that hold in a correct implementation, whatever the data. */
function rolloutChecks(
  rollout: Rollout,
  charged: readonly number[],
  config: Pick<PpoConfig, 'whiten_rewards'>,
): Record<string, number> {
  const { batch, rows, written, logprobs, rewards, advantages, returns, scores } = rollout;
  const { T, mask } = batch;
  const paid = rowSums(rollout, rewards);
  const gaps = written.flatMap((row, b) => {
    const first = b * T + rows[b]!.promptLength - 1;
    return row.logprobs.map((logprob, t) => Math.abs(logprob - logprobs[first + t]!));
  });
  const atEnd = scores.flatMap((_, b) => {
    const last = lastPosition(mask, b, T);
    return last === null ? [] : [Math.abs(returns[last]! - rewards[last]!)];
  });
  const spread = maskedMoments(advantages, mask);
  return {
    'check/reward_sum_error': mean(paid.map((sum, b) => Math.abs(sum - charged[b]! - scores[b]!))),
    'check/advantage_mean': spread.mean,
    'check/advantage_std': Math.sqrt(spread.variance),
    'check/old_logprob_gap': mean(gaps),
    // Whitened rewards have another scale than those that the return is compared with.
    ...(!config.whiten_rewards && { 'check/return_last_error': mean(atEnd) }),
  };
}

/**
 * Before the first update the value model is the reward model, so that both give the same number
 * where a completion ends: `check/value_init_gap`, mean |V − score|.
 */
export function firstIterationChecks(
  { batch, values, rawScores }: Rollout,
  { reward }: Pick<Models, 'reward'>,
  { value_model }: Pick<PpoConfig, 'value_model'>,
): Record<string, number> {
  if (typeof reward === 'function' || value_model === 'shared-trunk') return {};
  const gaps = rawScores.map((score, b) => {
    const end = values[b * batch.T + batch.lengths[b]! - 1]!;
    return Math.abs(end - score);
  });
  return { 'check/value_init_gap': mean(gaps) };
}

/** Σ over the completion's places of each row, [B]. */
function rowSums({ batch }: Rollout, x: Float32Array): number[] {
  const { B, T, mask } = batch;
  return Array.from({ length: B }, (_, b) => {
    let sum = 0;
    for (let i = b * T; i < (b + 1) * T; i++) if (mask[i]) sum += x[i]!;
    return sum;
  });
}
