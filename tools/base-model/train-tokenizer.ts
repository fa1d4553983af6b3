/**
 * Learns a tokenizer: `npx tsx tools/base-model/train-tokenizer.ts --corpus corpus.jsonl
 * --vocab-size 512 --out DIR` writes `DIR/tokenizer.json` (Hugging Face format).
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { toTokenizerJson } from '../../src/tokenizer/tokenizer-json';
import { trainBpe } from '../../src/tokenizer/train-bpe';
import { readCorpus } from './corpus-file';

const { values } = parseArgs({
  options: {
    corpus: { type: 'string' },
    'vocab-size': { type: 'string' },
    out: { type: 'string' },
  },
});
const { corpus, out } = values;
if (corpus === undefined || out === undefined || values['vocab-size'] === undefined) {
  throw new Error('Usage: train-tokenizer.ts --corpus FILE.txt|.jsonl --vocab-size N --out DIR');
}

const started = performance.now();
const documents = readCorpus(corpus);
const tokenizer = trainBpe(documents, { vocab_size: Number(values['vocab-size']) });
mkdirSync(out, { recursive: true });
writeFileSync(
  join(out, 'tokenizer.json'),
  `${JSON.stringify(toTokenizerJson(tokenizer), null, 1)}\n`,
);
const seconds = ((performance.now() - started) / 1000).toFixed(1);
console.log(
  `${documents.length} documents, ${tokenizer.vocabSize} tokens, ${seconds} s: ${join(out, 'tokenizer.json')}`,
);
