/**
 * Installs the packages when they are missing or are not those of package-lock.json.
 * Node's built-ins only: this is the first thing that runs after a clone.
 */
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { ROOT, run } from './process.mjs';

const MINIMUM_NODE = [20, 19];

/** Ends the process with a plain sentence when this Node is too old. */
export function requireNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const [wantMajor = 0, wantMinor = 0] = MINIMUM_NODE;
  if (major > wantMajor || (major === wantMajor && minor >= wantMinor)) return;
  console.error(
    `Node ${MINIMUM_NODE.join('.')} or newer is needed; this is ${process.versions.node}. See https://nodejs.org`,
  );
  process.exit(1);
}

/**
 * @param {string} file
 * @returns {Record<string, { version?: string, optional?: boolean }>}
 */
function lockedPackages(file) {
  return JSON.parse(readFileSync(resolve(ROOT, file), 'utf8')).packages;
}

/**
 * Compares package-lock.json with what npm wrote down after its last complete installation.
 * @returns {string | undefined} why an installation is needed
 */
export function whyInstall() {
  const installedList = 'node_modules/.package-lock.json';
  if (!existsSync(resolve(ROOT, installedList))) return 'node_modules is absent or incomplete';
  const installed = lockedPackages(installedList);
  for (const [path, wanted] of Object.entries(lockedPackages('package-lock.json'))) {
    if (path === '') continue;
    const found = installed[path];
    // Optional packages are for one platform each; npm leaves the others out.
    if (found === undefined && wanted.optional) continue;
    if (found?.version !== wanted.version) return `${path} is not at ${wanted.version}`;
    if (!existsSync(resolve(ROOT, path))) return `${path} is absent`;
  }
  return undefined;
}

/** Runs `npm ci` if needed. Ends the process when that fails. */
export async function ensureInstalled() {
  requireNode();
  const reason = whyInstall();
  if (reason === undefined) return;
  console.log(`Installing packages (${reason}) …`);
  const args = ['ci', '--no-audit', '--no-fund'];
  // Under `npm start`, npm says where it lives: works where `npm` is a .cmd file, too.
  const npm = process.env['npm_execpath'];
  const { code } =
    npm !== undefined && /\.[cm]?js$/.test(npm)
      ? await run(process.execPath, [npm, ...args])
      : await run('npm', args);
  if (code === 0) return;
  console.error(
    'npm ci failed; its messages are above. A connection to the npm registry is needed once.',
  );
  process.exit(1);
}
