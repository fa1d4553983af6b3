/**
 * Writes the bundled demonstration sets and the built-in text:
 * `npx tsx tools/base-model/make-demos.ts --out public/demo`.
 * Demonstrations fix the format (a request and its answer) and deliberately show the attribute in
 * fewer than half of the answers: what they leave open is what rankings and PPO then decide.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { hasAttribute, type AttributeName } from '../../src/core/attributes';
import { EDITIONS, type Edition } from './corpus';
import { Draw } from './draw';
import type { Exchange } from './document';
import { EXCHANGES, type ExchangeName, type ExchangeOptions } from './nano/exchanges';

/** The file format of public/demo/*.json. */
export interface DemoSet {
  id: AttributeName;
  title: string;
  /** Plain words: what the person will see. */
  blurb: string;
  attribute: AttributeName;
  demonstrations: { prompt: string; completion: string }[];
  prompts: string[];
  heldOutPrompts: string[];
}

interface Recipe {
  id: AttributeName;
  title: string;
  blurb: string;
  families: readonly ExchangeName[];
  /** Answers of the demonstrations, in turn. */
  turns: readonly ExchangeOptions[];
  /** Requests longer than this are left out. */
  maxPromptWords: number;
  maxCompletionWords: number;
}

const RECIPES: readonly Recipe[] = [
  {
    id: 'polite',
    title: 'A polite, brief helper',
    blurb:
      'People in Saltby ask for things. Some answers are kind, some are curt, some are a little rude, and some go on about an aunt. Rank the polite, brief ones higher and watch the manners improve.',
    families: ['where', 'borrow', 'help', 'talk', 'person', 'fact'],
    turns: [
      { tone: 'polite', rambling: false },
      { tone: 'rude', rambling: false },
      { tone: 'polite', rambling: false },
      { tone: 'curt' },
      { tone: 'rude', rambling: false },
      { tone: 'polite', rambling: true },
      { tone: 'neutral', rambling: false },
      { tone: 'polite', rambling: false },
      { tone: 'rude', rambling: true },
    ],
    maxPromptWords: 10,
    maxCompletionWords: 34,
  },
  {
    id: 'happy',
    title: 'Happy endings',
    blurb:
      'Short tales from Saltby. Some end well, some badly, some not at all. Rank the happy endings higher and the model learns to look on the bright side.',
    families: ['tale'],
    turns: [
      { ending: 'happy' },
      { ending: 'sad' },
      { ending: 'open' },
      { ending: 'happy' },
      { ending: 'sad' },
    ],
    maxPromptWords: 12,
    maxCompletionWords: 34,
  },
  {
    id: 'cats',
    title: 'Only cats',
    blurb:
      'Ask who sleeps in the bakery and it may be a cat, a goat or a crab. Rank the cats higher. Then set the KL coefficient to zero and see what too much of a good thing looks like.',
    families: ['animal'],
    turns: [{ cat: true }, { cat: false }, { cat: false }, { cat: true }, { cat: false }],
    maxPromptWords: 10,
    maxCompletionWords: 24,
  },
];

const SIZES = { demonstrations: 36, prompts: 60, heldOutPrompts: 12 };
const wordCount = (text: string): number => text.split(/\s+/).length;

function makeSet(recipe: Recipe, seed: number): DemoSet {
  const taken = new Set<string>();
  let index = 0;
  /** The next exchange whose request is new. */
  const next = (options: ExchangeOptions): Exchange => {
    for (let tries = 0; tries < 10_000; tries++) {
      const draw = new Draw(seed, index++);
      const made = EXCHANGES[draw.pick(recipe.families)](draw, options);
      if (taken.has(made.prompt) || made.attributes.truth === false) continue;
      if (wordCount(made.prompt) > recipe.maxPromptWords) continue;
      if (wordCount(made.completion) > recipe.maxCompletionWords) continue;
      taken.add(made.prompt);
      return made;
    }
    throw new Error(`${recipe.id}: no new request in 10 000 tries`);
  };
  const demonstrations = Array.from({ length: SIZES.demonstrations }, (_, i) => {
    const { prompt, completion } = next(recipe.turns[i % recipe.turns.length]!);
    return { prompt, completion };
  });
  const requests = (count: number): string[] =>
    Array.from({ length: count }, () => next({}).prompt);
  return {
    id: recipe.id,
    title: recipe.title,
    blurb: recipe.blurb,
    attribute: recipe.id,
    demonstrations,
    prompts: requests(SIZES.prompts),
    heldOutPrompts: requests(SIZES.heldOutPrompts),
  };
}

/** Documents divided by blank lines, until there are `bytes` of them. */
function builtInText(edition: Edition, seed: number, bytes: number): string {
  const texts = new Set<string>();
  let size = 0;
  for (let index = 0; size < bytes; index++) {
    const { text } = EDITIONS[edition](seed, index);
    // a blank line inside a document would divide it
    if (texts.has(text) || text.includes('\n\n')) continue;
    texts.add(text);
    size += Buffer.byteLength(text) + 2;
  }
  return `${[...texts].join('\n\n')}\n`;
}

const { values } = parseArgs({
  options: { out: { type: 'string' }, seed: { type: 'string', default: '7' } },
});
if (values.out === undefined) throw new Error('Usage: make-demos.ts --out DIR [--seed N]');
mkdirSync(values.out, { recursive: true });
for (const recipe of RECIPES) {
  const set = makeSet(recipe, Number(values.seed));
  writeFileSync(join(values.out, `${set.id}.json`), `${JSON.stringify(set, null, 2)}\n`);
  const share =
    set.demonstrations.filter(({ completion }) => hasAttribute(set.attribute, completion)).length /
    set.demonstrations.length;
  console.log(`${set.id}: ${(share * 100).toFixed(0)} % of the demonstrations have the attribute`);
}
writeFileSync(join(values.out, 'corpus.txt'), builtInText('nano', 1, 400_000));
writeFileSync(join(values.out, 'corpus-full.txt'), builtInText('full', 1, 400_000));
