/** Measures of a set of texts, given as lists of tokens, and of shares. Pure functions. */

/**
 * Distinct-2 (Li et al. 2016, "A diversity-promoting objective function for neural conversation
 * models"): different bigrams by all bigrams, over all texts together. No bigram spans two texts. It
 * falls with the number of texts: compare equal numbers only. 0 without bigrams.
 */
export function distinct2(texts: readonly (readonly string[])[]): number {
  const seen = new Set<string>();
  let all = 0;
  for (const tokens of texts) {
    for (const bigram of nGrams(tokens, 2)) {
      seen.add(bigram);
      all++;
    }
  }
  return all === 0 ? 0 : seen.size / all;
}

/** Longest n-grams of BLEU-4. */
const BLEU_ORDER = 4;
/** Stands for a precision's numerator of 0 (Chen & Cherry 2014, smoothing 1; NLTK's method1). */
const EPSILON = 0.1;

/**
 * Self-BLEU-4 (Zhu et al. 2018, "Texygen"): the mean over texts of the BLEU-4 (Papineni et al. 2002)
 * of one text with all others as its references; 1 for a set of copies. BLEU-4: the geometric mean
 * of the clipped n-gram precisions, n = 1 … 4, times the brevity penalty exp(1 − r / c) where the text
 * (c tokens) is shorter than the reference nearest to it in length (r tokens; of two as near, the
 * shorter). Smoothed as in NLTK's method1; 0 for a text that shares no word with another.
 * @throws Error for fewer than two texts
 */
export function selfBleu(texts: readonly (readonly string[])[]): number {
  if (texts.length < 2)
    throw new Error('Self-BLEU compares a text with others: give at least two.');
  const orders = Array.from({ length: BLEU_ORDER }, (_, i) => {
    const counts = texts.map((tokens) => countOf(nGrams(tokens, i + 1)));
    return { counts, most: mostOccurrences(counts) };
  });
  let sum = 0;
  for (const [t, tokens] of texts.entries()) {
    let logs = 0;
    for (const [i, { counts, most }] of orders.entries()) {
      let matched = 0;
      for (const [gram, count] of counts[t]!) {
        const { first, firstText, second } = most.get(gram)!;
        matched += Math.min(count, firstText === t ? second : first);
      }
      if (i === 0 && matched === 0) logs = -Infinity;
      logs += Math.log((matched || EPSILON) / Math.max(1, tokens.length - i));
    }
    const lengths = texts.filter((_, other) => other !== t).map((other) => other.length);
    sum += brevityPenalty(tokens.length, lengths) * Math.exp(logs / BLEU_ORDER);
  }
  return sum / texts.length;
}

function nGrams(tokens: readonly string[], n: number): string[] {
  return Array.from({ length: Math.max(0, tokens.length - n + 1) }, (_, i) =>
    tokens.slice(i, i + n).join(' '),
  );
}

function countOf(grams: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const gram of grams) counts.set(gram, (counts.get(gram) ?? 0) + 1);
  return counts;
}

/** How often a text holds an n-gram at most, and how often any other text does. */
interface Most {
  first: number;
  firstText: number;
  second: number;
}

/** The most occurrences of each n-gram in one text, so that leaving one text out costs nothing. */
function mostOccurrences(counts: readonly Map<string, number>[]): Map<string, Most> {
  const most = new Map<string, Most>();
  for (const [text, grams] of counts.entries()) {
    for (const [gram, count] of grams) {
      const known = most.get(gram);
      if (known === undefined) most.set(gram, { first: count, firstText: text, second: 0 });
      else if (count > known.first) {
        most.set(gram, { first: count, firstText: text, second: known.first });
      } else known.second = Math.max(known.second, count);
    }
  }
  return most;
}

function brevityPenalty(length: number, references: readonly number[]): number {
  const nearest = references.reduce((best, other) => {
    const closer = Math.abs(other - length) - Math.abs(best - length);
    return closer < 0 || (closer === 0 && other < best) ? other : best;
  });
  if (length >= nearest) return 1;
  return length === 0 ? 0 : Math.exp(1 - nearest / length);
}

/** How many of how many. */
export interface Share {
  count: number;
  of: number;
}

export const shareOf = <T>(all: readonly T[], has: (one: T) => boolean): Share => ({
  count: all.filter(has).length,
  of: all.length,
});

/** Normal quantile of a two-sided 95 % interval. */
const Z = 1.959964;

/**
 * Wilson's 95 % score interval of a share (Wilson 1927), which holds for shares near 0 and 1 too;
 * [0, 1] when nothing was counted.
 */
export function wilson({ count, of }: Share): [number, number] {
  if (of === 0) return [0, 1];
  const p = count / of;
  const scale = 1 + Z ** 2 / of;
  const middle = (p + Z ** 2 / (2 * of)) / scale;
  const half = (Z / scale) * Math.sqrt((p * (1 - p)) / of + Z ** 2 / (4 * of ** 2));
  return [Math.max(0, middle - half), Math.min(1, middle + half)];
}
