/**
 * `npm run eval:base [-- --model nano|tiny|small|all --samples 600 --backend webgpu|wasm --out docs/base-models.md]`:
 * measures shipped base models with the page's engine, in Chromium, and writes a section
 * for each into docs/base-models.md (sections of models not measured stay as they are).
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { format, resolveConfig } from 'prettier';
import { hasAttribute, type AttributeName } from '../../src/core/attributes';
import { language } from '../../src/core/language';
import { truthOf } from '../../src/core/saltby-facts';
import type { Generation } from '../../src/engine/generate';
import { fromTokenizerJson } from '../../src/tokenizer/tokenizer-json';
import type { Tokenizer } from '../../src/tokenizer/tokenizer';
import { openBrowserPage, ROOT_FOLDER, type BrowserPage } from '../dev/browser-page';
import { formatChecks, inFormat, type Acceptance, type Answer } from './eval/acceptance';
import {
  documentRows,
  drawStarts,
  readCorpusSample,
  scoredBytes,
  type CorpusSample,
} from './eval/corpus-sample';
import { distinct2, selfBleu, shareOf, type Share } from './eval/measures';
import {
  atLeast,
  mergeSections,
  modelSection,
  percent,
  within,
  withInterval,
  type AnswerRow,
  type Row,
} from './eval/report';
import { tokensOf, wordsOf } from './eval/text-units';
import type { DemoSet } from './make-demos';
import type { BaseModel } from './write-manifest';

const MAX_NEW_TOKENS = 96;
/** Held-out documents of each kind. */
const HELD_OUT = 1000;
/** Samples for the measures that depend on their number. */
const COMPARED = 200;
const SHOWN = 20;
const SAMPLE_SEED = 1;
const SFT_SEEDS = [1, 2, 3];
const ANSWERS_PER_PROMPT = 4;
const SAMPLES_PER_CALL = 50;
const ROWS_PER_CALL = 128;
const DEMOS: readonly AttributeName[] = ['polite', 'happy', 'cats'];
const GOALS = { ends: 0.95, accepted: 0.9, attribute: [0.2, 0.6], inFormat: 0.9 } as const;

const { values } = parseArgs({
  options: {
    model: { type: 'string', default: 'all' },
    samples: { type: 'string', default: '600' },
    backend: { type: 'string', default: 'webgpu' },
    out: { type: 'string', default: 'docs/base-models.md' },
  },
});
const models = join(ROOT_FOLDER, 'public/models');
const manifest = JSON.parse(readFileSync(join(models, 'manifest.json'), 'utf8')) as BaseModel[];
const chosen = manifest.filter(({ id }) => values.model === 'all' || values.model === id);
if (chosen.length === 0) {
  const known = manifest.map(({ id }) => id).join(', ');
  throw new Error(`--model: ${values.model} is not in public/models (${known}, all)`);
}
const samples = Number(values.samples);
if (!Number.isInteger(samples) || samples < SHOWN) {
  throw new Error(`--samples: ${values.samples} is no whole number of at least ${SHOWN}`);
}
const demos = DEMOS.map((name) => {
  const path = join(ROOT_FOLDER, `public/demo/${name}.json`);
  return JSON.parse(readFileSync(path, 'utf8')) as DemoSet;
});

const started = performance.now();
function say(what: string): void {
  const seconds = ((performance.now() - started) / 1000).toFixed(0).padStart(5);
  console.log(`${seconds} s  ${what}`);
}

interface Text {
  text: string;
  ended: boolean;
}

async function writeSamples(
  page: BrowserPage,
  tokenizer: Tokenizer,
  starts: readonly number[][],
): Promise<Text[]> {
  const texts: Text[] = [];
  for (let from = 0; from < starts.length; from += SAMPLES_PER_CALL) {
    const some = starts.slice(from, from + SAMPLES_PER_CALL);
    const options = { seed: SAMPLE_SEED, max_new_tokens: MAX_NEW_TOKENS };
    const written = await page.call<Generation[]>('sample', some, from, options);
    for (const [i, { tokens, finish }] of written.entries()) {
      const ended = finish === 'eos';
      // A template token that the model wrote in between stays visible, and counts as a mistake.
      const text = tokenizer.decode([...some[i]!, ...(ended ? tokens.slice(0, -1) : tokens)]);
      texts.push({ text, ended });
    }
    say(`${texts.length} of ${starts.length} samples`);
  }
  return texts;
}

