/**
 * How far labelers agree, on sets of completions that several of them (or one of them twice) ranked.
 * Everything is made of sums over sets, so that intervals come from drawing prompts again.
 */
import type { Ranking } from './domain';
import { groupBy } from './group-by';
import { midranks } from './midranks';
import { randomInt, STREAM } from './rng';

/** One ranking as it is compared: `ranks` in the order of the set's texts, whatever the screen showed. */
export interface SetRanking {
  labeler: string;
  prompt: string;
  /** The same for rankings of the same texts. */
  set: string;
  ranks: number[];
}

/** A measure with the range in which 95 % of redrawn data put it; null where nothing can be said. */
export interface Estimate {
  value: number | null;
  low: number | null;
  high: number | null;
  /** What it rests on: pairs of completions, or sets. */
  count: number;
}

/**
 * Rankings with ranks, keyed by their texts and not by an id, so that files of several devices meet. A
 * set that holds a text twice keeps both in the order of their ranks.
 */
export function setRankings(rankings: readonly Ranking[]): SetRanking[] {
  return rankings
    .filter(({ outcome }) => outcome === 'ranked')
    .map(({ labeler, prompt, completions, ranks }) => {
      const sorted = completions
        .map((text, i) => ({ text, rank: ranks[i]! }))
        .sort((a, b) => (a.text < b.text ? -1 : a.text > b.text ? 1 : a.rank - b.rank));
      return {
        labeler,
        prompt,
        set: JSON.stringify([prompt, ...sorted.map(({ text }) => text)]),
        ranks: sorted.map(({ rank }) => rank),
      };
    });
}

/** Rankings of one set by several labelers: each labeler's first. */
interface Panel {
  prompt: string;
  rankings: SetRanking[];
}

function panels(rankings: readonly SetRanking[]): Panel[] {
  return [...groupBy(rankings, ({ set }) => set).values()]
    .map((all) => ({
      prompt: all[0].prompt,
      rankings: [...groupBy(all, ({ labeler }) => labeler).values()].map(([first]) => first),
    }))
    .filter(({ rankings }) => rankings.length > 1);
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
      const [one, other] = [Math.sign(a[i]! - a[j]!), Math.sign(b[i]! - b[j]!)];
      if (one === 0 || other === 0) continue;
      both++;
      if (one === other) same++;
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
  const parts = panels(rankings).map((panel) => ({
    prompt: panel.prompt,
    ...pairsOf(panel, between),
  }));
  return shareOf(parts, seed);
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
  const parts = [
    ...groupBy(
      rankings.filter((ranking) => labeler === undefined || ranking.labeler === labeler),
      (ranking) => JSON.stringify([ranking.labeler, ranking.set]),
    ).values(),
  ].flatMap(([first, second]) =>
    second === undefined
      ? []
      : [{ prompt: first.prompt, ...decidedAlike(first.ranks, second.ranks) }],
  );
  return shareOf(parts, seed);
}

/** Pairwise agreement of each prompt's sets, lowest first; prompts with nothing to compare are left out. */
export function agreementByPrompt(
  rankings: readonly SetRanking[],
): { prompt: string; agreement: number; pairs: number }[] {
  const byPrompt = groupBy(panels(rankings), ({ prompt }) => prompt);
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
  const parts = panels(rankings).flatMap((panel) => {
    const W = kendallW(panel.rankings.map(({ ranks }) => ranks));
    return W === null ? [] : [{ prompt: panel.prompt, same: W, both: 1 }];
  });
  return shareOf(parts, seed);
}

interface Part {
  prompt: string;
  same: number;
  both: number;
}

/** Σ same / Σ both, and its range over redrawn prompts. */
export function shareOf(parts: readonly Part[], seed: number): Estimate {
  const byPrompt = [...groupBy(parts, ({ prompt }) => prompt).values()].map((all) => [
    all.reduce((sum, { same }) => sum + same, 0),
    all.reduce((sum, { both }) => sum + both, 0),
  ]);
  const share = ([same, both]: readonly number[]): number | null =>
    both === 0 ? null : same! / both!;
  return estimated(byPrompt, 2, share, (sums) => sums[1]!, seed);
}

