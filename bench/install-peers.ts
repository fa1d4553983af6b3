/** The packages that the benchmark compares with: outside package.json, installed on first use. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

export const PEERS_FOLDER = join(import.meta.dirname, 'peers');

/** Whether the peers are there, installed now if need be. */
export function installPeers(): boolean {
  if (existsSync(join(PEERS_FOLDER, 'node_modules'))) return true;
  console.log('Installing the peers of the benchmark (npm ci --prefix bench/peers) …');
  const { status } = spawnSync(
    'npm',
    ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--prefix', PEERS_FOLDER],
    {
      stdio: 'inherit',
      // npm is a script on Windows
      shell: process.platform === 'win32',
    },
  );
  if (status === 0) return true;
  console.log('The peers could not be installed: no rows for jax-js and nanogpt.');
  return false;
}