/** Nats per token and per byte over `rows`. */
async function lossRow(
  page: BrowserPage,
  tokenizer: Tokenizer,
  name: string,
  rows: readonly number[][],
): Promise<Row> {
  // By length, as in the training: rows of one batch are padded to the longest.
  const sorted = [...rows].sort((a, b) => a.length - b.length);
  let nats = 0;
  let tokens = 0;
  for (let from = 0; from < sorted.length; from += ROWS_PER_CALL) {
    const some = sorted.slice(from, from + ROWS_PER_CALL);
    const scored = some.reduce((sum, row) => sum + row.length - 1, 0);
    nats += scored * (await page.call<number>('heldOutLoss', some));
    tokens += scored;
  }
  say(`held-out loss, ${name}: ${rows.length} documents`);
  const bytes = scoredBytes(tokenizer, rows);
  return {
    measure: `held-out loss, ${name} (${rows.length} documents)`,
    goal: null,
    measured: `${(nats / tokens).toFixed(3)} nats per token, ${(nats / bytes).toFixed(3)} per byte`,
    reached: null,
    corpus: null,
  };
}

function sampleRows(texts: readonly Text[], { acceptance, comparison }: CorpusSample): Row[] {
  const written = texts.map(({ text }) => text);
  const few = written.slice(0, COMPARED);
  const fewOfCorpus = comparison.slice(0, few.length);
  const count = (n: number): string => `(${n} samples)`;
  const share = (
    measure: string,
    of: (all: readonly string[]) => Share,
    all: readonly string[],
    goal: { words: string; isReached: (share: Share) => boolean } | null = null,
  ): Row => {
    const measured = of(all);
    return {
      measure: `${measure} ${count(measured.of)}`,
      goal: goal?.words ?? null,
      measured: withInterval(measured),
      reached: goal?.isReached(measured) ?? null,
      corpus: percent(of(comparison.slice(0, all.length))),
    };
  };
  const number = (measure: string, of: (all: string[][]) => number): Row => ({
    measure: `${measure} ${count(few.length)}`,
    goal: null,
    measured: of(few.map(tokensOf)).toFixed(3),
    reached: null,
    corpus: of(fewOfCorpus.map(tokensOf)).toFixed(3),
  });
  const those = (has: (text: string) => boolean) => (all: readonly string[]) => shareOf(all, has);
  const ends = shareOf(texts, ({ ended }) => ended);
  const [low, high] = GOALS.attribute;
  return [
    {
      measure: `ends by itself within ${MAX_NEW_TOKENS} tokens ${count(ends.of)}`,
      goal: `≥ ${100 * GOALS.ends} %`,
      measured: withInterval(ends),
      reached: atLeast(ends, GOALS.ends),
      corpus: null,
    },
    number('distinct-2', distinct2),
    number('self-BLEU-4', selfBleu),
    share(
      'only known words',
      those((text) => acceptance.isSpelled(text)),
      few,
      {
        words: `≥ ${100 * GOALS.accepted} %`,
        isReached: (measured) => atLeast(measured, GOALS.accepted),
      },
    ),
    share(
      'only sentences of the grammar',
      those((text) => acceptance.isGrammatical(text)),
      few,
    ),
    ...DEMOS.map((name) =>
      share(
        name,
        those((text) => hasAttribute(name, text)),
        written,
        {
          words: `${100 * low}–${100 * high} %`,
          isReached: (measured) => within(measured, low, high),
        },
      ),
    ),
    share(
      'Spanish',
      those((text) => language(text) === 'es'),
      written,
    ),
    share(
      'true, of those that state a fact',
      (all) =>
        shareOf(
          all.map(truthOf).filter((truth) => truth !== null),
          Boolean,
        ),
      written,
    ),
  ];
}

