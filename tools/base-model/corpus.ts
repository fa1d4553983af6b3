/** The corpus as a function: document `index` of `seed`, in one of three editions. */
import { ATTRIBUTE_NAMES, hasAttribute } from '../../src/core/attributes';
import { hashText } from '../../src/core/rng';
import { makeFullDocument } from './corpus/edition';
import type { CorpusDocument } from './document';
import { makeNanoDocument } from './nano/edition';

/**
 * `nano`: ten people, 450 words, English. `full`: all of Saltby, in English and Spanish. `mixed`: `full`,
 * with every fifth document drawn from `nano`, whose manner the bundled demonstrations have.
 */
export type Edition = 'nano' | 'full' | 'mixed';

const NANO_ONE_IN = 5;

export const EDITIONS: Readonly<Record<Edition, (seed: number, index: number) => CorpusDocument>> =
  {
    nano: makeNanoDocument,
    full: makeFullDocument,
    mixed: (seed, index) =>
      (index % NANO_ONE_IN === 0 ? makeNanoDocument : makeFullDocument)(seed, index),
  };

/** One combination of slots in forty never occurs in training. */
const HELD_OUT_ONE_IN = 40;

/**
 * `unseen`: its combination of slots is held out. `seen`: a random 1 % of the rest. The remainder is
 * `train`. Decided by the combination and the text, so equal texts never fall on both sides.
 */
export function splitOf(document: CorpusDocument): 'train' | 'seen' | 'unseen' {
  if (hashText(document.combination) % HELD_OUT_ONE_IN === 0) return 'unseen';
  return hashText(document.text) % 100 === 0 ? 'seen' : 'train';
}

/**
 * Whether a document is kept when of those without any attribute that rankings ask for only the share
 * `plain` is. Decided by the text alone, as the split is, so that equal texts never differ.
 */
export function isKept(text: string, plain: number): boolean {
  if (ATTRIBUTE_NAMES.some((name) => hasAttribute(name, text))) return true;
  return (hashText(`plain ${text}`) % 1000) / 1000 < plain;
}
