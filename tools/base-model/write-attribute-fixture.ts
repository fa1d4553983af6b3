/**
 * Freezes generated documents of both editions with their recorded attributes, as ground truth for
 * src/core/attributes.ts: `npx tsx tools/base-model/write-attribute-fixture.ts
 * tests/golden/attributes.jsonl`.
 */
import { writeFileSync } from 'node:fs';
import { EDITIONS } from './corpus';

const SEED = 11;
const DOCUMENTS = { nano: 300, full: 700 };

const [path] = process.argv.slice(2);
if (path === undefined) throw new Error('Usage: write-attribute-fixture.ts FILE.jsonl');
const rows: string[] = [];
for (const edition of ['nano', 'full'] as const) {
  for (let index = 0; index < DOCUMENTS[edition]; index++) {
    const made = EDITIONS[edition](SEED, index);
    const { family, ending, tone, length, topic, truth, language, code } = made;
    const text = made.completion ?? made.text;
    const recorded = { family, ending, tone, length, topic, truth, language, code };
    rows.push(JSON.stringify({ text, edition, ...recorded }));
  }
}
writeFileSync(path, `${rows.join('\n')}\n`);
