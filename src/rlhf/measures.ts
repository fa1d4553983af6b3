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

/**
 * Share of decided pairs that the reward model orders as the labeler did, and the mean pairwise loss
 * −log σ(r_w − r_l), nats. A tie in the scores counts as half.
 */
export async function rewardAccuracy(
  model: ScalarModel,
  groups: readonly RankedRows[],
): Promise<{ accuracy: number; loss: number; pairs: number }> {
  const all = await scoreRows(
    model,
    groups.flatMap((group) => group.rows),
  );
  let offset = 0;
  let right = 0;
  let loss = 0;
  let pairs = 0;
  for (const group of groups) {
    for (const { winner, loser } of comparisonsOf(group.ranks)) {
      const difference = all[offset + winner]! - all[offset + loser]!;
      right += difference > 0 ? 1 : difference === 0 ? 0.5 : 0;
      loss += Math.log1p(Math.exp(-Math.abs(difference))) + Math.max(0, -difference);
      pairs++;
    }
    offset += group.rows.length;
  }
  return pairs === 0
    ? { accuracy: 0, loss: 0, pairs }
    : { accuracy: right / pairs, loss: loss / pairs, pairs };
}
