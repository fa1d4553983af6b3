/**
 * Measures what a first visit downloads as JavaScript: the graph of index.html's static imports
 * in the production build, without the worker, models and anything loaded later.
 */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { ROOT } from './process.mjs';

const LIMIT_BYTES = 600 * 1024;
const DIST = resolve(ROOT, 'dist');

/** @type {Record<string, { file: string, imports?: string[] }>} */
const manifest = JSON.parse(readFileSync(resolve(DIST, '.vite/manifest.json'), 'utf8'));

/** @type {Map<string, number>} file to gzip bytes */
const files = new Map();
/** @param {string} key */
function visit(key) {
  const chunk = manifest[key];
  if (chunk === undefined) throw new Error(`manifest.json has no entry ${key}`);
  if (files.has(chunk.file)) return;
  files.set(chunk.file, gzipSync(readFileSync(resolve(DIST, chunk.file)), { level: 9 }).length);
  for (const imported of chunk.imports ?? []) visit(imported);
}
visit('index.html');

/** @param {number} bytes */
const kib = (bytes) => `${(bytes / 1024).toFixed(1)} KiB`;

let total = 0;
for (const [file, bytes] of files) {
  total += bytes;
  console.log(`  ${kib(bytes).padStart(10)}  ${file}`);
}
const verdict = total <= LIMIT_BYTES ? 'ok' : 'TOO MUCH';
console.log(`First-load JavaScript: ${kib(total)} gzip of ${kib(LIMIT_BYTES)}: ${verdict}`);
process.exit(total <= LIMIT_BYTES ? 0 : 1);
