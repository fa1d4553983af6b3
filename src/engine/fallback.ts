/** Where there is no WebGPU: WebGL or WebAssembly, whichever trains faster on this machine. */
import type { FallbackResult } from '../core/device-report';
import { PRESETS } from '../core/presets';
import { withFallbackChosen, type StandIn } from '../core/variant-choice';
import { ProbeTraining } from './probe-training';

/** A step of the model that the page recommends without WebGPU. */
const ROWS = 4;
const LENGTH = 64;
const TIMED_STEPS = 2;
/** Losses and gradient norms of two backends, relative: f32 sums in other orders. */
const TOLERANCE = 1e-3;

interface Outcome {
  ms: number;
  /** Loss and gradient norm of every step. */
  numbers: number[];
}

async function train(): Promise<Outcome> {
  const probe = new ProbeTraining(PRESETS.nano, ROWS, LENGTH);
  try {
    const numbers: number[] = [];
    let ms = Infinity;
    // The first step compiles shaders.
    for (let step = 0; step <= TIMED_STEPS; step++) {
      const begun = performance.now();
      const { loss, grad_norm } = await probe.step();
      if (step > 0) ms = Math.min(ms, performance.now() - begun);
      numbers.push(loss, grad_norm);
    }
    return { ms, numbers };
  } finally {
    probe.dispose();
  }
}

const differs = (a: number[], b: number[]): boolean =>
  a.some((value, i) => !(Math.abs(value - b[i]!) <= TOLERANCE * Math.abs(b[i]!)));

/**
 * Trains a few steps on each. WebGL has to give WebAssembly's numbers. The backend in use afterwards
 * is any of them.
 * @param open makes a backend the current one, or throws
 * @throws Error when none works
 */
export async function compareFallbacks(
  open: Record<StandIn, () => Promise<unknown>>,
): Promise<FallbackResult[]> {
  const outcomes = new Map<StandIn, Outcome>();
  const results: FallbackResult[] = [];
  for (const backend of ['wasm', 'webgl'] as const) {
    try {
      await open[backend]();
      const outcome = await train();
      const trusted = outcomes.get('wasm');
      if (trusted !== undefined && differs(outcome.numbers, trusted.numbers)) {
        throw new Error('its numbers differ from those of WebAssembly');
      }
      outcomes.set(backend, outcome);
      results.push({ backend, ms: outcome.ms, reason: null });
    } catch (thrown) {
      const reason = thrown instanceof Error ? thrown.message : String(thrown);
      results.push({ backend, ms: null, reason });
    }
  }
  return withFallbackChosen(results);
}
