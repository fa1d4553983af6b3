import { describe, expect, it } from 'vitest';
import { language } from '../../../src/core/language';
import { contractSpanish, FACT_COUNT, isTrue, truthOf } from '../../../src/core/saltby-facts';
import { ANIMALS, GENERAL_FACTS, PEOPLE, THINGS } from '../../../src/core/saltby-world';

describe('the tables of Saltby', () => {
  it('hold forty people and more than two hundred facts', () => {
    expect(PEOPLE.length).toBeGreaterThanOrEqual(40);
    expect(FACT_COUNT).toBeGreaterThan(200);
  });

  it('name everything once, and fill every cell in both languages', () => {
    const names = [
      ...PEOPLE.map(({ name }) => name),
      ...THINGS.map(({ noun }) => noun.en),
      ...ANIMALS.map(({ name }) => name.en),
      ...GENERAL_FACTS.map(({ asks }) => asks.en),
    ];
    expect(new Set(names).size).toBe(names.length);
    for (const row of [...PEOPLE, ...THINGS, ...ANIMALS, ...GENERAL_FACTS]) {
      expect(JSON.stringify(row)).not.toMatch(/""|null/);
      expect(Object.values(row)).not.toContain(undefined);
    }
    for (const { lies } of GENERAL_FACTS) for (const lie of lies) expect(lie.es).toBeTruthy();
  });
});

describe('isTrue', () => {
  it('knows right from wrong in both languages', () => {
    expect(isTrue('The blue boat is by the pier.')).toBe(true);
    expect(isTrue('The blue boat is in the bakery.')).toBe(false);
    expect(isTrue('La barca azul está junto al muelle.')).toBe(true);
    expect(isTrue('La barca azul está en la panadería.')).toBe(false);
    expect(isTrue('Tom bakes the bread.')).toBe(true);
    expect(isTrue('Otto bakes the bread.')).toBe(false);
    expect(isTrue('Puedes ver al gato negro junto al muelle.')).toBe(true);
    expect(isTrue('The ferry never comes.')).toBe(false);
  });

  it('takes two things that are so for the same value as both true', () => {
    expect(isTrue('The black cat eats fish.')).toBe(true);
    expect(isTrue('The old seal eats fish.')).toBe(true);
  });

  it('says nothing of what is no statement about Saltby', () => {
    expect(isTrue('The moon is made of cheese.')).toBeNull();
    expect(isTrue('')).toBeNull();
  });
});

describe('truthOf', () => {
  it('is false by one wrong sentence, whatever else is said', () => {
    expect(truthOf('Of course. The green lamp is in the tower. Take care.')).toBe(true);
    expect(truthOf('The green lamp is in the tower. The lamp is red.')).toBe(false);
    expect(truthOf('Luca told me this: The tower has three steps.')).toBe(false);
    expect(truthOf('I like lamps.')).toBeNull();
  });
});

describe('contractSpanish', () => {
  it('joins articles and changes vowels that meet, and nothing else', () => {
    expect(contractSpanish('cerca de el pozo y a el mar')).toBe('cerca del pozo y al mar');
    expect(contractSpanish('Tom y Ida, uno o otro, sal y hielo')).toBe(
      'Tom e Ida, uno u otro, sal y hielo',
    );
    expect(contractSpanish('para el mar, de él, nada el pez')).toBe(
      'para el mar, de él, nada el pez',
    );
  });
});

describe('language', () => {
  it('tells English from Spanish, and takes what is neither for English', () => {
    expect(language('The cat is on the roof.')).toBe('en');
    expect(language('El gato duerme en la panadería.')).toBe('es');
    expect(language('¿Dónde?')).toBe('es');
    expect(language('42')).toBe('en');
    expect(language('')).toBe('en');
  });
});
