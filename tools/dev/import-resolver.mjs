/**
 * Resolver for eslint-plugin-boundaries: relative imports by their text alone (with Vite's
 * `?raw` and `?url` suffixes cut off), so that an import is judged by the room it points into,
 * whether or not the file exists yet. Packages are left to the plugin: it knows them by name.
 */
import { existsSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, resolve as resolvePath } from 'node:path';

export const interfaceVersion = 2;

/**
 * @param {string} source what stands in the import
 * @param {string} file the importing file
 * @returns {{ found: boolean, path?: string | null }}
 */
export function resolve(source, file) {
  if (source.startsWith('node:') || builtinModules.includes(source)) {
    return { found: true, path: null };
  }
  if (!source.startsWith('.')) return { found: false };
  const path = resolvePath(dirname(file), source.replace(/\?.*$/, ''));
  const complete = ['', '.ts', '.svelte', '.js'].map((ending) => path + ending).find(existsSync);
  return { found: true, path: complete ?? `${path}.ts` };
}
