/**
 * The skeleton of a sentence: its names, things, places, animals, numbers and list words replaced by
 * the kind of word that stands there. Two sentences of the generator that differ only in what fills
 * their slots have one skeleton, so a sample of its documents shows (nearly) all of its grammar.
 */
import { ANIMALS, PEOPLE, PLACES, THINGS, type Language } from '../../../src/core/saltby-world';
import { readSections } from '../corpus/grammar';

const LANGUAGES: readonly Language[] = ['en', 'es'];

const piecesOf = (text: string): string[] =>
  text.toLowerCase().match(/'?\p{L}+|\p{N}+|[^\s\p{L}\p{N}]/gu) ?? [];

/** Kinds of each phrase; a phrase may be of several. */
function phraseKinds(): Map<string, Set<string>> {
  const kinds = new Map<string, Set<string>>();
  const add = (kind: string, phrase: string): void => {
    const key = piecesOf(phrase).join(' ');
    kinds.set(key, (kinds.get(key) ?? new Set()).add(kind));
  };
  /** English `a` or `an` and Spanish gender depend on the word: such kinds are told apart. */
  const noun = (kind: string, phrase: string, language: Language, gender = ''): void => {
    const form = language === 'es' ? gender : /^[aeiou]/.test(phrase) ? 'vowel' : '';
    add(`${kind} ${language} ${form}`.trim(), phrase);
  };
  /** `de el muelle` is written `del muelle`: the noun must be known without its article. */
  const place = (kind: string, phrase: string, language: Language): void => {
    add(`${kind} ${language}`, phrase);
    if (language === 'es' && phrase.startsWith('el '))
      add(`${kind} es without el`, phrase.slice(3));
  };
  for (const { name, gender } of PEOPLE) add(`person ${gender}`, name);
  for (const language of LANGUAGES) {
    for (const { works, trait } of PEOPLE) {
      add(`works ${language}`, works[language]);
      add(`trait ${language}`, trait[language]);
    }
    for (const thing of THINGS) noun('thing', thing.noun[language], language, thing.gender);
    for (const entry of PLACES) {
      place('at', entry[language], language);
      place('place', entry.noun[language], language);
    }
    for (const animal of ANIMALS) {
      noun('animal', animal.noun[language], language, animal.gender);
      place(
        `animal ${language === 'es' ? animal.gender : ''}`.trim(),
        animal.name[language],
        language,
      );
      add(`eats ${language}`, animal.eats[language]);
      add(`does ${language}`, animal.does[language]);
    }
  }
  for (const [list, parts] of readSections('words.txt')) {
    for (const plan of [...parts.values()].flat()) {
      for (const language of LANGUAGES) {
        const words = plan[language];
        // A choice inside an entry (`[a/b]`) or a slot is no fixed phrase; its readings stay words.
        if (/[[{]/.test(words)) continue;
        add(`${list} ${language}`, words);
        const bare = words.replace(/^(?:an?|una?) /, '');
        if (bare !== words) add(`bare ${list} ${language}`, bare);
      }
    }
  }
  return kinds;
}

let phrases: { kindOf: Map<string, string>; longest: number } | null = null;

/** The skeleton of one sentence, in lower case: `<person f> keeps the lamp .` */
export function skeletonOf(sentence: string): string {
  if (phrases === null) {
    const kinds = phraseKinds();
    phrases = {
      kindOf: new Map(
        [...kinds].map(([phrase, all]) => [phrase, `<${[...all].sort().join(' or ')}>`]),
      ),
      longest: Math.max(...[...kinds.keys()].map((phrase) => phrase.split(' ').length)),
    };
  }
  const { kindOf, longest } = phrases;
  const pieces = piecesOf(sentence);
  const skeleton: string[] = [];
  for (let at = 0; at < pieces.length;) {
    let length = Math.min(longest, pieces.length - at);
    let kind: string | undefined;
    for (; length > 0; length--) {
      kind = kindOf.get(pieces.slice(at, at + length).join(' '));
      if (kind !== undefined) break;
    }
    const piece = pieces[at]!;
    skeleton.push(kind ?? (/^\p{N}+$/u.test(piece) ? '<number>' : piece));
    at += kind === undefined ? 1 : length;
  }
  return skeleton.join(' ');
}