async function answerRow(
  page: BrowserPage,
  demo: DemoSet,
  acceptance: Acceptance,
): Promise<AnswerRow> {
  const own = new Set(
    demo.demonstrations.flatMap(({ prompt, completion }) => wordsOf(`${prompt} ${completion}`)),
  );
  const isSpelled = (text: string): boolean =>
    !text.includes('\uFFFD') &&
    wordsOf(text).every((word) => own.has(word) || acceptance.isSpelled(word));
  const answers: Answer[] = [];
  for (const seed of SFT_SEEDS) {
    const options = { seed, n: ANSWERS_PER_PROMPT };
    const { demonstrations, heldOutPrompts } = demo;
    answers.push(
      ...(await page.call<Answer[]>('answersAfterSft', demonstrations, heldOutPrompts, options)),
    );
    say(`SFT on "${demo.title}", seed ${seed}`);
  }
  const checked = answers.map((answer) => formatChecks(answer, isSpelled));
  const { title, attribute } = demo;
  return {
    demo: `${title} (${answers.length} answers)`,
    goal: GOALS.inFormat,
    inFormat: shareOf(checked, inFormat),
    checks: {
      ended: shareOf(checked, ({ ended }) => ended),
      notEmpty: shareOf(checked, ({ notEmpty }) => notEmpty),
      noEcho: shareOf(checked, ({ noEcho }) => noEcho),
      spelled: shareOf(checked, ({ spelled }) => spelled),
      attribute: shareOf(answers, ({ text }) => hasAttribute(attribute, text)),
    },
  };
}

async function measure(page: BrowserPage, engine: string, model: BaseModel): Promise<string> {
  const { id, label, edition, documents, config } = model;
  say(`${id}: making the ${documents} documents of the ${edition} edition again`);
  const wanted = { heldOut: HELD_OUT, comparison: samples };
  const corpus = readCorpusSample(model, wanted);
  const { words, skeletons } = corpus.acceptance.size;
  say(`${words} words, ${skeletons} kinds of sentence`);
  const tokenizer = fromTokenizerJson(readFileSync(join(models, id, 'tokenizer.json'), 'utf8'));
  await page.call('load', id);
  const rowsOf = (texts: readonly string[]): number[][] =>
    documentRows(tokenizer, texts, config.max_position_embeddings);
  const seen = rowsOf(corpus.heldOut.seen);
  const losses = [
    await lossRow(page, tokenizer, 'seen slots', seen),
    await lossRow(page, tokenizer, 'unseen slots', rowsOf(corpus.heldOut.unseen)),
  ];
  const texts = await writeSamples(page, tokenizer, drawStarts(seen, samples, SAMPLE_SEED));
  const answers: AnswerRow[] = [];
  for (const demo of demos) answers.push(await answerRow(page, demo, corpus.acceptance));
  const date = new Date().toISOString().slice(0, 10);
  return modelSection({
    id,
    label,
    facts: [
      `Measured on ${date}, ${engine}, Chromium ${page.version}.`,
      `Trained on the ${edition} edition of the corpus: ${documents} documents, ${words} words, ${skeletons} kinds of sentence.`,
    ],
    rows: [...losses, ...sampleRows(texts, corpus)],
    answers,
    samples: texts.slice(0, SHOWN),
  });
}

const page = await openBrowserPage('tools/base-model/eval-base-page.ts');
try {
  const engine = await page.call<string>('open', values.backend);
  say(`${engine}, Chromium ${page.version}`);
  const intro = readFileSync(new URL('./eval/intro.md', import.meta.url), 'utf8').trim();
  const order = manifest.map(({ id }) => id);
  for (const model of chosen) {
    const section = await measure(page, engine, model);
    // After each model: what took long is not lost when a later one fails.
    const written = existsSync(values.out) ? readFileSync(values.out, 'utf8') : '';
    const document = mergeSections(intro, written, new Map([[model.id, section]]), order);
    const options = await resolveConfig(join(ROOT_FOLDER, 'docs/base-models.md'));
    writeFileSync(values.out, await format(document, { ...options, parser: 'markdown' }));
    say(`${model.id}: ${values.out}`);
    console.log(`\n${section}\n`);
  }
} finally {
  await page.close();
}
