import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { EDITIONS, type Edition } from '../../../tools/base-model/corpus';
import {
  Acceptance,
  formatChecks,
  inFormat,
  type Answer,
} from '../../../tools/base-model/eval/acceptance';
import { skeletonOf } from '../../../tools/base-model/eval/slots';
import { sentencesOf, wordsOf } from '../../../tools/base-model/eval/text-units';
import type { DemoSet } from '../../../tools/base-model/make-demos';

function learned(edition: Edition, documents: number): Acceptance {
  const acceptance = new Acceptance();
  for (let index = 0; index < documents; index++) {
    acceptance.learn(EDITIONS[edition](1, index).text);
  }
  return acceptance;
}

describe('sentences', () => {
  it('are cut at marks, quotes, speakers and line ends', () => {
    expect(sentencesOf('Ben: Who is it?\nIda: It is 3. Ben asks: "Why?" "No," said Ben.')).toEqual([
      'Ben:',
      'Who is it?',
      'Ida:',
      'It is 3.',
      'Ben asks:',
      'Why?',
      'No,',
      'said Ben.',
    ]);
  });

  it('have words, with the apostrophe inside', () => {
    expect(wordsOf(`Ben's cat, 'Él' 12`)).toEqual(["ben's", 'cat', 'él']);
  });
});

describe('skeletons', () => {
  it('are alike where only the slots differ', () => {
    expect(skeletonOf('Mira lost the blue boat.')).toBe(skeletonOf('Anna lost the small key.'));
    expect(skeletonOf("Mira's hat")).toBe(skeletonOf("Anna's hat"));
    expect(skeletonOf('9 minus 4 is 5')).toBe(skeletonOf('12 minus 1 is 11'));
    expect(skeletonOf('Al lado del muelle')).toBe(skeletonOf('Al lado del cobertizo'));
  });

  it('tell gender and articles apart', () => {
    expect(skeletonOf('Mira lost the blue boat.')).not.toBe(skeletonOf('Ben lost the blue boat.'));
    expect(skeletonOf('a blue boat')).not.toBe(skeletonOf('a old bell'));
  });
});

describe('acceptance', () => {
  const acceptance = new Acceptance();
  beforeAll(() => {
    acceptance.learn('Mira lost the blue boat. She was sad.');
  });

  it('takes sentences of the grammar with other fillers', () => {
    expect(acceptance.isGrammatical('She was sad. Anna lost the small key.')).toBe(true);
  });

  it('refuses a wrong order, a misspelt word, an unfinished sentence and nothing at all', () => {
    for (const text of [
      'Mira the blue boat lost.',
      'Mira lost the bluu boat.',
      'Mira lost the blue boat. She was',
      '',
    ]) {
      expect(acceptance.isGrammatical(text), text).toBe(false);
    }
  });

  it('spells by the list of words, whatever their order', () => {
    expect(acceptance.isSpelled('boat the She lost!')).toBe(true);
    expect(acceptance.isSpelled('Mira lost the bluu boat.')).toBe(false);
    expect(acceptance.isSpelled('Mira \uFFFD lost')).toBe(false);
  });

  it('accepts what the generator writes, nearly always, and no shuffled text', () => {
    for (const [edition, least] of [
      ['nano', 1],
      ['full', 0.9],
    ] as const) {
      const known = learned(edition, 20_000);
      const fresh = Array.from({ length: 300 }, (_, index) => EDITIONS[edition](2, index).text);
      const accepted = fresh.filter((text) => known.isGrammatical(text));
      expect(accepted.length / fresh.length, edition).toBeGreaterThanOrEqual(least);
      const backwards = fresh.map((text) => text.split(' ').reverse().join(' '));
      expect(backwards.filter((text) => known.isGrammatical(text)).length).toBeLessThan(15);
    }
  });
});

describe('answers in the format', () => {
  const answer: Answer = {
    prompt: 'Where is the boat?',
    text: 'By the pier.',
    finish: 'eos',
    templateTokens: false,
  };
  const spelled = (text: string): boolean => !text.includes('xx');
  const check = (change: Partial<Answer>): boolean =>
    inFormat(formatChecks({ ...answer, ...change }, spelled));

  it('takes an ended answer of known words', () => {
    expect(check({})).toBe(true);
    expect(check({ text: 'Where is the pier? There.' })).toBe(true);
  });

  it('refuses each fault on its own', () => {
    expect(check({ finish: 'length' })).toBe(false);
    expect(check({ templateTokens: true })).toBe(false);
    expect(check({ text: '.' })).toBe(false);
    expect(check({ text: 'where is the boat? By the pier.' })).toBe(false);
    expect(check({ text: 'By the xx.' })).toBe(false);
  });

  it('takes every bundled demonstration', () => {
    const known = learned('nano', 20_000);
    for (const name of ['polite', 'happy', 'cats']) {
      const file = new URL(`../../../public/demo/${name}.json`, import.meta.url);
      const { demonstrations } = JSON.parse(readFileSync(file, 'utf8')) as DemoSet;
      for (const { prompt, completion } of demonstrations) {
        const given: Answer = { prompt, text: completion, finish: 'eos', templateTokens: false };
        const checks = formatChecks(given, (text) => known.isSpelled(text));
        expect(inFormat(checks), completion).toBe(true);
      }
    }
  });
});
