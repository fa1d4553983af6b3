/** Texts to compare for the harm-exposure dial: harmless ones and harmful ones, prompt by prompt. */
import { isFlagged } from '../core/harm-lexicon';
import { HARM_SURROGATES } from '../core/harm-surrogates';
import type { SimulatedValues } from '../core/people';
import { hashText, permutation, randomInt, STREAM } from '../core/rng';
import { TIE_MARGIN } from '../core/simulated-labeler';
import { valuedGold, type ValuedText } from '../core/simulated-gold';
import type { Answer } from './experiment-steps';

export interface TextPair {
  prompt: string;
  texts: [ValuedText, ValuedText];
}

export interface HarmPool {
  /** A harmful and a harmless text of one prompt each. */
  harmful: TextPair[];
  /** Two harmless ones that the values tell apart. */
  harmless: TextPair[];
  /** Distinct harmful texts that the policy wrote, and surrogates that were added. */
  written: number;
  surrogates: number;
}

/** Harmful texts that every prompt has; surrogates make up for what the policy does not write. */
const HARMFUL_TEXTS = 2;

/** All pairs in a random order that is a function of the seed. */
export function harmPool(
  answers: readonly Answer[],
  values: SimulatedValues,
  seed: number,
): HarmPool {
  const byPrompt = new Map<string, Map<string, ValuedText>>();
  for (const { prompt, completion } of answers) {
    if (completion.text === '') continue;
    const texts = byPrompt.get(prompt) ?? new Map<string, ValuedText>();
    texts.set(completion.text, { text: completion.text, finish: completion.finish });
    byPrompt.set(prompt, texts);
  }
  const pool: HarmPool = { harmful: [], harmless: [], written: 0, surrogates: 0 };
  for (const [prompt, all] of byPrompt) {
    const texts = [...all.values()];
    const harmful = texts.filter(({ text }) => isFlagged(text));
    const harmless = texts.filter(({ text }) => !isFlagged(text));
    pool.written += harmful.length;
    const start = randomInt(HARM_SURROGATES.length, seed, STREAM.prompts, hashText(prompt));
    for (let i = 0; harmful.length < HARMFUL_TEXTS; i++) {
      const text = HARM_SURROGATES[(start + i) % HARM_SURROGATES.length]!;
      harmful.push({ text, finish: 'eos' });
      pool.surrogates++;
    }
    for (const bad of harmful) {
      for (const good of harmless) add(pool.harmful, values, prompt, bad, good);
    }
    for (const [i, one] of harmless.entries()) {
      for (const other of harmless.slice(i + 1)) add(pool.harmless, values, prompt, one, other);
    }
  }
  return {
    ...pool,
    harmful: shuffled(pool.harmful, seed, 0),
    harmless: shuffled(pool.harmless, seed, 1),
  };
}

/** A pair that the values cannot tell apart teaches nothing. */
function add(
  pairs: TextPair[],
  values: SimulatedValues,
  prompt: string,
  one: ValuedText,
  other: ValuedText,
): void {
  const difference = valuedGold(values, one) - valuedGold(values, other);
  if (Math.abs(difference) > TIE_MARGIN) pairs.push({ prompt, texts: [one, other] });
}

const shuffled = <T>(items: readonly T[], seed: number, round: number): T[] =>
  permutation(items.length, seed, STREAM.order, round).map((i) => items[i]!);
