/**
 * `npm run bench:node`: the same kernels from Node, on Dawn (npm `webgpu`), where a GPU is at hand, and
 * PyTorch eager beside them. Options, after `--`:
 *
 *   --only step,decode,ppo,scaling,roofline   parts (all)
 *   --sides ours,stock,jax                    who is measured (all)
 *   --rounds N       measured repetitions (5); runs over 5 s get at most 3
 *   --presets LIST   sizes besides the comparison's own (nano,tiny,small)
 *   --torch PYTHON   a Python with torch: its rows are added (left out)
 *   --json FILE      writes { date, adapter, runtime, rows, problems }
 *
 * Dawn needs a Vulkan driver (Linux), Metal or Direct3D 12. Without a GPU, the software driver of a
 * Chromium on Linux will do: LD_LIBRARY_PATH=/usr/lib/chromium
 * VK_DRIVER_FILES=/usr/lib/chromium/vk_swiftshader_icd.json
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from 'vite';
import { PRESETS, type PresetName } from '../src/core/presets';
import { installPeers, PEERS_FOLDER } from './install-peers';
import type * as NodeWork from './node-work';
import { counted, listed } from './options';
import { timedPhases } from './phases/plugin';
import { markdown } from './table';
import { withTorch } from './torch';

const PARTS = ['step', 'decode', 'ppo', 'scaling', 'roofline'] as const;
const SIDES = ['ours', 'stock', 'jax'] as const;
const ROOT = join(import.meta.dirname, '..');

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: PARTS.join() },
    sides: { type: 'string', default: SIDES.join() },
    rounds: { type: 'string', default: '5' },
    presets: { type: 'string', default: 'nano,tiny,small' },
    torch: { type: 'string' },
    json: { type: 'string' },
  },
});
const parts = listed('only', values.only, PARTS);
const sides = listed('sides', values.sides, SIDES);
const presets = listed('presets', values.presets, Object.keys(PRESETS) as PresetName[]);
const rounds = counted('rounds', values.rounds);

if (!installPeers()) throw new Error('Dawn (npm webgpu) is one of the peers: nothing to run on.');
const peer = (file: string): Promise<unknown> =>
  import(pathToFileURL(join(PEERS_FOLDER, 'node_modules', file)).href);

/** Gives this process a WebGPU: `navigator.gpu` and the classes and constants of its types. */
async function provideWebGpu(): Promise<void> {
  const { create, globals } = (await peer('webgpu/index.js')) as {
    create(this: void, options: string[]): GPU;
    globals: object;
  };
  Object.assign(globalThis, globals);
  Object.defineProperty(globalThis, 'navigator', {
    // jax-js looks for the names of browsers in it.
    value: { gpu: create([]), userAgent: 'Node' },
  });
}

/** The work as one file that Node can import. */
async function bundle(folder: string): Promise<typeof NodeWork> {
  await build({
    root: ROOT,
    configFile: false,
    logLevel: 'warn',
    publicDir: false,
    plugins: [timedPhases()],
    // Inlined: tfjs's packages are ES modules in a form that Node does not load by itself.
    ssr: { noExternal: true },
    build: { ssr: 'bench/node-work.ts', outDir: folder, emptyOutDir: true, target: 'esnext' },
  });
  return (await import(pathToFileURL(join(folder, 'node-work.js')).href)) as typeof NodeWork;
}

const json = (path: string): unknown => JSON.parse(readFileSync(join(ROOT, path), 'utf8'));

mkdirSync(join(ROOT, '.cache'), { recursive: true });
const folder = mkdtempSync(join(ROOT, '.cache', 'bench-node-'));
try {
  await provideWebGpu();
  const { measureInNode } = await bundle(folder);
  const { adapter, rows, problems } = await measureInNode({
    parts,
    presets,
    rounds,
    stock: sides.includes('stock'),
    jax: sides.includes('jax') ? await peer('@jax-js/jax/dist/index.js') : null,
    tokenizer: json('public/models/nano/tokenizer.json'),
    prompts: (json('public/demo/polite.json') as { prompts: string[] }).prompts,
    onPart: (part, seconds) => console.error(`${part}: ${seconds.toFixed(0)} s`),
  });
  const all = values.torch === undefined ? rows : withTorch(rows, { python: values.torch, rounds });
  const date = new Date().toISOString().slice(0, 10);
  const runtime = `Node ${process.versions.node}, Dawn (webgpu 0.6.2)`;
  console.log(`\n## ${date}, ${runtime}, WebGPU adapter ${adapter}\n`);
  console.log(markdown(all));
  for (const problem of problems) console.log(`\nNot measured: ${problem}`);
  if (values.json !== undefined) {
    const result = { date, adapter, runtime, rows: all, problems };
    writeFileSync(values.json, `${JSON.stringify(result, null, 2)}\n`);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
// Devices that are still open would keep the process alive.
process.exit(0);
