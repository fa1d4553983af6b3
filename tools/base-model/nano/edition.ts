/** The nano edition: ten people, about 450 words, English only; what the model `nano` was trained on. */
import { Draw } from '../draw';
import type { CorpusDocument } from '../document';
import { DESCRIPTIONS } from './descriptions';
import { frame } from '../frame';
import { EXCHANGES, type ExchangeName } from './exchanges';
import { story } from './stories';
import { PEOPLE } from './world';

const NAMES = PEOPLE.map(({ name }) => name);

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

export function makeNanoDocument(seed: number, index: number): CorpusDocument {
  const draw = new Draw(seed, index);
  const kind = draw.weighted(MIX);
  if (kind === 'exchange') {
    const made = EXCHANGES[draw.weighted(EXCHANGE_MIX)](draw, {});
    return {
      text: frame(draw, made, NAMES),
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
