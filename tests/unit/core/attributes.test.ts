import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { attributes, gold, hasAttribute, RAMBLING_WORDS } from '../../../src/core/attributes';

interface Row {
  text: string;
  family: string;
  ending: 'happy' | 'sad' | 'open' | 'none';
  tone: 'polite' | 'neutral' | 'curt' | 'rude' | 'none';
  length: 'short' | 'rambling';
  topic: string;
}

const rows = readFileSync(new URL('../../golden/attributes.jsonl', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as Row);

/** Share of the rows for which `agrees` holds, with the first rows for which it does not. */
function agreement(
  chosen: Row[],
  agrees: (row: Row) => boolean,
): { share: number; misses: string[] } {
  const misses = chosen.filter((row) => !agrees(row)).map(({ text }) => text);
  return { share: 1 - misses.length / chosen.length, misses: misses.slice(0, 3) };
}

describe('agreement with what the generator recorded', () => {
  it('on 300 documents', () => {
    expect(rows.length).toBe(300);
  });

  it('on the tone of answers', () => {
    const answers = rows.filter(({ tone }) => tone !== 'none');
    const { share, misses } = agreement(answers, ({ text, tone }) => {
      const expected = tone === 'polite' || tone === 'rude' ? tone : 'plain';
      return attributes(text).tone === expected;
    });
    expect(answers.length).toBeGreaterThan(100);
    expect(share, misses.join('\n')).toBeGreaterThanOrEqual(0.98);
  });

  it('on the endings of stories', () => {
    const stories = rows.filter(({ ending }) => ending !== 'none');
    const { share, misses } = agreement(
      stories,
      ({ text, ending }) => attributes(text).ending === ending,
    );
    expect(stories.length).toBeGreaterThan(60);
    expect(share, misses.join('\n')).toBeGreaterThanOrEqual(0.98);
  });

  it('on rambling', () => {
    const answers = rows.filter(({ tone, ending }) => tone !== 'none' && ending === 'none');
    const { share, misses } = agreement(
      answers,
      ({ text, length }) => attributes(text).brief === (length === 'short'),
    );
    expect(answers.some(({ length }) => length === 'rambling')).toBe(true);
    expect(share, misses.join('\n')).toBeGreaterThanOrEqual(0.98);
  });

  it('on whether a text is about a cat, another animal or none', () => {
    const { share, misses } = agreement(rows, ({ text, topic }) => {
      const { cats, otherAnimals } = attributes(text);
      if (topic === 'cat') return cats > 0;
      return topic === 'none' ? cats + otherAnimals === 0 : otherAnimals > 0;
    });
    expect(share, misses.join('\n')).toBeGreaterThanOrEqual(0.98);
  });
});

describe('attributes', () => {
  it('of the empty string are zero', () => {
    expect(attributes('')).toEqual({
      polite: 0,
      rude: 0,
      tone: 'plain',
      ending: 'open',
      cats: 0,
      otherAnimals: 0,
      words: 0,
      brief: true,
      ended: false,
      repetition: 0,
    });
  });

  it('count whole words only', () => {
    expect(attributes('The bobcat reads a catalogue.').cats).toBe(0);
    expect(attributes('The catalogue is displeased.').polite).toBe(0);
    expect(attributes('Two cats and a kitten.').cats).toBe(2);
  });

  it('read the ending from the last sentence only, negations included', () => {
    expect(attributes('Tom cried. Tom was so happy.').ending).toBe('happy');
    expect(attributes('Tom was happy. Then the bell rang.').ending).toBe('open');
    expect(attributes('Tom was not happy.').ending).toBe('sad');
    expect(attributes('Tom laughed. He was sad.').ending).toBe('sad');
  });

  it('call a text brief up to the bound and no further', () => {
    expect(RAMBLING_WORDS).toBe(24);
    expect(attributes('sea '.repeat(RAMBLING_WORDS)).brief).toBe(true);
    expect(attributes('sea '.repeat(RAMBLING_WORDS + 1)).brief).toBe(false);
  });

  it('let one insult outweigh a courtesy', () => {
    expect(attributes('Of course, you turnip.').tone).toBe('rude');
  });

  it('see closing punctuation, inside quotation marks too', () => {
    expect(attributes('He said: "Go home."').ended).toBe(true);
    expect(attributes('He went to the').ended).toBe(false);
  });

  it('measure repeated words and sentences', () => {
    expect(attributes('Cat cat cat cat.').repetition).toBe(0.75);
    expect(attributes('I see a cat. I see a cat.').repetition).toBe(0.5);
    expect(attributes('I see a cat. It sees me.').repetition).toBe(0);
  });
});

describe('hasAttribute', () => {
  it('wants politeness without rudeness', () => {
    expect(hasAttribute('polite', 'Of course. It is by the pier.')).toBe(true);
    expect(hasAttribute('polite', 'By the pier.')).toBe(false);
    expect(hasAttribute('polite', 'Of course. Go away.')).toBe(false);
  });

  it('wants a happy ending that was reached', () => {
    expect(hasAttribute('happy', 'Tom fell. Tom was so happy.')).toBe(true);
    expect(hasAttribute('happy', 'Tom fell. Tom was so happy')).toBe(false);
  });

  it('wants cats and no other animal', () => {
    expect(hasAttribute('cats', 'I see a cat.')).toBe(true);
    expect(hasAttribute('cats', 'I see a cat and a goat.')).toBe(false);
    expect(hasAttribute('cats', 'I see a boat.')).toBe(false);
  });
});

describe('gold', () => {
  const polite = 'Of course. The blue boat is by the pier.';

  it('puts polite above curt above rude', () => {
    const [kind, curt, rude] = [polite, 'By the pier.', 'Go away.'].map((text) =>
      gold('polite', text),
    );
    expect(kind).toBeGreaterThan(curt! + 0.5);
    expect(curt).toBeGreaterThan(rude! + 0.5);
  });

  it('puts happy above open above sad, and cats above other animals', () => {
    expect(gold('happy', 'Tom was so happy.')).toBeGreaterThan(gold('happy', 'Nobody knows why.'));
    expect(gold('happy', 'Nobody knows why.')).toBeGreaterThan(gold('happy', 'Tom was very sad.'));
    expect(gold('cats', 'I see a cat.')).toBeGreaterThan(gold('cats', 'I see a gull and a cat.'));
    expect(gold('cats', 'I see a gull and a cat.')).toBeGreaterThan(gold('cats', 'I see a gull.'));
  });

  it('takes off for rambling, for being cut and for repetition', () => {
    const digression = ' My aunt had one too. She sold it for a fish. The fish was very wise.';
    const rambling = polite + digression + ' It was in the year of the big fog.';
    expect(attributes(rambling).words).toBeGreaterThan(RAMBLING_WORDS);
    expect(gold('polite', rambling)).toBeLessThan(gold('polite', polite) - 0.5);
    expect(gold('polite', polite, 'length')).toBe(gold('polite', polite) - 1);
    expect(gold('cats', 'Cat cat cat cat cat cat.')).toBeLessThan(
      gold('cats', 'I see a cat.') - 0.5,
    );
  });

  it('stays within −1 and 2, empty texts at −1', () => {
    expect(gold('polite', '')).toBe(-1);
    for (const { text } of rows) {
      for (const name of ['polite', 'happy', 'cats'] as const) {
        const score = gold(name, text);
        expect(score).toBeGreaterThanOrEqual(-1);
        expect(score).toBeLessThanOrEqual(2);
      }
    }
  });
});
