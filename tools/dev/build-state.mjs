/**
 * Knows whether `dist/` was built from the sources as they are now, by their contents.
 */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { ROOT } from './process.mjs';

/** Everything that a build reads. */
const INPUTS = [
  'index.html',
  'package-lock.json',
  'public',
  'src',
  'svelte.config.js',
  'tsconfig.base.json',
  'tsconfig.json',
  'vite.config.ts',
];
const STAMP = resolve(ROOT, 'dist/.vite/built-from');

/** @returns {string} a hash over the names and contents of all inputs */
function fingerprint() {
  const hash = createHash('sha256');
  /** @param {string} path */
  const add = (path) => {
    const absolute = resolve(ROOT, path);
    if (!existsSync(absolute)) return;
    if (statSync(absolute).isDirectory()) {
      for (const name of readdirSync(absolute).sort()) add(join(path, name));
      return;
    }
    hash.update(path).update('\0').update(readFileSync(absolute)).update('\0');
  };
  INPUTS.forEach(add);
  return hash.digest('hex');
}

/** @returns {boolean} */
export function isBuilt() {
  return existsSync(STAMP) && readFileSync(STAMP, 'utf8') === fingerprint();
}

/** Notes what the build in `dist/`, just made, was made from. */
export function markBuilt() {
  writeFileSync(STAMP, fingerprint());
}
