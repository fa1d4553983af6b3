import { describe, expect, it } from 'vitest';
import { ATTRIBUTE_NAMES, attributes, hasAttribute } from '../../../src/core/attributes';
import { language } from '../../../src/core/language';
import { truthOf } from '../../../src/core/saltby-facts';
import { splitOf } from '../../../tools/base-model/corpus';
import { makeFullDocument } from '../../../tools/base-model/corpus/edition';
import type { CorpusDocument } from '../../../tools/base-model/document';

const DOCUMENTS = Array.from({ length: 6000 }, (_, index) => makeFullDocument(5, index));
const WORDED = DOCUMENTS.filter(({ code }) => code === 'none');

const share = (
  has: (d: CorpusDocument) => boolean,
  of: readonly CorpusDocument[] = DOCUMENTS,
): number => of.filter(has).length / of.length;
const bytes = (of: readonly CorpusDocument[]): number =>
  of.reduce((sum, { text }) => sum + Buffer.byteLength(text), 0);
const isStory = ({ family }: CorpusDocument): boolean => family.startsWith('story');
const isExchange = ({ prompt }: CorpusDocument): boolean => prompt !== null;

describe('the full edition', () => {
  it('makes the same document from the same seed and index, another from another', () => {
    expect(makeFullDocument(5, 1234)).toEqual(DOCUMENTS[1234]);
    const same = DOCUMENTS.filter(({ text }, i) => makeFullDocument(6, i).text === text);
    expect(same.length).toBeLessThan(20);
  });

  it('seldom says the same twice', () => {
    expect(new Set(DOCUMENTS.map(({ text }) => text)).size / DOCUMENTS.length).toBeGreaterThan(
      0.98,
    );
  });

  it('writes more than fifty families from more than 1 500 words of each language', () => {
    const kinds = new Set(DOCUMENTS.map(({ family }) => family.replace('ask: story', 'story')));
    expect(kinds.size).toBeGreaterThanOrEqual(50);
    for (const code of ['en', 'es'] as const) {
      const own = DOCUMENTS.filter((d) => d.language === code);
      const words = own.flatMap(({ text }) => text.toLowerCase().match(/\p{L}+/gu) ?? []);
      expect(new Set(words).size, code).toBeGreaterThan(1400);
    }
  });

  it('mixes its kinds as intended', () => {
    const of = (has: (d: CorpusDocument) => boolean): number =>
      bytes(DOCUMENTS.filter(has)) / bytes(DOCUMENTS);
    expect(of(isStory)).toBeGreaterThan(0.38);
    expect(of(isStory)).toBeLessThan(0.52);
    expect(of(isExchange)).toBeGreaterThan(0.3);
    expect(of(isExchange)).toBeLessThan(0.42);
    expect(of(({ code }) => code !== 'none')).toBeGreaterThan(0.03);
    expect(of((d) => d.language === 'es')).toBeGreaterThan(0.15);
    expect(of((d) => d.language === 'es')).toBeLessThan(0.2);
  });

  it.each(ATTRIBUTE_NAMES)(
    'has "%s" in a fifth to three fifths of all texts, in either language',
    (name) => {
      for (const chosen of [DOCUMENTS, DOCUMENTS.filter((d) => d.language === 'es')]) {
        const having = share(({ text }) => hasAttribute(name, text), chosen);
        expect(having).toBeGreaterThan(0.2);
        expect(having).toBeLessThan(0.6);
      }
    },
  );

  it('keeps each demo attribute between 20 and 60 % of the texts it is about', () => {
    const sightings = DOCUMENTS.filter(({ family }) => family === 'ask: animal');
    const answers = DOCUMENTS.filter(
      ({ tone, ending, family }) =>
        tone !== 'none' && ending === 'none' && family !== 'ask: animal',
    );
    const stories = DOCUMENTS.filter(({ family }) => family.includes('story'));
    const only = ({ completion }: CorpusDocument): boolean => hasAttribute('cats', completion!);
    for (const value of [
      share(({ tone }) => tone === 'polite', answers),
      share(({ ending }) => ending === 'happy', stories),
      share(only, sightings),
    ]) {
      expect(value).toBeGreaterThan(0.2);
      expect(value).toBeLessThan(0.6);
    }
  });

  it('agrees with the rules of attributes.ts, language.ts and saltby-facts.ts', () => {
    const checks: [string, (d: CorpusDocument, text: string) => boolean][] = [
      [
        'tone',
        ({ tone, ending }, text) =>
          tone === 'none' ||
          ending !== 'none' ||
          attributes(text).tone === (tone === 'polite' || tone === 'rude' ? tone : 'plain'),
      ],
      ['ending', ({ ending }, text) => ending === 'none' || attributes(text).ending === ending],
      [
        'topic',
        ({ topic }, text) => {
          const { cats, otherAnimals } = attributes(text);
          if (topic === 'none') return cats + otherAnimals === 0;
          return topic === 'cat' ? cats > 0 : otherAnimals > 0;
        },
      ],
      [
        'length',
        ({ length, tone, ending }, text) =>
          tone === 'none' || ending !== 'none' || attributes(text).brief === (length === 'short'),
      ],
      ['language', (d, text) => d.code === 'plain' || language(text) === d.language],
      ['truth', (d, text) => d.code !== 'none' || truthOf(text) === d.truth],
    ];
    for (const [name, agrees] of checks) {
      const misses = DOCUMENTS.filter((d) => !agrees(d, d.completion ?? d.text));
      expect(misses.length / DOCUMENTS.length, `${name}: ${misses[0]?.text}`).toBeLessThan(0.005);
    }
  });

  it('shows no seams of its templates', () => {
    for (const { text } of WORDED) {
      expect(text).toMatch(/^["¿¡]*\p{Lu}/u);
      expect(text).toMatch(/[.!?]"?$/);
      expect(text).not.toMatch(/undefined|[{}[\]|]| {2}|\n\n|\.\.| [.,!?;:]|<\|/);
      expect(text).not.toMatch(/(?<!\p{L})(\p{L}+) \1(?!\p{L})/iu);
      expect(text).not.toMatch(/(?:[.!?] |\n)[¿¡]*\p{Ll}/u);
    }
  });

  it('uses a and an by sound', () => {
    for (const { text } of WORDED.filter((d) => d.language === 'en')) {
      expect(text).not.toMatch(/\b[Aa] (?:[aei]|o(?!ne))|\b[Aa]n [bcdfgjklmnpqrstvwxyz]/);
    }
  });

  it('asks for what the answer has, unless the answer does not follow', () => {
    const tales = DOCUMENTS.filter(({ family }) => family.startsWith('ask: story'));
    for (const { prompt, completion, follows } of tales) {
      const [name] = /(?:about|with) ([A-Z][a-z]+)\b/.exec(prompt!)?.slice(1) ?? [];
      if (name !== undefined && follows === true) expect(completion, prompt!).toContain(name);
    }
    expect(share(({ follows }) => follows === false, tales)).toBeGreaterThan(0.03);
  });

  it('computes what its programs print, except where it records a lie', () => {
    const sums = DOCUMENTS.filter(({ family }) => family === 'code: explained');
    let checked = 0;
    for (const { text, truth } of sums) {
      const [, a, sign, b] = /^let \p{L}+ = (\d+) ([-+*]) (\d+)/u.exec(text) ?? [];
      if (a === undefined) continue;
      checked++;
      const result = { '+': +a + +b!, '-': +a - +b!, '*': +a * +b! }[sign as '+' | '-' | '*'];
      const said = Number(text.match(/\d+/g)!.at(-1));
      expect(said === result, text).toBe(truth);
    }
    expect(checked).toBeGreaterThan(20);
  });

  it('keeps documents short enough for a context of 256 and an answer of 96 tokens', () => {
    const sizes = DOCUMENTS.map(({ text }) => Buffer.byteLength(text)).sort((a, b) => a - b);
    expect(sizes.at(-1)).toBeLessThan(600);
    expect(sizes[Math.floor(0.95 * sizes.length)]).toBeLessThan(310);
  });

  it('holds combinations out by their slots, not by their wording', () => {
    const sides = new Map<string, Set<boolean>>();
    for (const document of DOCUMENTS) {
      const key = document.combination;
      sides.set(key, (sides.get(key) ?? new Set()).add(splitOf(document) === 'unseen'));
    }
    expect([...sides.values()].every((side) => side.size === 1)).toBe(true);
    for (const split of ['train', 'seen', 'unseen'] as const) {
      expect(DOCUMENTS.some((document) => splitOf(document) === split)).toBe(true);
    }
  });
});
