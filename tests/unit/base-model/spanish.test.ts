import { describe, expect, it } from 'vitest';
import { ANIMALS, PEOPLE, THINGS } from '../../../src/core/saltby-world';
import { makeFullDocument } from '../../../tools/base-model/corpus/edition';

const TEXTS = Array.from({ length: 20000 }, (_, index) => makeFullDocument(8, index))
  .filter(({ language, code }) => language === 'es' && code === 'none')
  .map(({ text }) => text);

const GENDERS = [...THINGS, ...ANIMALS].map(({ noun, gender }) => ({ noun: noun.es, gender }));
const MASCULINE = '(?:el|un|del|al|este|otro)';
const FEMININE = '(?:la|una|esta|otra)';

describe('the Spanish side', () => {
  it('is there', () => {
    expect(TEXTS.length).toBeGreaterThan(2500);
    expect(TEXTS.join('')).toMatch(/ñ/);
  });

  it('gives every thing and animal the article of its gender', () => {
    for (const { noun, gender } of GENDERS) {
      const wrong = new RegExp(
        `(?<!\\p{L})${gender === 'm' ? FEMININE : MASCULINE} ${noun}(?!\\p{L})`,
        'iu',
      );
      expect(TEXTS.find((text) => wrong.test(text))).toBeUndefined();
    }
  });

  it('makes adjectives of the thing agree with it', () => {
    for (const { noun, gender } of THINGS) {
      const vowel = gender === 'm' ? 'a' : 'o';
      const wrong = new RegExp(`prestad${vowel} (?:el|la) ${noun.es}(?!\\p{L})`, 'u');
      expect(TEXTS.find((text) => wrong.test(text))).toBeUndefined();
    }
    expect(TEXTS.some((text) => /prestado el/.test(text))).toBe(true);
    expect(TEXTS.some((text) => /prestada la/.test(text))).toBe(true);
  });

  it('makes adjectives of a person agree with that person', () => {
    for (const { name, gender } of PEOPLE) {
      const wrong = new RegExp(`querid${gender === 'm' ? 'a' : 'o'} ${name}(?!\\p{L})`, 'iu');
      expect(TEXTS.find((text) => wrong.test(text))).toBeUndefined();
    }
    expect(TEXTS.some((text) => /[Qq]uerida /.test(text))).toBe(true);
    expect(TEXTS.some((text) => /[Qq]uerido /.test(text))).toBe(true);
  });

  it('contracts de el and a el, and turns y and o before their own sound', () => {
    for (const text of TEXTS) {
      expect(text).not.toMatch(/(?<!\p{L})(?:de|a) el /iu);
      expect(text).not.toMatch(/(?<!\p{L})y (?:[iíIÍ]|[Hh]i(?!e))/u);
      expect(text).not.toMatch(/(?<!\p{L})o (?:[oóOÓ]|[Hh]o)/u);
    }
  });

  it('opens every question and every exclamation', () => {
    for (const text of TEXTS) {
      expect(text.split('¿').length, text).toBe(text.split('?').length);
      expect(text.split('¡').length, text).toBe(text.split('!').length);
    }
  });

  it('holds no English', () => {
    for (const text of TEXTS)
      expect(text).not.toMatch(/(?<!\p{L})(?:the|and|with|was|is|you)(?!\p{L})/iu);
  });
});
