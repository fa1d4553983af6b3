/**
 * `npm run bench [-- --presets nano,tiny --rounds 5 --json FILE]`: opens Chromium with WebGPU on the
 * benchmark page and prints a table. All contenders run in one browser, interleaved.
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { PRESETS, type PresetName } from '../src/core/presets';
import { openBrowserPage } from '../tools/dev/browser-page';
import type { BenchResult } from './page/result';

const { values } = parseArgs({
  options: {
    presets: { type: 'string', default: 'nano,tiny' },
    rounds: { type: 'string', default: '5' },
    json: { type: 'string' },
  },
});
const presets = values.presets.split(',').map((name): PresetName => {
  if (name in PRESETS) return name as PresetName;
  throw new Error(`--presets: ${name} is not one of ${Object.keys(PRESETS).join(', ')}`);
});

const page = await openBrowserPage('bench/page/main.ts');
try {
  const options = { presets, rounds: Number(values.rounds) };
  const result = await page.call<BenchResult>('bench', options);
  console.log(
    `adapter: ${result.adapter}; Chromium ${page.version}; medians of ${values.rounds}\n`,
  );
  console.log('| what | size | implementation | ms | tokens/s | time by ours |');
  console.log('| --- | --- | --- | ---: | ---: | ---: |');
  for (const { name, impl, config, ms, tokens_per_s, ratio } of result.rows) {
    const size = `${config.preset}, ${config.B} × ${config.T}`;
    console.log(
      `| ${name} | ${size} | ${impl} | ${ms.toFixed(1)} | ${tokens_per_s.toFixed(0)} | ${ratio.toFixed(2)} |`,
    );
  }
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(result, null, 2)}\n`);
} finally {
  await page.close();
}
