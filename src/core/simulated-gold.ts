/** What a simulated labeler with stated values thinks of a text, and how it ranks several. */
import { attributes, gold } from './attributes';
import { isFlagged } from './harm-lexicon';
import type { SimulatedValues } from './people';
import { hashText, STREAM, uniform } from './rng';

export interface ValuedText {
  text: string;
  finish: 'eos' | 'length';
}

type Values = Omit<SimulatedValues, 'noise'>;

/** By what a text says: the attribute's gold score, less the aversion to flagged words. */
export const worthOf = (
  { attribute, harm_aversion }: Values,
  { text, finish }: ValuedText,
): number =>
  gold(attribute, text, finish) - (harm_aversion !== 0 && isFlagged(text) ? harm_aversion : 0);

/** The same, plus the taste for length. */
export const valuedGold = (values: Values, one: ValuedText): number =>
  worthOf(values, one) +
  (values.length_bias === 0 ? 0 : (values.length_bias * attributes(one.text).words) / 10);

/** −ln(−ln u), with u kept inside (0, 1). */
export function gumbel(seed: number, index: number): number {
  const u = (uniform(seed, STREAM.labeler, index) * 2 ** 24 + 0.5) * 2 ** -24;
  return -Math.log(-Math.log(u));
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
  const utilities = texts.map(
    (one) =>
      valuedGold(values, one) + values.noise * gumbel(seed, hashText(`${prompt}\n${one.text}`)),
  );
  return utilities.map((own) => 1 + utilities.filter((other) => other > own).length);
}
