/** The corpus as a function: document `index` of `seed`. */
import { hashText } from '../../src/core/rng';
import { Draw } from './draw';
import type { CorpusDocument } from './document';
import { DESCRIPTIONS } from './descriptions';
import { EXCHANGES, frame, type ExchangeName } from './exchanges';
import { story } from './stories';

/** How often each kind of document comes, in per cent. */
const MIX = { story: 24, exchange: 60, description: 16 };
const EXCHANGE_MIX: Readonly<Record<ExchangeName, number>> = {
  where: 13,
  borrow: 13,
  help: 11,
  person: 8,
  fact: 9,
  talk: 12,
  animal: 14,
  tale: 20,
};
const DESCRIPTION_MIX: Readonly<Record<keyof typeof DESCRIPTIONS, number>> = {
  facts: 5,
  personPortrait: 4,
  animalPortrait: 4,
  day: 3,
};

export function makeDocument(seed: number, index: number): CorpusDocument {
  const draw = new Draw(seed, index);
  const kind = draw.weighted(MIX);
  if (kind === 'exchange') {
    const made = EXCHANGES[draw.weighted(EXCHANGE_MIX)](draw, {});
    return {
      text: frame(draw, made),
      family: made.family,
      prompt: made.prompt,
      completion: made.completion,
      ...made.attributes,
      combination: made.combination,
    };
  }
  const made = kind === 'story' ? story(draw) : DESCRIPTIONS[draw.weighted(DESCRIPTION_MIX)](draw);
  return {
    text: made.text,
    family: made.family,
    prompt: null,
    completion: null,
    ...made.attributes,
    combination: made.combination,
  };
}

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
