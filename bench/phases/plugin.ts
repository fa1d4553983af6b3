/** Puts clocks around the phases of PPO without a word in src/: see the files beside this one. */
import { resolve } from 'node:path';
import type { Plugin } from 'vite';

const TIMED = new Set(['generate', 'inference', 'optimizer']);
const ENGINE = '../engine/';

/** In the files that make up an iteration, the engine's timed modules are imported from here. */
export function timedPhases(): Plugin {
  return {
    name: 'timed-phases',
    enforce: 'pre',
    resolveId(source, importer) {
      if (importer === undefined || !/\/src\/rlhf\/(ppo|rollout)\.ts(\?|$)/.test(importer)) return;
      const name = source.startsWith(ENGINE) ? source.slice(ENGINE.length) : '';
      return TIMED.has(name) ? resolve(import.meta.dirname, `${name}.ts`) : undefined;
    },
  };
}
