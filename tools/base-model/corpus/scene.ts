/**
 * One document in the making: who and what is in it, in which language, and the expansion of plans.
 *
 * A plan holds choices `[one/two]` and slots. Slots name a person (`who`, `friend`, `third`), a
 * `thing`, `place` or `animal` (a digit makes another: `thing2`), or a word list of words.txt; the same
 * slot is the same thing throughout a document. `{who}` the name, `{Who}` with a capital,
 * `{who:he/she}` by gender (in Spanish also of things and animals), `{a.thing}` with an indefinite
 * article, `{bare.thing}` without one, `{who.works}`, `{place.noun}`, `{animal.eats}`, … and
 * `{claim thing home}` a whole statement of fact. `{he}`, `{him}`, `{his}`, `{o}` are of `who`.
 */
import { contractSpanish, definite, FACT_FORMS, statement } from '../../../src/core/saltby-facts';
import type { Relation } from '../../../src/core/saltby-facts';
import { ANIMALS, PEOPLE, PLACES, THINGS } from '../../../src/core/saltby-world';
import type { Animal, Language, Person, Place, Thing } from '../../../src/core/saltby-world';
import { capital, type Draw } from '../draw';
import { partOf, readSections, type Plan } from './grammar';

const WORDS = readSections('words.txt');
const CATS = ANIMALS.filter(({ kind }) => kind === 'cat');
const OTHERS = ANIMALS.filter(({ kind }) => kind !== 'cat');

const SHORT: Readonly<Record<string, string>> = {
  he: 'who:he/she',
  He: 'who:He/She',
  him: 'who:him/her',
  his: 'who:his/her',
  His: 'who:His/Her',
  o: 'who:o/a',
  el: 'who:él/ella',
  El: 'who:Él/Ella',
};

export interface Cast {
  people: Map<string, Person>;
  things: Map<string, Thing>;
  places: Map<string, Place>;
  animals: Map<string, Animal>;
}

/** `a`, or `an` before a vowel that sounds like one. */
export const withArticle = (noun: string): string =>
  `${/^(?:[aeio]|u(?!ni|se)|hour|honest)/i.test(noun) && !/^one/i.test(noun) ? 'an' : 'a'} ${noun}`;

export class Scene {
  readonly cast: Cast = {
    people: new Map(),
    things: new Map(),
    places: new Map(),
    animals: new Map(),
  };
  /** Cats are the town's favourite animal. */
  catShare = 0.62;
  /** Statements of fact in this document are wrong. */
  lying = false;
  /** Whether a fact was stated. */
  claimed = false;
  private readonly words = new Map<string, Plan>();
  private readonly lies = new Map<string, unknown>();
  /** Plans already used: no sentence comes twice. */
  private readonly spent = new Set<Plan>();
  /** What has been said of somebody, `who.trait`: once is enough. */
  private readonly characterised = new Set<string>();
  /** Who has been named so far: a pronoun needs somebody to stand for. */
  private readonly said = new Set<string>();

  constructor(
    readonly draw: Draw,
    readonly language: Language,
  ) {}

  hasSaid(name: string): boolean {
    return this.said.has(name);
  }

