/**
 * Measures the memory that an export needs, in all processes of a real browser (Linux):
 * `npx tsx tools/golden/export_memory.ts`. The sum of their proportional set sizes (Pss) is sampled
 * before the weights exist, with the weights, and while they are exported into a Blob.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { openBrowserPage } from '../dev/browser-page';

const SAMPLE_MS = 100;
const MIB = 2 ** 20;

const page = await openBrowserPage('tools/golden/export_memory_page.ts');
try {
  const empty = memoryOf(page.pid);
  const modelBytes = await page.call<number>('makeWeights');
  const loaded = memoryOf(page.pid);
  let peak = loaded;
  const timer = setInterval(() => (peak = Math.max(peak, memoryOf(page.pid))), SAMPLE_MS);
  const { bytes, ms } = await page.call<{ bytes: number; ms: number }>('exportBlob');
  clearInterval(timer);
  peak = Math.max(peak, memoryOf(page.pid));
  const mib = (n: number): string => `${(n / MIB).toFixed(0)} MiB`;
  console.log(`model ${mib(modelBytes)}, zip ${mib(bytes)} in ${(ms / 1000).toFixed(1)} s`);
  console.log(
    `browser: ${mib(empty)} empty, ${mib(loaded)} with the weights, ${mib(peak)} at most`,
  );
  const times = (n: number): string => (n / modelBytes).toFixed(2);
  console.log(`peak ${times(peak - empty)} × the model, of it ${times(peak - loaded)} the export`);
} finally {
  await page.close();
}

/** Pss of a process and all that it started, bytes. */
function memoryOf(pid: number): number {
  const parents = new Map<number, number>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const parent = /^PPid:\s*(\d+)/m.exec(read(`/proc/${name}/status`))?.[1];
    if (parent !== undefined) parents.set(Number(name), Number(parent));
  }
  const belongs = (id: number | undefined): boolean =>
    id !== undefined && (id === pid || belongs(parents.get(id)));
  return [...parents.keys()]
    .filter((id) => belongs(id))
    .reduce((sum, id) => {
      const pss = /^Pss:\s*(\d+) kB/m.exec(read(`/proc/${id}/smaps_rollup`))?.[1];
      return sum + 1024 * Number(pss ?? 0);
    }, 0);
}

/** Empty when the process has ended meanwhile. */
function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
