/** Which animal a text names: the generator's own list, apart from the rules of attributes.ts. */
import { ANIMALS, type Animal } from '../../../src/core/saltby-world';

/** Kind → every word for it that the grammar knows. */
const WORDS = new Map<string, Set<string>>();
for (const { kind, noun, name } of ANIMALS) {
  const words = WORDS.get(kind) ?? new Set<string>();
  const spanish = name.es.split(' ')[1]!;
  for (const word of [
    kind,
    `${kind}s`,
    noun.en,
    `${noun.en}s`,
    noun.es,
    spanish,
    `${spanish}s`,
    `${spanish}es`,
  ]) {
    words.add(word);
  }
  WORDS.set(kind, words);
}

/** The first kind of `ANIMALS` that a text names, else `none`. */
export function mentionedAnimal(text: string): Animal['kind'] {
  const present = new Set(text.toLowerCase().match(/\p{L}+/gu) ?? []);
  for (const [kind, words] of WORDS) {
    for (const word of words) if (present.has(word)) return kind;
  }
  return 'none';
}
