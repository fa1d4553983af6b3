/**
 * `npm run bench [-- --presets nano,tiny --rounds 5 --json FILE]`: opens Chromium with WebGPU on the
 * benchmark page and prints a table. All contenders run in one browser, interleaved.
 */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { chromium } from 'playwright';
import { createServer } from 'vite';
import { PRESETS, type PresetName } from '../src/core/presets';
import { CHROMIUM_ARGS, presentBrowsers } from '../tools/dev/chromium.mjs';
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

const server = await createServer({
  root: fileURLToPath(new URL('..', import.meta.url)),
  configFile: false,
  logLevel: 'warn',
  server: { port: 0 },
  optimizeDeps: { entries: ['bench/page/main.ts'] },
});
await server.listen();
const [executablePath] = presentBrowsers();
const browser = await chromium.launch({
  args: CHROMIUM_ARGS,
  ...(executablePath !== undefined && { executablePath }),
});
try {
  const page = await browser.newPage();
  page.on('pageerror', (error) => console.error(error));
  await page.goto(`${server.resolvedUrls!.local[0]!}bench/index.html`);
  await page.waitForFunction(() => 'bench' in window);
  const options = { presets, rounds: Number(values.rounds) };
  const result = (await page.evaluate(`window.bench(${JSON.stringify(options)})`)) as BenchResult;
  console.log(
    `adapter: ${result.adapter}; Chromium ${browser.version()}; medians of ${values.rounds}\n`,
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
  await browser.close();
  await server.close();
}
