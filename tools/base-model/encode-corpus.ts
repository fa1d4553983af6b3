/**
 * Encodes a corpus for pretraining: `npx tsx tools/base-model/encode-corpus.ts --corpus FILE
 * --tokenizer DIR --out FILE.bin` writes little-endian uint16 ids, `<|end|>` after each document
 * (NumPy: `np.fromfile(path, '<u2')`).
 */
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { encodeDocument } from '../../src/tokenizer/documents';
import { fromTokenizerJson } from '../../src/tokenizer/tokenizer-json';
import { readCorpus } from './corpus-file';

const { values } = parseArgs({
  options: {
    corpus: { type: 'string' },
    tokenizer: { type: 'string' },
    out: { type: 'string' },
  },
});
const { corpus, out } = values;
if (corpus === undefined || out === undefined || values.tokenizer === undefined) {
  throw new Error(
    'Usage: encode-corpus.ts --corpus FILE.txt|.jsonl --tokenizer DIR --out FILE.bin',
  );
}

const tokenizer = fromTokenizerJson(readFileSync(join(values.tokenizer, 'tokenizer.json'), 'utf8'));
if (tokenizer.vocabSize > 65536) throw new Error('uint16 holds at most 65536 token ids');
const documents = readCorpus(corpus);
const file = openSync(out, 'w');
let tokens = 0;
let bytes = 0;
for (const document of documents) {
  const ids = Uint16Array.from(encodeDocument(tokenizer, document));
  writeSync(file, new Uint8Array(ids.buffer));
  tokens += ids.length;
  bytes += Buffer.byteLength(document);
}
closeSync(file);
console.log(
  `${documents.length} documents, ${tokens} tokens, ${(bytes / tokens).toFixed(2)} bytes/token: ${out}`,
);
