/**
 * Exports models in a real browser, on its WebGPU adapter, for check_export.py:
 * `npx tsx tools/golden/export_probe.ts --out DIR` writes DIR/{policy,unusual,reward}.zip and .json.
 *
 * policy: the shipped nano model. unusual: fresh weights with grouped queries, an output matrix of
 * its own and another rope_theta and rms_norm_eps. reward: nano with a made-up head, bias and
 * normalisation. The strings are those of tests/golden/tokenizer (Unicode, emoji, runs of spaces) and
 * lines that the models know, with such things put between the words.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { openBrowserPage, ROOT_FOLDER } from '../dev/browser-page';
import type { Probe, ProbeName } from './export_probe_page';

const { values } = parseArgs({ options: { out: { type: 'string' } } });
if (values.out === undefined) throw new Error('Usage: export_probe.ts --out DIR');
const { out } = values;

const golden = JSON.parse(
  readFileSync(join(ROOT_FOLDER, 'tests/golden/tokenizer/expected.json'), 'utf8'),
) as { encodings: { text: string }[] };
const JOINERS = [' ', '  ', '\n', "'", " '", '   \n ', ' 🐐 ', '\t', '\u00a0', '1', '.', '\u200d'];
const known = readFileSync(join(ROOT_FOLDER, 'public/demo/corpus.txt'), 'utf8')
  .split('\n')
  .filter((line) => line !== '')
  .slice(0, 120)
  .map((line, i) => {
    const words = line.split(' ').slice(0, 20);
    return words.reduce((all, word, j) => all + JOINERS[(i * 7 + j * j) % JOINERS.length]! + word);
  });
const texts = [...golden.encodings.map(({ text }) => text), ...known];

const page = await openBrowserPage('tools/golden/export_probe_page.ts');
try {
  mkdirSync(out, { recursive: true });
  for (const name of ['policy', 'unusual', 'reward'] satisfies ProbeName[]) {
    const result = await page.call<{ zip: string; probe: Probe }>('probe', name, texts);
    writeFileSync(join(out, `${name}.zip`), Buffer.from(result.zip, 'base64'));
    writeFileSync(join(out, `${name}.json`), JSON.stringify(result.probe));
    const { adapter, texts: probed } = result.probe;
    console.log(`${name}: ${probed.length} strings on ${adapter} → ${join(out, name)}.zip`);
  }
} finally {
  await page.close();
}
