/** What a simulated labeler with stated values thinks of a text, and how it ranks several. */
import { attributes, gold } from './attributes';
import { isFlagged } from './harm-lexicon';
import type { SimulatedValues } from './people';
import { hashText, STREAM, uniform } from './rng';

export interface ValuedText {
  text: string;
  finish: 'eos' | 'length';
}

/** The attribute's gold score, less the aversion to flagged words, plus the taste for length. */
export function valuedGold(
  { attribute, harm_aversion, length_bias }: SimulatedValues,
  { text, finish }: ValuedText,
): number {
  const harm = harm_aversion !== 0 && isFlagged(text) ? harm_aversion : 0;
  const length = length_bias === 0 ? 0 : (length_bias * attributes(text).words) / 10;
  return gold(attribute, text, finish) - harm + length;
}

/**
 * Ranks, 1 is best, by gold through Gumbel noise drawn by text (Plackett–Luce, as simulateRanking); texts
 * that come out equal share a rank.
 */
export function ranksByValues(
  values: SimulatedValues,
  prompt: string,
  texts: readonly ValuedText[],
  seed: number,
): number[] {
  const utilities = texts.map((one) => {
    const u = uniform(seed, STREAM.labeler, hashText(`${prompt}\n${one.text}`));
    // u kept inside (0, 1)
    const gumbel = -Math.log(-Math.log((u * 2 ** 24 + 0.5) * 2 ** -24));
    return valuedGold(values, one) + values.noise * gumbel;
  });
  return utilities.map((own) => 1 + utilities.filter((other) => other > own).length);
}
