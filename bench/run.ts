/**
 * `npm run bench`: our engine against others in one run of one browser, on the same shapes and data,
 * interleaved; medians and ratios. Options, after `--`:
 *
 *   --only step,decode,ppo,scaling,roofline,fallback   parts (all)
 *   --sides ours,stock,jax,nanogpt                     who is measured (all)
 *   --rounds N      measured repetitions (5); runs over 5 s get at most 3
 *   --presets LIST  sizes of the scaling rows (nano,tiny,small)
 *   --json FILE     writes { date, adapter, browser, rows, problems }
 *
 * A Markdown table goes to standard output.
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { PRESETS, type PresetName } from '../src/core/presets';
import { openBrowserPage } from '../tools/dev/browser-page';
import { installPeers } from './install-peers';
import { counted, listed } from './options';
import type { SideName } from './page/main';
import type { Part } from './parts/compare';
import { timedPhases } from './phases/plugin';
import { markdown } from './table';
import type { Row } from './work';

const PARTS = ['step', 'decode', 'ppo', 'scaling', 'roofline', 'fallback'] as const;
const SIDES = ['ours', 'stock', 'jax', 'nanogpt'] as const;

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: PARTS.join() },
    sides: { type: 'string', default: SIDES.join() },
    rounds: { type: 'string', default: '5' },
    presets: { type: 'string', default: 'nano,tiny,small' },
    json: { type: 'string' },
  },
});

const parts = listed('only', values.only, PARTS);
const presets = listed('presets', values.presets, Object.keys(PRESETS) as PresetName[]);
const rounds = counted('rounds', values.rounds);
const wanted = listed('sides', values.sides, SIDES);
const needsPeers = wanted.includes('jax') || wanted.includes('nanogpt');
const peers = needsPeers && installPeers();
const names: SideName[] = wanted.filter((name) => peers || name === 'ours' || name === 'stock');

const page = await openBrowserPage('bench/page/main.ts', {
  entries: ['bench/page/frame-*.ts'],
  plugins: [timedPhases()],
});
try {
  const { adapter, problems } = await page.call<{ adapter: string; problems: string[] }>(
    'openSides',
    names,
  );
  const rows: Row[] = [];
  for (const part of PARTS.filter((name) => parts.includes(name))) {
    const start = performance.now();
    const result = await page.call<Part>(part, rounds, ...(part === 'scaling' ? [presets] : []));
    rows.push(...result.rows);
    problems.push(...result.problems);
    console.error(`${part}: ${((performance.now() - start) / 1000).toFixed(0)} s`);
  }
  const date = new Date().toISOString().slice(0, 10);
  console.log(`\n## ${date}, Chromium ${page.version}, WebGPU adapter ${adapter}\n`);
  console.log(markdown(rows));
  for (const problem of problems) console.log(`\nNot measured: ${problem}`);
  if (values.json !== undefined) {
    const result = { date, adapter, browser: `Chromium ${page.version}`, rows, problems };
    writeFileSync(values.json, `${JSON.stringify(result, null, 2)}\n`);
  }
} finally {
  await page.close();
}
