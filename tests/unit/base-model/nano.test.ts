import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { attributes } from '../../../src/core/attributes';
import { splitOf } from '../../../tools/base-model/corpus';
import { makeNanoDocument as makeDocument } from '../../../tools/base-model/nano/edition';
import { FACTS, THINGS } from '../../../tools/base-model/nano/world';

const DOCUMENTS = Array.from({ length: 3000 }, (_, index) => makeDocument(5, index));

describe('the nano edition', () => {
  it('still writes the texts that the shipped model nano was trained on', () => {
    const hash = createHash('sha256');
    for (let index = 0; index < 2000; index++) hash.update(`${makeDocument(1, index).text}\n\n`);
    expect(hash.digest('hex')).toBe(
      'd06137fb284932bea803c8da19ba25add9d64281d26b71bd3eda0694fa5b4d66',
    );
  });

  it('makes the same document from the same seed and index, another from another', () => {
    expect(makeDocument(5, 1234)).toEqual(DOCUMENTS[1234]);
    const others = DOCUMENTS.filter(({ text }, i) => makeDocument(6, i).text === text);
    expect(others.length).toBeLessThan(60);
  });

  it('writes at least twelve families', () => {
    expect(new Set(DOCUMENTS.map(({ family }) => family)).size).toBeGreaterThanOrEqual(12);
  });

  it('keeps each demo attribute between 20 and 60 % of the texts it is about', () => {
    const share = (
      chosen: typeof DOCUMENTS,
      has: (d: (typeof DOCUMENTS)[number]) => boolean,
    ): number => chosen.filter(has).length / chosen.length;
    const answers = DOCUMENTS.filter(({ tone, ending }) => tone !== 'none' && ending === 'none');
    const shares = [
      share(
        answers.filter(({ family }) => family !== 'ask: animal'),
        ({ tone }) => tone === 'polite',
      ),
      share(
        DOCUMENTS.filter(({ ending }) => ending !== 'none'),
        ({ ending }) => ending === 'happy',
      ),
      share(
        DOCUMENTS.filter(({ family }) => family === 'ask: animal'),
        ({ topic }) => topic === 'cat',
      ),
    ];
    for (const value of shares) {
      expect(value).toBeGreaterThan(0.2);
      expect(value).toBeLessThan(0.6);
    }
  });

  it('agrees with the rules of src/core/attributes.ts in tone, ending and topic', () => {
    const misses = DOCUMENTS.filter(({ text, completion, tone, ending, topic }) => {
      const measured = attributes(completion ?? text);
      const expectedTone = tone === 'polite' || tone === 'rude' ? tone : 'plain';
      const animals = measured.cats + measured.otherAnimals;
      return (
        (tone !== 'none' && measured.tone !== expectedTone) ||
        (ending !== 'none' && measured.ending !== ending) ||
        (topic === 'none') !== (animals === 0)
      );
    });
    expect(misses.length / DOCUMENTS.length, misses[0]?.text).toBeLessThanOrEqual(0.02);
  });

  it('records the truth of what it states', () => {
    const stated = DOCUMENTS.filter(({ family }) => family === 'facts');
    expect(stated.some(({ truth }) => truth === false)).toBe(true);
    const right = new Set([
      ...FACTS.map(({ truth }) => truth),
      ...THINGS.map(({ name, home }) => `The ${name} is ${home}.`),
    ]);
    for (const { text, truth } of stated) {
      const sentences = text.match(/[^.]+\./g)!.map((sentence) => sentence.trim());
      expect(truth, text).toBe(sentences.every((sentence) => right.has(sentence)));
    }
  });

  it('starts with a capital, ends with punctuation, leaves no slot unfilled', () => {
    for (const { text } of DOCUMENTS) {
      expect(text).toMatch(/^[A-Z"]/);
      expect(text).toMatch(/[.!?]"?$/);
      expect(text).not.toMatch(/undefined|\$\{| {2}|\n\n|\ba (?:old|apple)\b|\.\.|<\|/);
    }
  });

  it('holds combinations out by their slots, not by their wording', () => {
    const sides = new Map<string, Set<boolean>>();
    for (const document of DOCUMENTS) {
      const key = document.combination;
      sides.set(key, (sides.get(key) ?? new Set()).add(splitOf(document) === 'unseen'));
    }
    expect([...sides.values()].every((side) => side.size === 1)).toBe(true);
    expect(DOCUMENTS.some((document) => splitOf(document) === 'unseen')).toBe(true);
    expect(DOCUMENTS.some((document) => splitOf(document) === 'seen')).toBe(true);
  });
});
