/**
 * Freezes generated documents with their recorded attributes, as ground truth for
 * src/core/attributes.ts: `npx tsx tools/base-model/write-attribute-fixture.ts
 * tests/golden/attributes.jsonl`.
 */
import { writeFileSync } from 'node:fs';
import { makeDocument } from './corpus';

const SEED = 11;
const DOCUMENTS = 300;

const [path] = process.argv.slice(2);
if (path === undefined) throw new Error('Usage: write-attribute-fixture.ts FILE.jsonl');
const rows = Array.from({ length: DOCUMENTS }, (_, index) => {
  const { text, completion, family, ending, tone, length, topic } = makeDocument(SEED, index);
  return JSON.stringify({ text: completion ?? text, family, ending, tone, length, topic });
});
writeFileSync(path, `${rows.join('\n')}\n`);
