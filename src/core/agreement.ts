/**
 * How far labelers agree, on sets of completions that several of them (or one of them twice) ranked.
 * Everything is made of sums over sets, so that intervals come from drawing prompts again.
 */
import { estimate, type Estimate, type Statistic } from './bootstrap';
import type { Ranking } from './domain';
import { groupBy } from './group-by';
import { midranks } from './midranks';
import { competitionRanks } from './ranking-board';
import { atOnce, type Sliced } from './slices';

/** One ranking as it is compared: `ranks` in the order of the set's texts, whatever the screen showed. */
export interface SetRanking {
  labeler: string;
  prompt: string;
  /** The same for rankings of the same texts, among those that share their `TextOrders`. */
  set: string;
  ranks: number[];
}

/** The texts of a set in an order of their own, and where they stand on the screen. */
interface TextOrder {
  /** Of the same texts, in whatever order; of no others. */
  key: string;
  /** Places in `completions`, by text. */
  places: number[];
  /** Whether a text is there twice. */
  twice: boolean;
}

/** Finds the `TextOrder` of a set, fast when the same texts come again. */
export type TextOrders = (prompt: string, completions: readonly string[]) => TextOrder;

/** A fresh one, to be used for many rankings: sorting long texts for each of them takes a second. */
export function textOrders(): TextOrders {
  const known = new Map<string, TextOrder>();
  /** Short names: texts of some kilobytes are slow keys. */
  const names = new Map<string, string>();
  return (prompt, completions) => {
    // A separator that lengths make unambiguous: texts may hold anything.
    const joined = `${completions.map(({ length }) => length).join()}|${prompt}|${completions.join('|')}`;
    const found = known.get(joined);
    if (found !== undefined) return found;
    const places = completions.map((_, i) => i);
    places.sort((a, b) => compare(completions[a]!, completions[b]!));
    const texts = places.map((i) => completions[i]!);
    const whole = JSON.stringify([prompt, ...texts]);
    const key = names.get(whole) ?? String(names.size);
    names.set(whole, key);
    const made = {
      key,
      places,
      twice: texts.some((text, i) => i > 0 && text === texts[i - 1]),
    };
    known.set(joined, made);
    return made;
  };
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** Ranks in the order of the texts; a text that stands there twice keeps both in the order of their ranks. */
export function ranksByText(
  { places, twice }: TextOrder,
  ranks: readonly number[],
  completions: readonly string[],
): number[] {
  if (!twice) return places.map((i) => ranks[i]!);
  return [...places]
    .sort((a, b) => compare(completions[a]!, completions[b]!) || ranks[a]! - ranks[b]!)
    .map((i) => ranks[i]!);
}

/**
 * Rankings with ranks, keyed by their texts and not by an id, so that files of several devices meet.
 * A labeler's first ranking of a set comes before the silent repeats of it.
 */
export function setRankings(
  rankings: readonly Ranking[],
  orders: TextOrders = textOrders(),
): SetRanking[] {
  const ranked = rankings.filter(({ outcome }) => outcome === 'ranked');
  const firsts = ranked.filter(({ repeatOf }) => repeatOf === undefined);
  const repeats = ranked.filter(({ repeatOf }) => repeatOf !== undefined);
  return [...firsts, ...repeats].map(({ labeler, prompt, completions, ranks }) => {
    const order = orders(prompt, completions);
    // Ranks beyond the number of completions would make tables of any size.
    const small = ranks.every((rank) => rank <= ranks.length);
    const own = small ? ranks : competitionRanks(ranks).map((rank) => rank ?? 1);
    return { labeler, prompt, set: order.key, ranks: ranksByText(order, own, completions) };
  });
}

/** Rankings of one set by several labelers: each labeler's first. */
export interface Panel {
  prompt: string;
  set: string;
  rankings: SetRanking[];
}

/** Panels or rankings between two interruptions. */
const PORTION = 100;

export function* panels(rankings: readonly SetRanking[]): Sliced<Panel[]> {
  const bySet = new Map<string, Map<string, SetRanking>>();
  for (const [i, ranking] of rankings.entries()) {
    const firsts = bySet.get(ranking.set) ?? new Map<string, SetRanking>();
    bySet.set(ranking.set, firsts);
    if (!firsts.has(ranking.labeler)) firsts.set(ranking.labeler, ranking);
    if (i % (10 * PORTION) === 0) yield;
  }
  return [...bySet.values()]
    .filter((firsts) => firsts.size > 1)
    .map((firsts) => [...firsts.values()] as [SetRanking, ...SetRanking[]])
    .map((own) => ({ prompt: own[0].prompt, set: own[0].set, rankings: own }));
}

/** Pairs that both rankings decide, and those that they decide alike. */
export function decidedAlike(
  a: readonly number[],
  b: readonly number[],
): { same: number; both: number } {
  let same = 0;
  let both = 0;
  for (let i = 0; i < a.length; i++) {
    for (let j = i + 1; j < a.length; j++) {
      const one = a[i]! - a[j]!;
      const other = b[i]! - b[j]!;
      if (one === 0 || other === 0) continue;
      both++;
      if (one > 0 === other > 0) same++;
    }
  }
  return { same, both };
}

/** Labelers whose rankings are held against each other; by default all of them. */
export type Between = (a: string, b: string) => boolean;

/**
 * Share of the pairs of completions that two labelers both decide, and decide alike; ties decide
 * nothing. Chance is 0.5. The measure of InstructGPT's section 3.4.
 */
export function pairwiseAgreement(
  rankings: readonly SetRanking[],
  { seed, between = () => true }: { seed: number; between?: Between },
): Estimate {
  const parts = atOnce(panels(rankings)).map((panel) => ({
    prompt: panel.prompt,
    ...pairsOf(panel, between),
  }));
  return atOnce(estimate(shareStatistic(parts), seed));
}

function pairsOf({ rankings }: Panel, between: Between): { same: number; both: number } {
  const total = { same: 0, both: 0 };
  for (const [i, a] of rankings.entries()) {
    for (const b of rankings.slice(i + 1)) {
      if (!between(a.labeler, b.labeler)) continue;
      const { same, both } = decidedAlike(a.ranks, b.ranks);
      total.same += same;
      total.both += both;
    }
  }
  return total;
}

/** The same for labelers with themselves: their first and second ranking of a set. */
export function selfConsistency(
  rankings: readonly SetRanking[],
  { seed, labeler }: { seed: number; labeler?: string },
): Estimate {
  const own = rankings.filter((ranking) => labeler === undefined || ranking.labeler === labeler);
  return atOnce(estimate(shareStatistic(repeatedPairs(own)), seed));
}

/** Pairs that labelers decided twice, by set. */
export function repeatedPairs(rankings: readonly SetRanking[]): Part[] {
  const bySet = groupBy(rankings, ({ labeler, set }) => `${labeler.length} ${labeler} ${set}`);
  return [...bySet.values()].flatMap(([first, second]) =>
    second === undefined
      ? []
      : [{ prompt: first.prompt, ...decidedAlike(first.ranks, second.ranks) }],
  );
}

/** Pairwise agreement of each prompt's sets, lowest first; prompts with nothing to compare are left out. */
export function agreementByPrompt(
  rankings: readonly SetRanking[],
): { prompt: string; agreement: number; pairs: number }[] {
  const byPrompt = groupBy(atOnce(panels(rankings)), ({ prompt }) => prompt);
  return [...byPrompt]
    .map(([prompt, all]) => {
      const counts = all.map((panel) => pairsOf(panel, () => true));
      const same = counts.reduce((sum, part) => sum + part.same, 0);
      const pairs = counts.reduce((sum, part) => sum + part.both, 0);
      return { prompt, agreement: same / pairs, pairs };
    })
    .filter(({ pairs }) => pairs > 0)
    .sort((a, b) => a.agreement - b.agreement || b.pairs - a.pairs);
}

/**
 * Kendall's W of one set: 0 when m rankings of n things have nothing in common, 1 when they are alike.
 * Corrected for ties (Kendall & Gibbons 1990, chapter 6): 12 S / (m²(n³ − n) − m Σ (t³ − t)).
 * @returns null when every ranking ties everything
 */
export function kendallW(rankings: readonly (readonly number[])[]): number | null {
  const m = rankings.length;
  const n = rankings[0]!.length;
  const ranks = rankings.map(midranks);
  const sums = Array.from({ length: n }, (_, i) => ranks.reduce((sum, row) => sum + row[i]!, 0));
  const mean = (m * (n + 1)) / 2;
  const S = sums.reduce((sum, x) => sum + (x - mean) ** 2, 0);
  const ties = rankings.reduce((sum, row) => sum + tieSum(row), 0);
  const most = m ** 2 * (n ** 3 - n) - m * ties;
  return most === 0 ? null : (12 * S) / most;
}

/** Σ t³ − t over groups of t equal ranks. */
function tieSum(ranks: readonly number[]): number {
  return [...groupBy(ranks, (rank) => rank).values()].reduce(
    (sum, { length: t }) => sum + t ** 3 - t,
    0,
  );
}

/** Mean of Kendall's W over the sets that several labelers ranked. */
export function meanKendallW(
  rankings: readonly SetRanking[],
  { seed }: { seed: number },
): Estimate {
  return atOnce(estimate(atOnce(kendallStatistic(atOnce(panels(rankings)))), seed));
}

export function* kendallStatistic(all: readonly Panel[]): Sliced<Statistic> {
  const parts: Part[] = [];
  for (const [i, { prompt, rankings }] of all.entries()) {
    const W = kendallW(rankings.map(({ ranks }) => ranks));
    if (W !== null) parts.push({ prompt, same: W, both: 1 });
    if (i % PORTION === 0) yield;
  }
  return shareStatistic(parts);
}

/** Counts of one set, or of some part of it. */
export interface Part {
  prompt: string;
  same: number;
  both: number;
}

/** Σ same / Σ both. */
export function shareStatistic(parts: readonly Part[]): Statistic {
  const prompts = new Map<string, number>();
  for (const { prompt } of parts) if (!prompts.has(prompt)) prompts.set(prompt, prompts.size);
  const byPrompt = new Float64Array(2 * prompts.size);
  for (const { prompt, same, both } of parts) {
    const at = 2 * prompts.get(prompt)!;
    byPrompt[at]! += same;
    byPrompt[at + 1]! += both;
  }
  return {
    width: 2,
    byPrompt,
    value: (sums) => (sums[1] === 0 ? null : sums[0]! / sums[1]!),
    count: (sums) => sums[1]!,
  };
}

/**
 * Krippendorff's α for ordinal data (Krippendorff 2011, "Computing Krippendorff's alpha-reliability"):
 * 1 − observed / expected disagreement of the ranks that a completion got; 1 is perfect, 0 chance.
 */
export function krippendorffAlpha(
  rankings: readonly SetRanking[],
  { seed }: { seed: number },
): Estimate {
  return atOnce(estimate(atOnce(alphaStatistic(atOnce(panels(rankings)))), seed));
}

/** Each prompt's coincidence matrix, of which one half says all, and its number of sets. */
export function* alphaStatistic(all: readonly Panel[]): Sliced<Statistic> {
  const K = all.reduce(
    (most, { rankings }) => rankings.reduce((max, { ranks }) => Math.max(max, ...ranks), most),
    0,
  );
  const width = halfOf(K) + 1;
  const byPrompt = [...groupBy(all, ({ prompt }) => prompt).values()];
  const sums = new Float64Array(width * byPrompt.length);
  for (const [prompt, some] of byPrompt.entries()) {
    const own = sums.subarray(prompt * width, (prompt + 1) * width);
    for (const panel of some) addCoincidences(own, panel, K);
    own[width - 1] = some.length;
    if (prompt % (PORTION / 4) === 0) yield;
  }
  return { width, byPrompt: sums, value: (x) => alpha(x, K), count: (x) => x[width - 1]! };
}

/** Entries [c, k ≥ c] of a matrix [K, K], row by row. */
const halfOf = (K: number): number => (K * (K + 1)) / 2;

/** Adds how often ranks c and k met on a completion, each unit weighted 1 / (values − 1). */
function addCoincidences(sums: Float64Array, { rankings }: Panel, K: number): void {
  const m = rankings.length;
  // How often each rank was given: the matrix of all pairs of labelers follows from the counts.
  const given = new Float64Array(K);
  for (let unit = 0; unit < rankings[0]!.ranks.length; unit++) {
    given.fill(0);
    for (const { ranks } of rankings) given[ranks[unit]! - 1]! += 1;
    for (let c = 0, at = 0; c < K; at += K - c, c++) {
      if (given[c] === 0) continue;
      for (let k = c; k < K; k++) {
        const pairs = given[c]! * (c === k ? given[k]! - 1 : given[k]!);
        if (pairs > 0) sums[at + k - c]! += pairs / (m - 1);
      }
    }
  }
}

/** @param sums the half of the coincidence matrix [c, k ≥ c], row by row */
function alpha(sums: Float64Array, K: number): number | null {
  // Σ over each row, and running sums, so that the ordinal distance of two ranks is a difference
  const n = new Float64Array(K);
  const upTo = new Float64Array(K + 1);
  for (let c = 0, at = 0; c < K; c++) {
    for (let k = c; k < K; k++, at++) {
      n[c]! += sums[at]!;
      if (k > c) n[k]! += sums[at]!;
    }
  }
  for (let c = 0; c < K; c++) upTo[c + 1] = upTo[c]! + n[c]!;
  let observed = 0;
  let expected = 0;
  for (let c = 0, at = 0; c < K; c++) {
    at++;
    for (let k = c + 1; k < K; k++, at++) {
      const between = upTo[k + 1]! - upTo[c]! - (n[c]! + n[k]!) / 2;
      observed += sums[at]! * between ** 2;
      expected += n[c]! * n[k]! * between ** 2;
    }
  }
  return expected === 0 ? null : 1 - ((upTo[K]! - 1) * observed) / expected;
}
