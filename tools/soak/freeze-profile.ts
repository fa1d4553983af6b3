/**
 * Freezes a profile: what the storage code of a release leaves in the browser, as a raw copy. Today's
 * code must open every one of them (tests/gpu/storage-profiles.test.ts). To be run once for each
 * version of the schema, before it is released:
 *
 *   npx tsx tools/soak/freeze-profile.ts v2                    this working tree
 *   npx tsx tools/soak/freeze-profile.ts v1-first /tmp/old     the tree of an older commit
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { resolve } from 'node:path';
import { chromium } from 'playwright';
import { build } from 'vite';
import { CHROMIUM_ARGS, findChromium } from '../dev/chromium.mjs';

const OUT = '.cache/freeze';
const [name, tree = '.'] = process.argv.slice(2);
if (name === undefined) throw new Error('Which profile? For example v2.');
const file = `tests/profiles/${name}.jsonl`;
if (existsSync(file)) throw new Error(`${file} is frozen: it never changes.`);

await build({
  configFile: false,
  logLevel: 'warn',
  resolve: {
    alias: [
      {
        find: /^\.\.\/\.\.\/src\/storage\/(?!raw-copy)/,
        replacement: `${resolve(tree, 'src/storage')}/`,
      },
    ],
  },
  build: {
    outDir: OUT,
    lib: { entry: 'tools/soak/fill-profile.ts', formats: ['es'], fileName: 'fill' },
  },
});
const script = readFileSync(`${OUT}/fill.js`, 'utf8');
// IndexedDB needs an origin.
const server = createServer((_request, response) => {
  response.setHeader('content-type', 'text/html').end('<!doctype html><title>freeze</title>');
});
await new Promise<void>((listening) => server.listen(0, 'localhost', listening));
const browser = await chromium.launch({
  executablePath: await findChromium(),
  args: CHROMIUM_ARGS,
});
try {
  const page = await browser.newPage();
  await page.goto(`http://localhost:${(server.address() as AddressInfo).port}/`);
  await page.addScriptTag({ content: script, type: 'module' });
  await page.waitForFunction(() => 'fill' in window);
  writeFileSync(file, await page.evaluate(() => window.fill()));
  console.log(`${file} is frozen.`);
} finally {
  await browser.close();
  server.close();
}
