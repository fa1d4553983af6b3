/** Tells the offline worker what the build consists of. */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import type { Plugin } from 'vite';
import type { Release } from '../../src/core/release';

/** Thirty laptops on one network should not all fetch a large model that nobody opens. */
const ON_DEMAND_BYTES = 4 * 1024 * 1024;
const PLACE = /(['"`])%RELEASE%\1/;
const WORKER = 'sw.js';
/** No part of the page. */
const LEFT_OUT = new Set([WORKER, join('.vite', 'manifest.json')]);

const sha256 = (bytes: Buffer | string): string => createHash('sha256').update(bytes).digest('hex');

/** The files of a built folder. */
export function releaseOf(folder: string): Release {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .filter((path) => !LEFT_OUT.has(path))
    .sort()
    .map((path) => {
      const bytes = readFileSync(join(folder, path));
      return {
        path: path.split(sep).join('/'),
        sha256: sha256(bytes),
        bytes: bytes.length,
        onDemand: bytes.length > ON_DEMAND_BYTES,
      };
    });
  return { version: sha256(JSON.stringify(files)).slice(0, 16), files };
}

/** Writes the release into the worker's code. */
export function offlineRelease(): Plugin {
  let folder = '';
  return {
    name: 'offline-release',
    apply: 'build',
    configResolved(config) {
      folder = config.build.outDir;
    },
    closeBundle() {
      const worker = join(folder, WORKER);
      if (!existsSync(worker)) return;
      const code = readFileSync(worker, 'utf8');
      if (!PLACE.test(code)) throw new Error(`${WORKER} has no place for the release`);
      const text = JSON.stringify(JSON.stringify(releaseOf(folder)));
      writeFileSync(
        worker,
        code.replace(PLACE, () => text),
      );
    },
  };
}
