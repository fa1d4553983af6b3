/**
 * Rankings (Ouyang et al. 2022, section 3.5): K = 4 to 9 completions of a prompt, shown in a random
 * order that is stored with them, and what the reward model reads of a labeler's ranks.
 */
import { comparisonsOf } from '../core/comparisons';
import { hashText, permutation, STREAM } from '../core/rng';
import type { Ranking } from '../core/domain';
import { encodeDialogue } from '../tokenizer/chat-template';
import type { Tokenizer } from '../tokenizer/tokenizer';
import type { RankedRows } from './measures';

/** The random order in which K completions are shown. */
export function displayOrder(k: number, seed: number, prompt: string): number[] {
  return permutation(k, seed, STREAM.display, hashText(prompt));
}

/** Rankings that decide at least one pair, as token rows that fit the context. */
export function rankedRows(
  tokenizer: Tokenizer,
  rankings: readonly Ranking[],
  context: number,
): RankedRows[] {
  return rankings
    .filter((ranking) => ranking.outcome === 'ranked')
    .map((ranking) => {
      const kept = ranking.completions
        .map((text, i) => ({
          row: encodeDialogue(tokenizer, ranking.prompt, text),
          rank: ranking.ranks[i]!,
        }))
        .filter(({ row }) => row.input_ids.length <= context);
      return { rows: kept.map(({ row }) => row), ranks: kept.map(({ rank }) => rank) };
    })
    .filter((group) => comparisonsOf(group.ranks).length > 0);
}
