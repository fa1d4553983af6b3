/** The page with its storage broken on purpose: what the kill tests must see. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { build, preview, type Plugin } from 'vite';

interface Break {
  file: string;
  from: RegExp;
  to: string;
}

const BREAKS: Break[] = [
  {
    // Saved is said before the transaction is done.
    file: 'src/state/idb-store.ts',
    from: /(?:await|return) write\(db, \[\.\.\.PAGE_TABLES\], 'your work'/,
    to: "void write(db, [...PAGE_TABLES], 'your work'",
  },
  {
    // Nothing waits for the disk.
    file: 'src/storage/transaction.ts',
    from: /'readwrite', \{ durability: 'strict' \}/,
    to: "'readwrite', { durability: 'relaxed' }",
  },
  {
    // The manifest is flipped first, the chunks follow.
    file: 'src/storage/checkpoints.ts',
    from: /await putChunks\(db, chunked\.chunks\);/,
    to: 'setTimeout(() => void putChunks(db, chunked.chunks), 1000);',
  },
  {
    file: 'src/storage/checkpoints.ts',
    from: /if \(key === undefined\) await/,
    to: 'if (hash === null) await',
  },
];

const OUT = '.cache/broken';

function breakStorage(): Plugin {
  return {
    name: 'broken-storage',
    enforce: 'pre',
    transform(code, id) {
      const breaks = BREAKS.filter(({ file }) => resolve(file) === id.split('?')[0]);
      return breaks.reduce((text, { from, to }) => text.replace(from, to), code);
    },
  };
}

/** Builds and serves it. */
export async function serveBroken(): Promise<{ url: string; close: () => Promise<void> }> {
  for (const { file, from } of BREAKS) {
    // Otherwise it would be the page as it is, and the tests would see nothing.
    if (!from.test(readFileSync(file, 'utf8'))) {
      throw new Error(`${file} holds nothing like ${from} (any more): break it in another way.`);
    }
  }
  await build({
    logLevel: 'warn',
    plugins: [breakStorage()],
    worker: { format: 'es', plugins: () => [breakStorage()] },
    build: { outDir: OUT, emptyOutDir: true, minify: false },
  });
  const server = await preview({
    logLevel: 'warn',
    build: { outDir: OUT },
    preview: { port: 0, host: 'localhost' },
  });
  const url = server.resolvedUrls?.local[0];
  if (url === undefined) throw new Error('The broken build is not served.');
  return { url, close: () => server.close() };
}
