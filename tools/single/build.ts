/**
 * `npm run build:single` → dist-single/rlhf-playground.html: the page, its worker, styles, fonts, the
 * demonstrations and the base models `nano` and `tiny` in one file that needs no server.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'vite';
import { NOTICE } from '../licences/notice.ts';

const OUT = 'dist-single';
const PARTS = join(OUT, 'parts');
const FILE = join(OUT, 'rlhf-playground.html');
const MAX_BYTES = 8 * 1024 * 1024;
const BASES = ['nano', 'tiny'];
const MODEL_FILES = ['config.json', 'model.safetensors', 'tokenizer.json'];
/** src/state/one-file.ts looks for it under this name. */
const WORKER_FILE = 'train.worker.js';

// One chunk for the page, one for the worker (a classic one: Chromium loads no module worker in a page
// from a file); WebAssembly and fonts as data: URLs inside them.
await build({
  logLevel: 'warn',
  build: {
    outDir: PARTS,
    emptyOutDir: true,
    assetsInlineLimit: 4 * 1024 * 1024,
    // a plain path: an object would be merged with the inputs of the ordinary build
    rolldownOptions: { input: 'index.html', output: { codeSplitting: false } },
  },
  worker: { format: 'iife', rolldownOptions: { output: { codeSplitting: false } } },
});

const built = readdirSync(join(PARTS, 'assets'));
/** The one file of its kind that the build made. */
function part(pattern: RegExp): string {
  const [name, ...others] = built.filter((file) => pattern.test(file));
  if (name === undefined || others.length > 0) {
    throw new Error(`Expected one file like ${pattern} in ${PARTS}/assets: ${built.join(', ')}`);
  }
  return readFileSync(join(PARTS, 'assets', name), 'utf8');
}
const page = part(/^index-.*\.js$/);
const styles = part(/\.css$/);
const worker = part(/^train\.worker-.*\.js$/);

const own = (path: string): [string, Buffer] => [path, readFileSync(join('public', path))];
const manifest = (
  JSON.parse(readFileSync('public/models/manifest.json', 'utf8')) as { id: string }[]
).filter(({ id }) => BASES.includes(id));
const files: [string, Buffer][] = [
  [WORKER_FILE, Buffer.from(worker)],
  ['models/manifest.json', Buffer.from(JSON.stringify(manifest))],
  ...BASES.flatMap((base) => MODEL_FILES.map((file) => own(`models/${base}/${file}`))),
  ...readdirSync('public/demo')
    .filter((name) => name !== 'corpus-full.txt')
    .map((name) => own(`demo/${name}`)),
];

const type = (path: string): string =>
  path.endsWith('.js')
    ? 'text/javascript'
    : path.endsWith('.json')
      ? 'application/json'
      : 'application/octet-stream';
const embedded = files
  .map(
    ([path, bytes]) =>
      `<script type="text/plain" data-file="${path}" data-type="${type(path)}">${gzipSync(bytes, { level: 9 }).toString('base64')}</script>`,
  )
  .join('\n');

// `</script` inside a string of the code would end the element; the escape means the same to JavaScript.
const code = page.replaceAll('</script', '<\\/script');
const hash = (text: string): string =>
  `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
const policy = [
  "default-src 'none'",
  `script-src ${hash(code)} blob: 'wasm-unsafe-eval'`,
  `style-src ${hash(styles)}`,
  'img-src data: blob:',
  'font-src data:',
  // data: is the WebAssembly inside the worker
  'connect-src data: blob:',
  'worker-src blob:',
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'none'",
].join('; ');

const source = readFileSync(join(PARTS, 'index.html'), 'utf8');
/** For people who look into the file; in a comment, so that it costs the page nothing. */
const notice = readFileSync(join(PARTS, NOTICE), 'utf8').replaceAll('--', '- -');
const icon = readFileSync('public/icon.svg').toString('base64');
const html = source
  .replace(/(Content-Security-Policy"\s+content=")[^"]*/, (_, start: string) => start + policy)
  .replace(/<!--[\s\S]*?-->\s*/g, '')
  .replace(/href="\.\/icon\.svg"/, `href="data:image/svg+xml;base64,${icon}"`)
  .replace(/\s*<link rel="(?:stylesheet|modulepreload|manifest)"[^>]*>/g, '')
  .replace(/\s*<script type="module"[^>]*><\/script>/, () => `\n    <style>${styles}</style>`)
  .replace('</body>', () => `${embedded}\n    <script type="module">${code}</script>\n  </body>`)
  .replace('</html>', () => `</html>\n<!--\n${notice}-->`);
for (const reference of html.slice(0, html.indexOf('<body>')).matchAll(/(?:src|href)="([^"]+)"/g)) {
  if (!reference[1]!.startsWith('data:')) throw new Error(`${reference[1]!} is not in the file`);
}

rmSync(PARTS, { recursive: true });
mkdirSync(OUT, { recursive: true });
writeFileSync(FILE, html);
const bytes = Buffer.byteLength(html);
console.log(`${FILE}: ${(bytes / 1024 / 1024).toFixed(2)} MiB`);
if (bytes > MAX_BYTES) throw new Error(`${FILE} is larger than ${MAX_BYTES} bytes`);
