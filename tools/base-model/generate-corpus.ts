/**
 * Writes the base corpus: `npx tsx tools/base-model/generate-corpus.ts --out DIR [--edition full]
 * [--seed 1] [--documents 460000] [--plain 1]` makes `train.jsonl`, `heldout-seen.jsonl` and `heldout-unseen.jsonl` (new
 * combinations of slots), one unique document with its attributes per line. Of the documents that have none
 * of the attributes which rankings ask for, the share `--plain` is kept.
 */
import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ATTRIBUTE_NAMES, hasAttribute } from '../../src/core/attributes';
import { EDITIONS, isKept, splitOf, type Edition } from './corpus';

const { values } = parseArgs({
  options: {
    out: { type: 'string' },
    edition: { type: 'string', default: 'full' },
    seed: { type: 'string', default: '1' },
    documents: { type: 'string', default: '460000' },
    plain: { type: 'string', default: '1' },
  },
});
if (values.out === undefined)
  throw new Error(
    'Usage: generate-corpus.ts --out DIR [--edition full|nano|mixed] [--seed N] [--documents N] [--plain SHARE]',
  );
const makeDocument = EDITIONS[values.edition as Edition];
if (makeDocument === undefined)
  throw new Error(`No edition "${values.edition}": full, nano or mixed`);
const [seed, wanted] = [Number(values.seed), Number(values.documents)];
const plain = Number(values.plain);

mkdirSync(values.out, { recursive: true });
const open = (name: string): number => openSync(join(values.out!, name), 'w');
const files = {
  train: open('train.jsonl'),
  seen: open('heldout-seen.jsonl'),
  unseen: open('heldout-unseen.jsonl'),
};
const counts = { train: 0, seen: 0, unseen: 0 };
const texts = new Set<string>();
const words = { en: new Set<string>(), es: new Set<string>() };
const families = new Map<string, number>();
const having = { polite: 0, happy: 0, cats: 0 };
let bytes = 0;
let drawn = 0;
while (texts.size < wanted) {
  // A world that has run out of new documents would loop for ever.
  if (drawn > wanted * 20) throw new Error(`Only ${texts.size} unique documents in ${drawn} draws`);
  const document = makeDocument(seed, drawn++);
  if (texts.has(document.text) || !isKept(document.text, plain)) continue;
  texts.add(document.text);
  const split = splitOf(document);
  counts[split]++;
  writeSync(files[split], `${JSON.stringify(document)}\n`);
  bytes += Buffer.byteLength(document.text);
  for (const name of ATTRIBUTE_NAMES) having[name] += Number(hasAttribute(name, document.text));
  families.set(document.family, (families.get(document.family) ?? 0) + 1);
  for (const word of document.text.match(/[\p{L}']+/gu) ?? []) {
    words[document.language].add(word.toLowerCase());
  }
}
for (const file of Object.values(files)) closeSync(file);
console.log(
  JSON.stringify({
    seed,
    drawn,
    unique: texts.size,
    ...counts,
    bytes,
    having,
    vocabulary: { en: words.en.size, es: words.es.size },
  }),
);
console.log(
  [...families]
    .sort()
    .map(([family, count]) => `${family}: ${count}`)
    .join('\n'),
);
