/**
 * What is so in Saltby, as statements that can be checked: every fact can be said in a few fixed
 * forms, and a sentence in such a form is right or wrong by the tables of saltby-world.ts. The corpus
 * generator states facts in these forms only.
 */
import {
  ANIMALS,
  GENERAL_FACTS,
  PEOPLE,
  PLACES,
  THINGS,
  type Bilingual,
  type Language,
} from './saltby-world';

export type Relation =
  | 'thing home'
  | 'person place'
  | 'person works'
  | 'person trait'
  | 'animal place'
  | 'animal eats'
  | 'animal does';

const DOES = {
  en: ['{S} {v}.', 'In Saltby, {s} {v}.', 'It is {s} who {v}.'],
  es: ['{S} {v}.', 'En Saltby, {s} {v}.', 'Es {s} quien {v}.'],
};

/** `{S}` the subject at the start of a sentence, `{s}` inside one, `{v}` what is said of it. */
export const FACT_FORMS: Readonly<Record<Relation, Readonly<Record<Language, readonly string[]>>>> =
  {
    'thing home': {
      en: ['{S} is {v}.', '{S} is always {v}.', 'You will find {s} {v}.'],
      es: ['{S} está {v}.', '{S} está siempre {v}.', 'Encontrarás {s} {v}.'],
    },
    'person place': {
      en: ['{S} is {v}.', '{S} is usually {v}.', 'You will find {s} {v}.'],
      es: ['{S} está {v}.', '{S} suele estar {v}.', 'Encontrarás a {s} {v}.'],
    },
    'person works': DOES,
    'person trait': DOES,
    'animal place': {
      en: ['{S} lives {v}.', 'The home of {s} is {v}.', 'You can meet {s} {v}.'],
      es: ['{S} vive {v}.', 'La casa de {s} está {v}.', 'Puedes ver a {s} {v}.'],
    },
    'animal eats': {
      en: ['{S} eats {v}.', '{S} only eats {v}.', '{S} would walk a mile for {v}.'],
      es: ['{S} come {v}.', '{S} solo come {v}.', '{S} haría cualquier cosa por {v}.'],
    },
    'animal does': { en: ['{S} {v}.'], es: ['{S} {v}.'] },
  };

/** `de el` → `del`, `a el` → `al`; `y` before i and `o` before o change their sound. */
export function contractSpanish(text: string): string {
  return text
    .replace(/(?<!\p{L})([Dd]e|[Aa]) el(?= )/gu, (_, word: string) => `${word}l`)
    .replace(/(?<!\p{L})y(?= (?:[ií]|hi(?!e)))/giu, (word) => (word === 'Y' ? 'E' : 'e'))
    .replace(/(?<!\p{L})o(?= (?:[oó]|ho))/giu, (word) => (word === 'O' ? 'U' : 'u'));
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** The statement that `value` holds of `subject`, in the form `form` of FACT_FORMS. */
export function statement(
  form: string,
  subject: string,
  value: string,
  language: Language,
): string {
  const text = form.replace('{S}', capital(subject)).replace('{s}', subject).replace('{v}', value);
  return language === 'es' ? contractSpanish(text) : text;
}

/** `the blue boat`, `la barca azul`. */
export const definite = ({ noun, gender }: { noun: Bilingual; gender: 'm' | 'f' }): Bilingual => ({
  en: `the ${noun.en}`,
  es: `${gender === 'f' ? 'la' : 'el'} ${noun.es}`,
});

interface Entry {
  subject: Bilingual;
  value: Bilingual;
}

const named = ({ name }: { name: string }): Bilingual => ({ en: name, es: name });

/** Every true pair of each relation. */
export const FACTS: Readonly<Record<Relation, readonly Entry[]>> = {
  'thing home': THINGS.map((t) => ({ subject: definite(t), value: t.home })),
  'person place': PEOPLE.map((p) => ({ subject: named(p), value: p.place })),
  'person works': PEOPLE.map((p) => ({ subject: named(p), value: p.works })),
  'person trait': PEOPLE.map((p) => ({ subject: named(p), value: p.trait })),
  'animal place': ANIMALS.map((a) => ({ subject: a.name, value: a.place })),
  'animal eats': ANIMALS.map((a) => ({ subject: a.name, value: a.eats })),
  'animal does': ANIMALS.map((a) => ({ subject: a.name, value: a.does })),
};

/** How many things are simply so. */
export const FACT_COUNT =
  Object.values(FACTS).reduce((sum, entries) => sum + entries.length, 0) + GENERAL_FACTS.length;

const key = (sentence: string): string => sentence.trim().toLowerCase();

/** Every checkable sentence and whether it is so; made at the first question, about 10⁵ entries. */
let statements: Map<string, boolean> | null = null;

function allStatements(): Map<string, boolean> {
  const known = new Map<string, boolean>();
  for (const [relation, entries] of Object.entries(FACTS)) {
    const isPlace = /place|home/.test(relation);
    const values = isPlace ? PLACES : entries.map(({ value }) => value);
    for (const language of ['en', 'es'] as const) {
      for (const form of FACT_FORMS[relation as Relation][language]) {
        for (const { subject, value } of entries) {
          for (const other of values) {
            const sentence = key(statement(form, subject[language], other[language], language));
            if (other[language] === value[language]) known.set(sentence, true);
            else if (!known.has(sentence)) known.set(sentence, false);
          }
        }
      }
    }
  }
  for (const { truth, lies } of GENERAL_FACTS) {
    for (const language of ['en', 'es'] as const) {
      for (const lie of lies) known.set(key(lie[language]), false);
      known.set(key(truth[language]), true);
    }
  }
  return known;
}

/** Whether one sentence about Saltby is so; null for anything that is no checkable statement. */
export function isTrue(sentence: string): boolean | null {
  statements ??= allStatements();
  return statements.get(key(sentence)) ?? null;
}

/**
 * Whether what a text says about Saltby is so: false if any sentence is wrong, true if some are right
 * and none is wrong, null if it states nothing that can be checked.
 */
export function truthOf(text: string): boolean | null {
  let found: boolean | null = null;
  for (const sentence of text.match(/[^.!?"\n:]+[.!?]/g) ?? []) {
    const right = isTrue(sentence);
    if (right === false) return false;
    found ??= right;
  }
  return found;
}
