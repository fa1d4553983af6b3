/** What to use on this machine, from what the start-up check measured. */
import { VARIANTS, type CandidateResult, type FallbackResult, type Variant } from './device-report';

/** 5 % is within what two measurements of the same kernel differ by. */
const TIE = 1.05;

export interface Measured {
  variant: Variant;
  maxError: number | null;
  ms: number | null;
  /** null for a variant that gives the right numbers. */
  problem: { kind: 'wrong' | 'failed' | 'untried'; reason: string } | null;
}

/**
 * The fastest correct candidate; the first in `VARIANTS` wins a tie, because it has the least to go
 * wrong. When none is correct, `reference`. A correct one that was not timed counts as slow.
 */
export function fastestCorrect(candidates: readonly Measured[]): {
  chosen: Variant;
  candidates: CandidateResult[];
} {
  const timeOf = ({ ms }: Measured): number => ms ?? Infinity;
  const correct = candidates.filter(({ problem }) => problem === null);
  const fastest = Math.min(...correct.map(timeOf));
  const good = correct.filter((one) => timeOf(one) <= fastest * TIE);
  const chosen =
    VARIANTS.find((name) => good.some(({ variant }) => variant === name)) ?? 'reference';
  return {
    chosen,
    candidates: candidates.map(({ variant, maxError, ms, problem }) => ({
      variant,
      maxError,
      ms,
      verdict: problem?.kind ?? (variant === chosen ? 'chosen' : 'slower'),
      reason: problem?.reason ?? null,
    })),
  };
}

/** A backend that stands in for WebGPU. */
export type StandIn = 'wasm' | 'webgl';

/** WebAssembly has less to go wrong; WebGL has to take less than this share of its time. */
const WORTH = 0.9;

/** Gives those that work and were not chosen their reason. @throws Error when none works */
export function withFallbackChosen(results: readonly FallbackResult[]): FallbackResult[] {
  const timeOf = (name: StandIn): number =>
    results.find(({ backend }) => backend === name)?.ms ?? Infinity;
  const [wasm, webgl] = [timeOf('wasm'), timeOf('webgl')];
  if (Math.min(wasm, webgl) === Infinity) {
    throw new Error(results.map(({ backend, reason }) => `${backend}: ${reason}`).join(', '));
  }
  const chosen: StandIn = webgl < wasm * WORTH ? 'webgl' : 'wasm';
  return results.map((result) =>
    result.ms !== null && result.backend !== chosen ? { ...result, reason: 'slower' } : result,
  );
}

/** The one that nothing speaks against. */
export function chosenFallback(results: readonly FallbackResult[]): StandIn {
  const chosen = results.find(({ ms, reason }) => ms !== null && reason === null);
  return chosen?.backend === 'webgl' ? 'webgl' : 'wasm';
}
