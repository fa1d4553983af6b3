/**
 * Saltby, a small harbour town. Everything said of it in the corpus comes from these tables, so
 * whether a statement is true can be looked up.
 */

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

const she = { he: 'she', him: 'her', his: 'her' };
const he = { he: 'he', him: 'him', his: 'his' };

export const PEOPLE: readonly Person[] = [
  { name: 'Mira', ...she, works: 'keeps the lamp', place: 'in the tower', trait: 'never sleeps' },
  { name: 'Tom', ...he, works: 'bakes the bread', place: 'in the bakery', trait: 'sings too loud' },
  {
    name: 'Anna',
    ...she,
    works: 'mends the nets',
    place: 'in the shed',
    trait: 'tells long jokes',
  },
  { name: 'Ben', ...he, works: 'rows the ferry', place: 'by the pier', trait: 'is afraid of fish' },
  { name: 'Rosa', ...she, works: 'cooks the soup', place: 'at the inn', trait: 'wins every game' },
  {
    name: 'Otto',
    ...he,
    works: 'sells the hats',
    place: 'at the market',
    trait: 'counts the clouds',
  },
  {
    name: 'Ida',
    ...she,
    works: 'flies the kite',
    place: 'on the hill',
    trait: 'talks to the moon',
  },
  { name: 'Sam', ...he, works: 'looks for shells', place: 'on the beach', trait: 'wears two hats' },
  {
    name: 'Nell',
    ...she,
    works: 'brings the letters',
    place: 'by the well',
    trait: 'reads them all',
  },
  { name: 'Jon', ...he, works: 'builds the boats', place: 'in the shed', trait: 'loves the rain' },
];

/** Where each thing is kept: a fact. */
export const THINGS: readonly { name: string; home: string }[] = [
  { name: 'blue boat', home: 'by the pier' },
  { name: 'big net', home: 'in the shed' },
  { name: 'old bell', home: 'in the tower' },
  { name: 'long rope', home: 'by the pier' },
  { name: 'red kite', home: 'on the hill' },
  { name: 'old map', home: 'at the inn' },
  { name: 'green lamp', home: 'in the tower' },
  { name: 'tin bucket', home: 'by the well' },
  { name: 'soup pot', home: 'at the inn' },
  { name: 'bread basket', home: 'in the bakery' },
  { name: 'yellow coat', home: 'at the market' },
  { name: 'small key', home: 'by the well' },
  { name: 'ladder', home: 'in the shed' },
  { name: 'red drum', home: 'on the beach' },
  { name: 'blue hat', home: 'at the market' },
  { name: 'golden spoon', home: 'in the bakery' },
];

export const PLACES: readonly string[] = [
  'by the pier',
  'in the bakery',
  'in the tower',
  'at the inn',
  'on the beach',
  'at the market',
  'on the hill',
  'in the shed',
  'by the well',
];

export interface Animal {
  kind: string;
  /** How a text brings it in. */
  name: string;
  place: string;
  eats: string;
  does: string;
}

export const CATS: readonly Animal[] = [
  {
    kind: 'cat',
    name: 'Biscuit the cat',
    place: 'in the bakery',
    eats: 'butter',
    does: 'sleeps on the warm bread',
  },
  {
    kind: 'cat',
    name: 'Pepper the cat',
    place: 'in the tower',
    eats: 'milk',
    does: 'guards the lamp',
  },
  {
    kind: 'cat',
    name: 'the black cat',
    place: 'by the pier',
    eats: 'fish',
    does: 'waits for the ferry',
  },
  { kind: 'cat', name: 'the fat cat', place: 'at the inn', eats: 'soup', does: 'sits on the map' },
  {
    kind: 'cat',
    name: 'the little kitten',
    place: 'in the shed',
    eats: 'cheese',
    does: 'hides in the nets',
  },
];

export const OTHER_ANIMALS: readonly Animal[] = [
  {
    kind: 'goat',
    name: 'Hugo the goat',
    place: 'on the hill',
    eats: 'hats',
    does: 'eats the blue hat',
  },
  {
    kind: 'dog',
    name: 'Moss the dog',
    place: 'by the pier',
    eats: 'bones',
    does: 'barks at the waves',
  },
  {
    kind: 'duck',
    name: 'Lulu the duck',
    place: 'by the well',
    eats: 'bread',
    does: 'swims in the bucket',
  },
  {
    kind: 'crab',
    name: 'Pinch the crab',
    place: 'on the beach',
    eats: 'toes',
    does: 'walks home backwards',
  },
  {
    kind: 'gull',
    name: 'the white gull',
    place: 'at the market',
    eats: 'cake',
    does: 'laughs at everyone',
  },
  {
    kind: 'seal',
    name: 'the old seal',
    place: 'on the beach',
    eats: 'fish',
    does: 'sings at night',
  },
  {
    kind: 'hen',
    name: 'the brown hen',
    place: 'in the shed',
    eats: 'corn',
    does: 'rides on the cart',
  },
];

export const ANIMALS: readonly Animal[] = [...CATS, ...OTHER_ANIMALS];

/** Things that are simply so in Saltby, and what a liar says instead. */
export const FACTS: readonly { asks: string; truth: string; lies: readonly string[] }[] = [
  {
    asks: 'When does the ferry come?',
    truth: 'The ferry comes at noon.',
    lies: ['The ferry comes at night.', 'The ferry never comes.'],
  },
  {
    asks: 'When is the market?',
    truth: 'The market is on Friday.',
    lies: ['The market is on Monday.'],
  },
  {
    asks: 'Who rings the bell?',
    truth: 'Mira rings the bell at noon.',
    lies: ['Otto rings the bell at noon.'],
  },
  {
    asks: 'What does the goat eat?',
    truth: 'The goat eats hats.',
    lies: ['The goat eats letters.', 'The goat eats soup.'],
  },
  {
    asks: 'How old is the tower?',
    truth: 'The tower is a hundred years old.',
    lies: ['The tower is two years old.'],
  },
  {
    asks: 'Is the sea cold?',
    truth: 'The sea is cold all year.',
    lies: ['The sea is warm like soup.'],
  },
  { asks: 'What colour is the lamp?', truth: 'The lamp is green.', lies: ['The lamp is red.'] },
  {
    asks: 'What is in the soup?',
    truth: 'There is fish in the soup.',
    lies: ['There is a hat in the soup.'],
  },
  {
    asks: 'Who is afraid of fish?',
    truth: 'Ben is afraid of fish.',
    lies: ['Rosa is afraid of fish.'],
  },
  { asks: 'Who wears two hats?', truth: 'Sam wears two hats.', lies: ['Jon wears two hats.'] },
  {
    asks: 'Where does the crab live?',
    truth: 'The crab lives on the beach.',
    lies: ['The crab lives in the tower.'],
  },
  {
    asks: 'Where does the goat live?',
    truth: 'The goat lives on the hill.',
    lies: ['The goat lives at the inn.'],
  },
  {
    asks: 'Who reads all the letters?',
    truth: 'Nell reads all the letters.',
    lies: ['Tom reads all the letters.'],
  },
  {
    asks: 'Who talks to the moon?',
    truth: 'Ida talks to the moon.',
    lies: ['Sam talks to the moon.'],
  },
];
