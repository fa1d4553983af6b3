/** Numbers on data that nothing is trained on. */
import { comparisonsOf } from '../core/comparisons';
import { collate } from '../engine/batch';
import type { ScalarModel } from '../engine/heads';
import { scores, tokenLogprobs } from '../engine/inference';
import type { Llama } from '../engine/model';

interface Row {
  input_ids: number[];
  promptLength: number;
}

const EVALUATION_BATCH = 32;

/** Mean −log π of the completion tokens, nats per token. */
export async function evaluateLoss(model: Llama, rows: readonly Row[]): Promise<number> {
  let sum = 0;
  let count = 0;
  for (let start = 0; start < rows.length; start += EVALUATION_BATCH) {
    const batch = collate(rows.slice(start, start + EVALUATION_BATCH));
    const { logprobs } = await tokenLogprobs(model, batch, 1);
    for (let i = 0; i < logprobs.length; i++) {
      if (!batch.mask[i]) continue;
      sum -= logprobs[i]!;
      count++;
    }
  }
  return count === 0 ? 0 : sum / count;
}

/** Σ log π of the completion tokens of each row, nats, in order. */
export async function completionLogps(model: Llama, rows: readonly Row[]): Promise<number[]> {
  const result: number[] = [];
  for (let start = 0; start < rows.length; start += EVALUATION_BATCH) {
    const batch = collate(rows.slice(start, start + EVALUATION_BATCH));
    const { logprobs } = await tokenLogprobs(model, batch, 1);
    for (let b = 0; b < batch.B; b++) {
      // 0 outside the completion
      const row = logprobs.subarray(b * batch.T, (b + 1) * batch.T);
      result.push(row.reduce((sum, logprob) => sum + logprob, 0));
    }
  }
  return result;
}

/** Raw reward-model scores of dialogues, in order. */
export async function scoreRows(model: ScalarModel, rows: readonly Row[]): Promise<number[]> {
  const result: number[] = [];
  for (let start = 0; start < rows.length; start += EVALUATION_BATCH) {
    result.push(...(await scores(model, collate(rows.slice(start, start + EVALUATION_BATCH)))));
  }
  return result;
}

/** One ranked prompt: its completions as token rows, and their ranks (1 is best). */
export interface RankedRows {
  rows: Row[];
  ranks: number[];
}

export interface PairAgreement {
  /** Share of decided pairs that are ordered as the labeler did; a tie counts as half. */
  accuracy: number;
  /** Mean over the pairs, nats. */
  loss: number;
  pairs: number;
}

/** −log σ(x), nats, without overflow. */
export const minusLogSigmoid = (x: number): number =>
  Math.log1p(Math.exp(-Math.abs(x))) + Math.max(0, -x);

/** How far the reward model agrees with the labeler; the loss is −log σ(r_w − r_l). */
export async function rewardAccuracy(
  model: ScalarModel,
  groups: readonly RankedRows[],
): Promise<PairAgreement> {
  return pairAgreement(groups, await scoreRows(model, allRows(groups)), minusLogSigmoid);
}

/** The rows of all prompts, one after the other. */
export const allRows = (groups: readonly RankedRows[]): Row[] =>
  groups.flatMap((group) => group.rows);

/**
 * @param rewards of `allRows(groups)`
 * @param lossOf r_w − r_l ↦ the loss of a pair
 * @param asked which pairs of a group count, by their places in it; all when left out
 */
export function pairAgreement<T extends RankedRows>(
  groups: readonly T[],
  rewards: readonly number[],
  lossOf: (difference: number) => number,
  asked: (group: T) => (winner: number, loser: number) => boolean = () => () => true,
): PairAgreement {
  let offset = 0;
  let right = 0;
  let loss = 0;
  let pairs = 0;
  for (const group of groups) {
    const counts = asked(group);
    for (const { winner, loser } of comparisonsOf(group.ranks)) {
      if (!counts(winner, loser)) continue;
      const difference = rewards[offset + winner]! - rewards[offset + loser]!;
      right += difference > 0 ? 1 : difference === 0 ? 0.5 : 0;
      loss += lossOf(difference);
      pairs++;
    }
    offset += group.rows.length;
  }
  return pairs === 0
    ? { accuracy: 0, loss: 0, pairs }
    : { accuracy: right / pairs, loss: loss / pairs, pairs };
}