/**
 * Krippendorff's α for ordinal data (Krippendorff 2011, "Computing Krippendorff's alpha-reliability"):
 * 1 − observed / expected disagreement of the ranks that a completion got; 1 is perfect, 0 chance.
 */
export function krippendorffAlpha(
  rankings: readonly SetRanking[],
  { seed }: { seed: number },
): Estimate {
  const all = panels(rankings);
  const K = Math.max(0, ...all.flatMap(({ rankings }) => rankings.flatMap(({ ranks }) => ranks)));
  const byPrompt = [...groupBy(all, ({ prompt }) => prompt).values()].map((some) => {
    const sums = new Array<number>(K * K + 1).fill(0);
    for (const panel of some) addCoincidences(sums, panel, K);
    sums[K * K] = some.length;
    return sums;
  });
  return estimated(
    byPrompt,
    K * K + 1,
    (sums) => alpha(sums, K),
    (sums) => sums[K * K]!,
    seed,
  );
}

/** Adds how often ranks c and k met on a completion, each unit weighted 1 / (values − 1). */
function addCoincidences(sums: number[], { rankings }: Panel, K: number): void {
  const m = rankings.length;
  for (let unit = 0; unit < rankings[0]!.ranks.length; unit++) {
    for (let a = 0; a < m; a++) {
      for (let b = 0; b < m; b++) {
        if (a === b) continue;
        const cell = (rankings[a]!.ranks[unit]! - 1) * K + rankings[b]!.ranks[unit]! - 1;
        sums[cell]! += 1 / (m - 1);
      }
    }
  }
}

/** @param sums the coincidence matrix [K, K], row-major */
function alpha(sums: readonly number[], K: number): number | null {
  const n = Array.from({ length: K }, (_, c) => {
    let total = 0;
    for (let k = 0; k < K; k++) total += sums[c * K + k]!;
    return total;
  });
  const all = n.reduce((a, b) => a + b, 0);
  // running sums, so that the ordinal distance of two ranks is a difference
  const upTo: number[] = [];
  n.reduce((sum, x, c) => (upTo[c] = sum + x), 0);
  let observed = 0;
  let expected = 0;
  for (let c = 0; c < K; c++) {
    for (let k = c + 1; k < K; k++) {
      const between = upTo[k]! - (c === 0 ? 0 : upTo[c - 1]!) - (n[c]! + n[k]!) / 2;
      observed += sums[c * K + k]! * between ** 2;
      expected += n[c]! * n[k]! * between ** 2;
    }
  }
  return expected === 0 ? null : 1 - ((all - 1) * observed) / expected;
}

/** Redrawn samples of the prompts. */
const REDRAWS = 400;

/**
 * A function of sums over prompts, with the middle 95 % of its values when as many prompts are drawn
 * again, with replacement: sets of one prompt are alike, so single sets would look too certain.
 */
function estimated(
  byPrompt: readonly (readonly number[])[],
  width: number,
  value: (sums: readonly number[]) => number | null,
  count: (sums: readonly number[]) => number,
  seed: number,
): Estimate {
  const total = new Array<number>(width).fill(0);
  for (const sums of byPrompt) sums.forEach((x, i) => (total[i]! += x));
  const drawn: number[] = [];
  for (let redraw = 0; byPrompt.length > 1 && redraw < REDRAWS; redraw++) {
    const sums = new Float64Array(width);
    for (let i = 0; i < byPrompt.length; i++) {
      const one = byPrompt[randomInt(byPrompt.length, seed, STREAM.bootstrap, i, redraw)]!;
      for (let w = 0; w < width; w++) sums[w]! += one[w]!;
    }
    const x = value([...sums]);
    if (x !== null) drawn.push(x);
  }
  drawn.sort((a, b) => a - b);
  const at = (share: number): number | null =>
    drawn.length === 0 ? null : drawn[Math.round(share * (drawn.length - 1))]!;
  return { value: value(total), low: at(0.025), high: at(0.975), count: count(total) };
}
