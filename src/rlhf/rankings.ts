/**
 * Rankings (Ouyang et al. 2022, section 3.5): K = 4 to 9 completions of a prompt, shown in a random
 * order that is stored with them, and what the reward model reads of a labeler's ranks.
 */
import { comparisonsOf } from '../core/comparisons';
import { weightOf, type Electorate } from '../core/electorate';
import { PlaygroundError } from '../core/errors';
import { harmfulOutputs } from '../core/harm-share';
import { hashText, permutation, STREAM } from '../core/rng';
import type { HarmFlag, Ranking } from '../core/domain';
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
  labeler: string;
  /** How much the ranking counts in the loss. */
  weight: number;
  /** Text and flags of each row. */
  texts: string[];
  flags: HarmFlag[][];
}

/**
 * Rankings that decide at least one pair, as token rows that fit the context; also those that the
 * electorate leaves out, with weight 0: see `splitRankings`.
 */
export function rankedRows(
  tokenizer: Tokenizer,
  rankings: readonly Ranking[],
  context: number,
  electorate?: Electorate,
): RankedPrompt[] {
  return rankings
    .filter((ranking) => ranking.outcome === 'ranked')
    .map((ranking) => {
      const kept = ranking.completions
        .map((text, i) => ({
          row: encodeDialogue(tokenizer, ranking.prompt, text),
          rank: ranking.ranks[i]!,
          text,
          flags: ranking.flags[i] ?? [],
        }))
        .filter(({ row }) => row.input_ids.length <= context);
      return {
        prompt: ranking.prompt,
        labeler: ranking.labeler,
        weight: weightOf(electorate, ranking.labeler),
        rows: kept.map(({ row }) => row),
        ranks: kept.map(({ rank }) => rank),
        texts: kept.map(({ text }) => text),
        flags: kept.map(({ flags }) => flags),
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
  if (groups.some(({ weight }) => weight > 0)) return groups;
  if (groups.length > 0) {
    throw new PlaygroundError({
      code: 'missing',
      field: 'electorate',
      message: 'Every labeler who prefers one completion to another is left out.',
      remedy: 'Give at least one of them a weight above 0.',
    });
  }
  throw new PlaygroundError({
    code: 'missing',
    field: 'rankings',
    message: 'No ranking prefers one completion to another.',
    remedy: 'Rank some completions; ties, skipped and all-bad sets teach nothing.',
  });
}

/**
 * Held-out and training rankings of the electorate. Prompts are held out before anyone is left out, so
 * that the same ones are held out whoever counts and accuracies can be compared; only where that would
 * leave nothing to train on are they drawn among the electorate's own. The weights of the training
 * rankings are scaled to a mean of 1 over all of them, not within a batch: there a weight would mean
 * nothing with one ranking at a time, while so the gradient is, on average, that of the weighted loss.
 */
export function splitRankings<T extends { prompt: string; weight: number }>(
  ranked: readonly T[],
  ratio: number,
  seed: number,
): { train: T[]; heldOut: T[] } {
  const counts = ({ weight }: T): boolean => weight > 0;
  const whole = holdOutPrompts(ranked, ratio, seed);
  const { train, heldOut } = whole.train.some(counts)
    ? whole
    : holdOutPrompts(ranked.filter(counts), ratio, seed);
  const kept = train.filter(counts);
  const mean = kept.reduce((sum, { weight }) => sum + weight, 0) / kept.length;
  return {
    train: kept.map((group) => ({ ...group, weight: group.weight / mean })),
    heldOut: heldOut.filter(counts),
  };
}

/** Pairs of a harmful and a harmless completion of one ranking, by their places in it. */
export function harmPairs({
  texts,
  flags,
}: RankedPrompt): (winner: number, loser: number) => boolean {
  const harmful = harmfulOutputs(texts, flags);
  return (winner, loser) => harmful[winner] !== harmful[loser];
}

/** All decided pairs of a batch by row, each prompt's weights adding up to its weight / prompts. */
export function batchPairs(groups: readonly (RankedRows & { weight: number })[]): RankedPair[] {
  let offset = 0;
  return groups.flatMap(({ rows, ranks, weight: counted }) => {
    const decided = comparisonsOf(ranks);
    const weight = counted / (decided.length * groups.length);
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
