/**
 * Child processes for the developer commands: streamed output, a deadline, no orphans.
 * Uses Node's built-ins only, because it runs before anything is installed.
 */
import { spawn } from 'node:child_process';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The repository's root. */
export const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '../..');

/** @type {Set<import('node:child_process').ChildProcess>} */
const running = new Set();

/**
 * Ends a child together with everything it started (vitest and Playwright start browsers).
 * @param {import('node:child_process').ChildProcess} child
 * @param {NodeJS.Signals} signal
 */
function endTree(child, signal) {
  if (child.pid === undefined) return;
  try {
    // A negative id addresses the process group; Windows has none.
    if (process.platform === 'win32') child.kill(signal);
    else process.kill(-child.pid, signal);
  } catch {
    // It ended by itself in the meantime.
  }
}

for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) {
  process.on(signal, () => {
    for (const child of running) endTree(child, 'SIGTERM');
    process.exit(130);
  });
}

/**
 * @typedef {object} RunOptions
 * @property {Record<string, string | undefined>} [env] added to this process's environment
 * @property {number} [timeoutMs] the whole process group is ended after this long
 * @property {boolean} [quiet] keep the output instead of showing it as it comes
 */

/**
 * Runs a program and waits for it.
 * @param {string} command
 * @param {string[]} args
 * @param {RunOptions} [options]
 * @returns {Promise<{ code: number, output: string, timedOut: boolean, seconds: number }>}
 *   `code` is 127 when the program does not exist; `output` is stdout and stderr in order.
 */
export function run(command, args, options = {}) {
  const { env = {}, timeoutMs, quiet = false } = options;
  const started = performance.now();
  return new Promise((done) => {
    const child = spawn(command, args, {
      cwd: ROOT,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: process.platform !== 'win32',
    });
    running.add(child);
    let output = '';
    let timedOut = false;
    /** @param {Buffer} chunk */
    const collect = (chunk) => {
      output += chunk.toString();
      if (!quiet) process.stdout.write(chunk);
    };
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);

    const deadline =
      timeoutMs === undefined
        ? undefined
        : setTimeout(() => {
            timedOut = true;
            endTree(child, 'SIGTERM');
            setTimeout(() => endTree(child, 'SIGKILL'), 5000).unref();
          }, timeoutMs);

    /** @param {number} code */
    const finish = (code) => {
      clearTimeout(deadline);
      running.delete(child);
      done({ code, output, timedOut, seconds: (performance.now() - started) / 1000 });
    };
    child.on('error', (error) => {
      output += String(error);
      finish(127);
    });
    child.on('close', (code) => {
      finish(timedOut ? 124 : (code ?? 1));
    });
  });
}

/**
 * Runs a package's command line tool from node_modules with this very Node.
 * @param {string} entry path below node_modules, e.g. `vite/bin/vite.js`
 * @param {string[]} args
 * @param {RunOptions} [options]
 */
export function runTool(entry, args, options) {
  return run(process.execPath, [resolve(ROOT, 'node_modules', entry), ...args], options);
}
