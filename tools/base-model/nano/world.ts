/**
 * The small cast of the nano edition: the first ten people, sixteen things and twelve animals of
 * Saltby, in English. Everything said of them comes from src/core/saltby-world.ts.
 */
import * as saltby from '../../../src/core/saltby-world';

export interface Person {
  name: string;
  he: string;
  him: string;
  his: string;
  /** What this person does all day. */
  works: string;
  /** Where to find them. */
  place: string;
  /** What people say of them. */
  trait: string;
}

/** Words of nano where the larger town says it differently. */
const TRAITS: Readonly<Record<string, string>> = { Nell: 'reads them all' };

export const PEOPLE: readonly Person[] = saltby.PEOPLE.slice(0, 10).map((person) => ({
  name: person.name,
  ...(person.gender === 'f'
    ? { he: 'she', him: 'her', his: 'her' }
    : { he: 'he', him: 'him', his: 'his' }),
  works: person.works.en,
  place: person.place.en,
  trait: TRAITS[person.name] ?? person.trait.en,
}));

/** Where each thing is kept: a fact. */
export const THINGS: readonly { name: string; home: string }[] = saltby.THINGS.slice(0, 16).map(
  ({ noun, home }) => ({ name: noun.en, home: home.en }),
);

export const PLACES: readonly string[] = saltby.PLACES.slice(0, 9).map(({ en }) => en);

export interface Animal {
  kind: string;
  /** How a text brings it in. */
  name: string;
  place: string;
  eats: string;
  does: string;
}

const animals = (cats: boolean, count: number): Animal[] =>
  saltby.ANIMALS.filter(({ kind }) => (kind === 'cat') === cats)
    .slice(0, count)
    .map(({ kind, name, place, eats, does }) => ({
      kind,
      name: name.en,
      place: place.en,
      eats: eats.en,
      does: does.en,
    }));

export const CATS: readonly Animal[] = animals(true, 5);
export const OTHER_ANIMALS: readonly Animal[] = animals(false, 7);
export const ANIMALS: readonly Animal[] = [...CATS, ...OTHER_ANIMALS];

/** Things that are simply so in Saltby, and what a liar says instead. */
export const FACTS: readonly { asks: string; truth: string; lies: readonly string[] }[] =
  saltby.GENERAL_FACTS.slice(0, 14).map(({ asks, truth, lies }) => ({
    asks: asks.en,
    truth: truth.en,
    lies: lies.map(({ en }) => en),
  }));
