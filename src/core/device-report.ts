/**
 * What the playground found out about the machine that it runs on: what the device offers, which
 * kernels were chosen and why, how fast it is. Everything is structured-cloneable and JSON.
 */

export type EngineBackend = 'webgpu' | 'webgl' | 'wasm' | 'cpu';

export const KERNEL_FAMILIES = [
  'linear',
  'rms-norm',
  'attention',
  'decode-attention',
  'token-logprob',
  'sample',
] as const;
/** Kernels that are written in several ways and chosen together. */
export type KernelFamily = (typeof KERNEL_FAMILIES)[number];

export const VARIANTS = ['registers', 'shared', 'subgroups', 'reference'] as const;
/**
 * `registers`: each invocation works alone. `shared`: a workgroup shares tiles or sums through
 * workgroup memory and barriers. `subgroups`: as `shared`, with sums by subgroup operations; only
 * families that sum rows have it, on devices with that feature. `reference`: TensorFlow.js's own
 * operations, when none of these is right.
 */
export type Variant = (typeof VARIANTS)[number];

export interface CandidateResult {
  variant: Variant;
  /**
   * Largest difference from the reference, relative to the largest number compared; null when it
   * gave no finite number or did not run.
   */
  maxError: number | null;
  /** ms of one pass, gradients included, at the size in `FamilyResult.timedAt`; null when not timed. */
  ms: number | null;
  verdict: 'chosen' | 'slower' | 'wrong' | 'failed' | 'untried';
  /** What went wrong, or why it was not tried; null otherwise. */
  reason: string | null;
}

export interface FamilyResult {
  family: KernelFamily;
  chosen: Variant;
  /** The sizes that were timed, e.g. `256 × 128 by 344 × 128`. */
  timedAt: string;
  candidates: CandidateResult[];
}

/** One training step of a small model on a backend that stands in for WebGPU. */
export interface FallbackResult {
  backend: EngineBackend;
  /** null when it could not be used. */
  ms: number | null;
  /** Why it could not be used, or was not chosen; null for the chosen one. */
  reason: string | null;
}

/**
 * The outcome of a start-up check. It is kept, because variants round differently: a run continues
 * bit for bit only on the same ones, and a choice by time may fall otherwise the next time.
 */
export interface DeviceVerdict {
  /** Adapter and kernels that it belongs to; for another key the check is made again. */
  key: string;
  backend: EngineBackend;
  /** Empty where our kernels do not run. */
  families: FamilyResult[];
  /** Empty where WebGPU works. */
  fallback: FallbackResult[];
  /** ms since 1970. */
  checkedAt: number;
  /** What the check took, ms. */
  ms: number;
}

export interface DeviceFeature {
  name: string;
  /** The adapter has it. */
  offered: boolean;
  /** It was asked for and granted. */
  enabled: boolean;
}

export interface DeviceNumerics {
  /** Largest relative error of exp over −20 … 20. */
  expError: number;
  /** Largest relative error of 1/√x over 2⁻²⁰ … 2²⁰. */
  inverseSqrtError: number;
  /** Whether numbers below 1.2e-38 are kept; else they become 0. */
  keepsSubnormals: boolean;
  /** Whether a number that is none (NaN) is still one after an addition. */
  keepsNaN: boolean;
  /** Whether the same training step, taken twice, gave the same bits. */
  repeatable: boolean;
}

/** Measured when asked for. */
export interface DeviceSpeed {
  /** ms to wait for one number from the device; median. */
  readbackMs: number;
  /** Multiplications and additions of a matrix product, 10⁹ per second. */
  matmulGflops: number;
  /** [rows, inner, columns] of that product. */
  matmulShape: [number, number, number];
  /** Of a training step at the size `tiny`. */
  tokensPerSecond: number;
  /** [sequences, tokens in each] of that step. */
  trainingShape: [number, number];
  stepMs: number;
  /** Kernels that are handed to the GPU at a time, and the longest that such a piece took, ms. */
  submission: { kernels: number; longestMs: number } | null;
  numerics: DeviceNumerics;
}

export interface DeviceReport {
  backend: EngineBackend;
  /** For people: 'apple metal-3', or what computes instead of a GPU. */
  adapter: string;
  /** A program that plays a graphics card. */
  isSoftware: boolean;
  browser: string;
  /** By the names of the WebGPU specification; empty without WebGPU. */
  limits: Record<string, number>;
  features: DeviceFeature[];
  /** Why the device runs with the smallest limits that every WebGPU has; null when it does not. */
  refused: string | null;
  /** Why a slower backend is used; null when it is WebGPU or was asked for. */
  fallbackReason: string | null;
  verdict: DeviceVerdict | null;
  /** The verdict is an earlier one; its choices were only checked for correctness this time. */
  remembered: boolean;
  speed: DeviceSpeed | null;
}
