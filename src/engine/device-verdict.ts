/** The start-up check with a memory: what an earlier one chose is kept as long as it is right. */
import type { DeviceVerdict } from '../core/device-report';
import { hashText } from '../core/rng';
import type { OpenedEngine } from './backend';
import { checkFamilies, standardPlan, stillCorrect } from './device-check';

const KERNELS: Record<string, string> = import.meta.glob('./kernels/*.wgsl', {
  query: '?raw',
  import: 'default',
  eager: true,
});

/** What a verdict depends on besides the adapter: the kernels of this release. */
function releaseOfKernels(): string {
  const all = Object.keys(KERNELS)
    .sort()
    .map((name) => KERNELS[name]);
  return hashText(all.join('\n')).toString(16).padStart(8, '0');
}

/** The verdicts of one machine and release share a key; another browser or card has another. */
export function verdictKey(adapter: string | null): string {
  return `${adapter ?? 'no WebGPU'} · ${releaseOfKernels()}`;
}

export interface SettleOptions {
  /** The verdict of an earlier start. */
  remembered: DeviceVerdict | null;
  /** Tries everything, also what is known to be slow on a software adapter; forgets what was. */
  thorough: boolean;
}

/**
 * Chooses the variants for an engine that has just been opened.
 * @returns the verdict to remember, and whether it is the one that was
 * @throws PlaygroundError 'device-lost'
 */
export async function settleVariants(
  engine: OpenedEngine,
  { remembered, thorough }: SettleOptions,
): Promise<{ verdict: DeviceVerdict; remembered: boolean }> {
  const onGpu = engine.backend === 'webgpu';
  const key = verdictKey(onGpu ? engine.adapter : null);
  const begun = performance.now();
  if (remembered?.key === key && remembered.backend === engine.backend && !thorough) {
    const right = !onGpu || (await stillCorrect(standardPlan(engine), remembered.families));
    if (right) return { verdict: remembered, remembered: true };
  }
  const plans = standardPlan({ ...engine, isSoftware: engine.isSoftware && !thorough });
  const families = onGpu ? await checkFamilies(plans) : [];
  const verdict: DeviceVerdict = {
    key,
    backend: engine.backend,
    families,
    fallback: engine.fallback,
    checkedAt: Date.now(),
    ms: performance.now() - begun,
  };
  return { verdict, remembered: false };
}
