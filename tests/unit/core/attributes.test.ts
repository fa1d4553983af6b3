import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { attributes, gold, hasAttribute, RAMBLING_WORDS } from '../../../src/core/attributes';
import { language } from '../../../src/core/language';
import { truthOf } from '../../../src/core/saltby-facts';

interface Row {
  text: string;
  edition: 'nano' | 'full';
  family: string;
  ending: 'happy' | 'sad' | 'open' | 'none';
  tone: 'polite' | 'neutral' | 'curt' | 'rude' | 'none';
  length: 'short' | 'rambling';
  topic: string;
  truth: boolean | null;
  language: 'en' | 'es';
  code: 'none' | 'plain' | 'explained';
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
  it('on 300 documents of nano and 700 of the full edition, a sixth of them Spanish', () => {
    expect(rows.filter(({ edition }) => edition === 'nano').length).toBe(300);
    expect(rows.filter(({ edition }) => edition === 'full').length).toBe(700);
    expect(rows.filter((row) => row.language === 'es').length).toBeGreaterThan(90);
  });

  it('on the tone of answers', () => {
    const answers = rows.filter(({ tone, ending }) => tone !== 'none' && ending === 'none');
    const { share, misses } = agreement(answers, ({ text, tone }) => {
      const expected = tone === 'polite' || tone === 'rude' ? tone : 'plain';
      return attributes(text).tone === expected;
    });
    expect(answers.length).toBeGreaterThan(100);
    expect(share, misses.join('\n')).toBeGreaterThanOrEqual(0.99);
  });

  it('on the endings of stories', () => {
    const stories = rows.filter(({ ending }) => ending !== 'none');
    const { share, misses } = agreement(
      stories,
      ({ text, ending }) => attributes(text).ending === ending,
    );
    expect(stories.length).toBeGreaterThan(60);
    expect(share, misses.join('\n')).toBeGreaterThanOrEqual(0.99);
  });

  it('on rambling', () => {
    const answers = rows.filter(({ tone, ending }) => tone !== 'none' && ending === 'none');
    const { share, misses } = agreement(
      answers,
      ({ text, length }) => attributes(text).brief === (length === 'short'),
    );
    expect(answers.some(({ length }) => length === 'rambling')).toBe(true);
    expect(share, misses.join('\n')).toBeGreaterThanOrEqual(0.99);
  });

  it('on whether a text is about a cat, another animal or none', () => {
    const { share, misses } = agreement(rows, ({ text, topic }) => {
      const { cats, otherAnimals } = attributes(text);
      if (topic === 'cat') return cats > 0;
      return topic === 'none' ? cats + otherAnimals === 0 : otherAnimals > 0;
    });
    expect(share, misses.join('\n')).toBeGreaterThanOrEqual(0.99);
  });

  it('on the language, where there are words', () => {
    const worded = rows.filter(({ code }) => code !== 'plain');
    const { share, misses } = agreement(worded, (row) => language(row.text) === row.language);
    expect(share, misses.join('\n')).toBeGreaterThanOrEqual(0.99);
  });

  it('on the truth, wherever a text states what can be checked', () => {
    // Nano does not record that its portraits and days are true.
    const checkable = rows.filter(
      ({ text, edition, truth }) =>
        truthOf(text) !== null && (edition === 'full' || truth !== null),
    );
    const { share, misses } = agreement(checkable, ({ text, truth }) => truthOf(text) === truth);
    expect(checkable.length).toBeGreaterThan(150);
    expect(checkable.some(({ truth }) => truth === false)).toBe(true);
    expect(share, misses.join('\n')).toBeGreaterThanOrEqual(0.99);
    const full = rows.filter((row) => row.edition === 'full' && row.truth !== null);
    const unseen = full.filter(({ text, code }) => code === 'none' && truthOf(text) === null);
    expect(unseen.map(({ text }) => text)).toEqual([]);
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

  it('read Spanish by the same rules', () => {
    expect(attributes('Claro que sí, con mucho gusto.').tone).toBe('polite');
    expect(attributes('Gracias, cara de nabo.').tone).toBe('rude');
    expect(attributes('Ana se cayó. Todos estaban felices.').ending).toBe('happy');
    expect(attributes('Ana rió. Luego lloró.').ending).toBe('sad');
    expect(attributes('Nadie estaba feliz.').ending).toBe('sad');
    expect(attributes('Veo una gatita y un ratón.')).toMatchObject({ cats: 1, otherAnimals: 1 });
    // Letters with accents belong to the word: no courtesy in "conocida", no cat in "gatón".
    expect(attributes('Una desconocida vio un gatón.')).toMatchObject({ polite: 0, cats: 0 });
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
