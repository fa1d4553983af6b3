/**
 * Rankings (Ouyang et al. 2022, section 3.5): K = 4 to 9 completions of a prompt, shown in a random
 * order that is stored with them, and what the reward model reads of a labeler's ranks.
 */
import { comparisonsOf } from '../core/comparisons';
import { PlaygroundError } from '../core/errors';
import { hashText, permutation, STREAM } from '../core/rng';
import type { Ranking } from '../core/domain';
import type { RankedPair } from '../engine/losses';
import { encodeDialogue } from '../tokenizer/chat-template';
import type { Tokenizer } from '../tokenizer/tokenizer';
import type { RankedRows } from './measures';

/** The random order in which K completions are shown. */
export function displayOrder(k: number, seed: number, prompt: string): number[] {
  return permutation(k, seed, STREAM.display, hashText(prompt));
}

/** What the reward model and DPO read of one ranking. */
export interface RankedPrompt extends RankedRows {
  prompt: string;
}

/** Rankings that decide at least one pair, as token rows that fit the context. */
export function rankedRows(
  tokenizer: Tokenizer,
  rankings: readonly Ranking[],
  context: number,
): RankedPrompt[] {
  return rankings
    .filter((ranking) => ranking.outcome === 'ranked')
    .map((ranking) => {
      const kept = ranking.completions
        .map((text, i) => ({
          row: encodeDialogue(tokenizer, ranking.prompt, text),
          rank: ranking.ranks[i]!,
        }))
        .filter(({ row }) => row.input_ids.length <= context);
      return {
        prompt: ranking.prompt,
        rows: kept.map(({ row }) => row),
        ranks: kept.map(({ rank }) => rank),
      };
    })
    .filter((group) => comparisonsOf(group.ranks).length > 0);
}

/**
 * The same; there is something to learn from.
 * @throws PlaygroundError `missing` when no ranking prefers one completion to another
 */
export function learntRankings(...given: Parameters<typeof rankedRows>): RankedPrompt[] {
  const groups = rankedRows(...given);
  if (groups.length > 0) return groups;
  throw new PlaygroundError({
    code: 'missing',
    field: 'rankings',
    message: 'No ranking prefers one completion to another.',
    remedy: 'Rank some completions; ties, skipped and all-bad sets teach nothing.',
  });
}

/** All decided pairs of a batch by row, each prompt's weights adding up to 1 / prompts. */
export function batchPairs(groups: readonly RankedRows[]): RankedPair[] {
  let offset = 0;
  return groups.flatMap(({ rows, ranks }) => {
    const decided = comparisonsOf(ranks);
    const weight = 1 / (decided.length * groups.length);
    const first = offset;
    offset += rows.length;
    return decided.map(({ winner, loser }) => ({
      winner: winner + first,
      loser: loser + first,
      weight,
    }));
  });
}

/**
 * Holds out about `ratio` of the rankings, whole prompts at a time: when several labelers ranked the
 * same completions, training on one of them would have shown the model the other's test. At least
 * one prompt is left to train on.
 */
export function holdOutPrompts<T extends { prompt: string }>(
  ranked: readonly T[],
  ratio: number,
  seed: number,
): { train: T[]; heldOut: T[] } {
  const prompts = [...new Set(ranked.map(({ prompt }) => prompt))];
  const order = permutation(prompts.length, seed, STREAM.split).map((i) => prompts[i]!);
  const groups = order.map((name) => ranked.filter(({ prompt }) => prompt === name));
  const wanted = Math.round(ratio * ranked.length);
  const heldOut: T[] = [];
  while (heldOut.length < wanted && groups.length > 1) heldOut.push(...groups.shift()!);
  return { train: groups.flat(), heldOut };
}
