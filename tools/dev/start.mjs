/**
 * `npm start`: installs what is missing, builds the page if its sources changed, serves it.
 *
 *   npm start                    at the first free port from 4173 on
 *   npm start -- --port 8080     at this port or not at all (PORT=8080 does the same)
 *   npm start -- --host 0.0.0.0  also for other machines; browsers give WebGPU only to localhost
 *                                and https, so those need a proxy with a certificate
 */
import { parseArgs } from 'node:util';
import { isBuilt, markBuilt } from './build-state.mjs';
import { ensureInstalled } from './install.mjs';
import { ROOT, runTool } from './process.mjs';

const DEFAULT_PORT = 4173;

const { values } = parseArgs({
  options: { port: { type: 'string' }, host: { type: 'string', default: 'localhost' } },
});
const chosen = values.port ?? process.env['PORT'];
const port = chosen === undefined ? DEFAULT_PORT : Number(chosen);
if (!Number.isInteger(port) || port < 0 || port > 65_535) {
  console.error(`The port must be a whole number from 0 to 65535; this is "${chosen}".`);
  process.exit(2);
}

await ensureInstalled();

if (!isBuilt()) {
  console.log('Building the page …');
  const { code } = await runTool('vite/bin/vite.js', ['build', '--logLevel', 'warn']);
  if (code !== 0) {
    console.error('The build failed; its messages are above.');
    process.exit(1);
  }
  markBuilt();
}

const { preview } = await import('vite');
try {
  const server = await preview({
    root: ROOT,
    logLevel: 'warn',
    preview: { port, host: values.host, strictPort: chosen !== undefined, open: false },
  });
  const urls = server.resolvedUrls;
  const [address] = [...(urls?.local ?? []), ...(urls?.network ?? [])];
  console.log(`\nRLHF Playground is at ${address}\nStop it with Ctrl+C.`);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  console.error(`Choose another port: npm start -- --port ${port + 1}`);
  process.exit(1);
}