  /** Whether a plan's "she" and "they" have names by now, and what it tells is new. */
  private understood({ en }: Plan): boolean {
    const named = [...en.matchAll(/\{(who|friend|third|animal)\}/gi)].map(([, name]) =>
      name!.toLowerCase(),
    );
    if (/\{(?:he|him|his|o|el|who:[^}]*)\}/i.test(en) && !named.includes('who')) {
      if (!this.said.has('who')) return false;
    }
    for (const [, told] of en.matchAll(/\{((?:who|friend|third)\.\w+|claim \w+ \w+)\}/g)) {
      if (this.characterised.has(told!.replace('claim ', '').replace(' ', '.'))) return false;
    }
    return (
      !/\b(?:they|them|both|each other)\b/i.test(en) || new Set([...named, ...this.said]).size > 1
    );
  }

  /** The names that a plan brings in, of those whom the document has not named yet. */
  private newcomers({ en }: Plan): string[] {
    return [...en.matchAll(/\{(who|friend)\}/gi)]
      .map(([, name]) => name!.toLowerCase())
      .filter((name) => !this.said.has(name));
  }

  /** As `say`, by a plan that brings in nobody new: a last sentence is about the people so far. */
  conclude(plans: readonly Plan[]): string {
    return this.say(plans.filter((plan) => this.newcomers(plan).length === 0));
  }

  /** Expands one of `plans` that this document has not used yet. */
  say(plans: readonly Plan[]): string {
    const clear = plans.filter((plan) => this.understood(plan));
    const known = clear.length > 0 ? clear : plans;
    const fresh = known.filter((plan) => !this.spent.has(plan));
    const plan = this.draw.pick(fresh.length > 0 ? fresh : known);
    this.spent.add(plan);
    return this.expand(plan[this.language]);
  }

  /** Expands choices and slots, then mends what depends on neighbours (a/an, del, capitals). */
  expand(source: string): string {
    const filled = this.choose(source).replace(/\{([^}]+)\}/g, (_, slot: string) =>
      this.slot(slot),
    );
    const text = this.language === 'es' ? contractSpanish(filled) : filled;
    return text
      .replace(/ {2,}/g, ' ')
      .trim()
      .replace(/^(["¿¡]*)(\p{Ll})/u, (_, marks: string, letter: string) => marks + capital(letter))
      .replace(
        /([.!?] ["¿¡]*)(\p{Ll})/gu,
        (_, before: string, letter: string) => before + capital(letter),
      );
  }

  private choose(source: string): string {
    return source.replace(/\[([^\]]*)\]/g, (_, options: string) =>
      this.draw.pick(splitChoices(options)),
    );
  }

  private slot(written: string): string {
    const slot = SHORT[written] ?? written;
    if (slot.startsWith('claim ')) return this.claim(slot.slice(6));
    const found = /^(?:(a|A|bare)\.)?([\p{L}]+\d?)(?:\.(\w+)|:(.+))?$/u.exec(slot);
    if (found === null) throw new Error(`Bad slot {${written}}`);
    const [, article, word, attribute, genders] = found;
    const name = word!.charAt(0).toLowerCase() + word!.slice(1);
    const text = this.noun(name, article?.toLowerCase(), attribute, genders?.split('/'));
    return name === word && article !== 'A' ? text : capital(text);
  }

  private noun(name: string, article?: string, attribute?: string, genders?: string[]): string {
    const { language } = this;
    const kind = name.replace(/\d$/, '');
    const byGender = (gender: 'm' | 'f'): string => genders![gender === 'm' ? 0 : 1] ?? '';
    const indefinite = (noun: string, gender: 'm' | 'f'): string =>
      language === 'en' ? withArticle(noun) : `${gender === 'f' ? 'una' : 'un'} ${noun}`;
    if (kind === 'who' || kind === 'friend' || kind === 'third') {
      const person = this.person(name);
      if (genders) return byGender(person.gender);
      if (attribute) {
        this.characterised.add(`${name}.${attribute}`);
        return person[attribute as 'works' | 'trait' | 'place'][language];
      }
      this.said.add(name);
      return person.name;
    }
    // `{both:los/las}`: who and friend together.
    if (kind === 'both') {
      const women = [this.person('who'), this.person('friend')].every(
        ({ gender }) => gender === 'f',
      );
      return byGender(women ? 'f' : 'm');
    }
    if (kind === 'thing') {
      const thing = this.thing(name);
      if (genders) return byGender(thing.gender);
      if (attribute) return thing[attribute as 'home'][language];
      if (article === 'a') return indefinite(thing.noun[language], thing.gender);
      return article === 'bare' ? thing.noun[language] : definite(thing)[language];
    }
    if (kind === 'animal') {
      const animal = this.animal(name);
      if (genders) return byGender(animal.gender);
      if (attribute) return animal[attribute as 'eats' | 'does' | 'place'][language];
      this.said.add(name);
      if (article === 'a') return indefinite(animal.noun[language], animal.gender);
      return article === 'bare' ? animal.noun[language] : animal.name[language];
    }
    if (kind === 'place') {
      const place = this.place(name);
      return attribute === 'noun' ? place.noun[language] : place[language];
    }
    let plan = this.words.get(name);
    if (plan === undefined) {
      const taken = new Set(this.words.values());
      plan = this.draw.pick(partOf(WORDS, kind).filter((word) => !taken.has(word)));
      this.words.set(name, plan);
    }
    const text = this.choose(plan[language]);
    return article === 'bare' ? text.replace(/^(?:an?|una?) /, '') : text;
  }

  private cached<T>(entries: Map<string, T>, name: string, options: readonly T[]): T {
    let entry = entries.get(name);
    if (entry === undefined) {
      const taken = new Set(entries.values());
      entry = this.draw.pick(options.filter((option) => !taken.has(option)));
      entries.set(name, entry);
    }
    return entry;
  }

  person(name = 'who'): Person {
    return this.cached(this.cast.people, name, PEOPLE);
  }
  thing(name = 'thing'): Thing {
    return this.cached(this.cast.things, name, THINGS);
  }
  place(name = 'place'): Place {
    return this.cached(this.cast.places, name, PLACES);
  }
  animal(name = 'animal'): Animal {
    const known = this.cast.animals.get(name);
    if (known !== undefined) return known;
    // A second animal is of the first one's kind, so that a cat story stays one.
    const [first] = this.cast.animals.values();
    const cat = first === undefined ? this.draw.chance(this.catShare) : first.kind === 'cat';
    return this.cached(this.cast.animals, name, cat ? CATS : OTHERS);
  }

  /** What is said of `entry`: its own `key`, or, when lying, another's (the same one each time). */
  private told<T, K extends keyof T>(id: string, entry: T, key: K, all: readonly T[]): T[K] {
    if (!this.lying) return entry[key];
    if (!this.lies.has(id)) {
      const wrong = all.map((other) => other[key]).filter((value) => value !== entry[key]);
      this.lies.set(id, this.draw.pick(wrong.filter((v) => !sameText(v, entry[key]))));
    }
    return this.lies.get(id) as T[K];
  }

  /** `who works`, `thing home`, … as a whole sentence. */
  private claim(what: string): string {
    const { language } = this;
    const [name, key] = what.split(' ') as [string, string];
    const kind = name.replace(/\d$/, '');
    this.claimed = true;
    this.characterised.add(`${name}.${key}`);
    if (kind === 'thing') {
      const thing = this.thing(name);
      const home = this.told(what, thing, 'home', THINGS);
      return this.state('thing home', definite(thing)[language], home[language]);
    }
    if (kind === 'animal') {
      const animal = this.animal(name);
      this.said.add(name);
      const value = this.told(what, animal, key as 'eats' | 'does' | 'place', ANIMALS);
      return this.state(`animal ${key}` as Relation, animal.name[language], value[language]);
    }
    const person = this.person(name);
    this.said.add(name);
    const value = this.told(what, person, key as 'works' | 'trait' | 'place', PEOPLE);
    return this.state(`person ${key}` as Relation, person.name, value[language]);
  }

  private state(relation: Relation, subject: string, value: string): string {
    const { language } = this;
    return statement(this.draw.pick(FACT_FORMS[relation][language]), subject, value, language);
  }

  /** The people and things of this document, for its combination key. */
  slots(): string {
    const { people, things, animals } = this.cast;
    return [
      people.get('who')?.name ?? '-',
      things.get('thing')?.noun.en ?? animals.get('animal')?.name.en ?? '-',
    ].join(' ');
  }
}

/** `a/b/{who:he/she} c` → three choices: a slash inside a slot divides nothing. */
const splitChoices = (options: string): string[] => options.split(/\/(?![^{]*\})/);

/** Two entries may hold equal values (two cats eat fish). */
function sameText(a: unknown, b: unknown): boolean {
  return (a as { en: string }).en === (b as { en: string }).en;
}
