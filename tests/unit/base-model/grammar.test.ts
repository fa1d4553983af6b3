import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { attributes } from '../../../src/core/attributes';
import { partOf, readSections } from '../../../tools/base-model/corpus/grammar';
import { Scene, withArticle } from '../../../tools/base-model/corpus/scene';
import { ARCS, ARC_NAMES, STORY_PARTS } from '../../../tools/base-model/corpus/story';
import { Draw } from '../../../tools/base-model/draw';

const FOLDER = new URL('../../../tools/base-model/corpus/grammar/', import.meta.url);
const LINES = readdirSync(FOLDER).flatMap((file) =>
  readFileSync(new URL(file, FOLDER), 'utf8')
    .split('\n')
    .filter((line) => line.includes('||'))
    .map((line) => ({ file, line })),
);

/** Every slot of a line can be filled, in either language, by any cast. */
const expansions = (plan: { en: string; es: string }): string[] =>
  (['en', 'es'] as const).flatMap((language) =>
    [1, 2, 3].map((seed) => new Scene(new Draw(seed, 1), language).expand(plan[language])),
  );

describe('the grammar files', () => {
  it('hold more than eight hundred plans, each in both languages', () => {
    expect(LINES.length).toBeGreaterThan(800);
    for (const { file, line } of LINES) {
      const sides = line.split('||');
      expect(sides.length, `${file}: ${line}`).toBe(2);
      for (const side of sides) {
        expect(side.trim().length, `${file}: ${line}`).toBeGreaterThan(0);
        expect(side.split('[').length, `${file}: ${line}`).toBe(side.split(']').length);
        expect(side.split('{').length, `${file}: ${line}`).toBe(side.split('}').length);
      }
    }
  });

  it('fill every slot in both languages', () => {
    for (const { line } of LINES) {
      const [en, es] = line.replace(/^[>~-] /, '').split('||') as [string, string];
      for (const text of expansions({ en, es })) {
        expect(text, line).not.toMatch(/undefined|[{}[\]]| {2}/);
      }
    }
  });

  it('has more than twenty arcs, each with a start, a turn for every ending, and choices', () => {
    expect(ARC_NAMES.length).toBeGreaterThanOrEqual(20);
    for (const arc of ARC_NAMES) {
      for (const part of ['start', 'then', 'try', 'happy', 'sad', 'open']) {
        expect(partOf(ARCS, arc, part).length, `${arc} @${part}`).toBeGreaterThanOrEqual(3);
      }
    }
  });

  it.each(['happy', 'sad', 'open'] as const)(
    'ends %s stories with sentences that say so',
    (end) => {
      for (const plan of partOf(STORY_PARTS, `last ${end}`)) {
        for (const text of expansions(plan)) expect(attributes(text).ending, text).toBe(end);
      }
    },
  );

  it.each([
    ['polite', 'polite open'],
    ['polite', 'polite close'],
    ['polite', 'polite evade'],
    ['rude', 'rude open'],
    ['rude', 'rude close'],
    ['rude', 'rude evade'],
    ['plain', 'curt evade'],
    ['plain', 'ramble start'],
    ['plain', 'ramble'],
  ])('marks what is %s in "%s"', (tone, part) => {
    for (const plan of partOf(readSections('manners.txt'), part)) {
      for (const text of expansions(plan)) expect(attributes(text).tone, text).toBe(tone);
    }
  });

  it('names the section that is missing', () => {
    expect(() => partOf(ARCS, 'lost', 'middle')).toThrow('"lost" @middle');
  });
});

describe('a scene', () => {
  const scene = (language: 'en' | 'es', seed = 1): Scene => new Scene(new Draw(seed, 7), language);

  it('keeps a slot the same throughout a document, and other slots different', () => {
    for (let seed = 0; seed < 50; seed++) {
      const [a, b, c] = scene('en', seed).expand('{who}|{who}|{friend}').split('|');
      expect(a).toBe(b);
      expect(c).not.toBe(a);
    }
  });

  it('uses no pronoun before the name', () => {
    const plans = [
      { en: '{He} sang.', es: 'Cantó.' },
      { en: '{Who} sang.', es: '{Who} cantó.' },
    ];
    for (let seed = 0; seed < 50; seed++) {
      const made = scene('en', seed);
      expect(made.say(plans)).toBe(`${made.person().name} sang.`);
    }
  });

  it('lies only when it is told to', () => {
    const honest = scene('en');
    expect(honest.expand('{claim thing home}')).toContain(honest.thing().home.en);
    const liar = scene('en');
    liar.lying = true;
    expect(liar.expand('{claim thing home}')).not.toContain(liar.thing().home.en);
    expect(liar.claimed).toBe(true);
  });

  it('refuses slots that do not exist', () => {
    expect(() => scene('en').expand('{nonsense}')).toThrow('nonsense');
    expect(() => scene('en').expand('{who-}')).toThrow('{who-}');
  });

  it('writes articles by the sound that follows', () => {
    expect(withArticle('old map')).toBe('an old map');
    expect(withArticle('one-eyed cat')).toBe('a one-eyed cat');
    expect(withArticle('unicorn')).toBe('a unicorn');
    expect(withArticle('umbrella')).toBe('an umbrella');
    expect(withArticle('boat')).toBe('a boat');
  });
});
