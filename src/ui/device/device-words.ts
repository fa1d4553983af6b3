/** The terms of the Device report, in plain words. */
import type {
  CandidateResult,
  EngineBackend,
  KernelFamily,
  Variant,
} from '../../core/device-report';
import { formatNumber } from '../parts/format';

export const BACKEND_NAMES: Record<EngineBackend, string> = {
  webgpu: 'WebGPU',
  webgl: 'WebGL',
  wasm: 'WebAssembly',
  cpu: 'Processor',
};

/** Name and meaning of each kernel family. */
export const FAMILIES: Record<KernelFamily, [string, string]> = {
  linear: ['Matrix products', 'where a model spends most of its time'],
  'rms-norm': ['RMSNorm', 'brings the numbers of a token to one size before each layer'],
  attention: ['Attention', 'mixes each token with the ones before it'],
  'decode-attention': ['Attention while writing', 'the same for one new token at a time'],
  'token-logprob': ['Token probabilities', 'how likely the model finds each token'],
  sample: ['Sampling', 'draws the next token'],
};

export const VARIANTS: Record<Variant, [string, string]> = {
  registers: ['registers', 'every thread works alone'],
  shared: ['shared', 'threads work in groups through fast shared memory'],
  subgroups: ['subgroups', 'as shared, and neighbouring threads add up numbers directly'],
  reference: ['reference', "TensorFlow.js's own operations, slow but known to be right"],
};

export const VERDICTS: Record<CandidateResult['verdict'], string> = {
  chosen: 'chosen',
  slower: 'slower',
  wrong: 'wrong numbers',
  failed: 'does not run',
  untried: 'not tried',
};

/** Meaning of each limit; the key is the name in the WebGPU specification. */
const LIMITS: Record<string, [string, 'bytes' | 'count']> = {
  maxBufferSize: ['largest piece of memory', 'bytes'],
  maxStorageBufferBindingSize: ['largest tensor that a kernel can see', 'bytes'],
  maxStorageBuffersPerShaderStage: ['tensors that one kernel can see', 'count'],
  maxComputeWorkgroupStorageSize: ['memory that a group of threads shares', 'bytes'],
  maxComputeInvocationsPerWorkgroup: ['threads in a group', 'count'],
  maxComputeWorkgroupSizeX: ['threads in a group, one way', 'count'],
  maxComputeWorkgroupsPerDimension: ['groups in one call, each way', 'count'],
};

export const FEATURES: Record<string, string> = {
  'shader-f16': 'computing in 16 bits; weights are kept in 16 bits without it',
  subgroups: 'neighbouring threads exchange numbers directly',
  'timestamp-query': 'the GPU can tell how long it worked',
};

export const limitMeaning = (name: string): string => LIMITS[name]?.[0] ?? '';

/** 1073741824 bytes → 1 GiB. */
export function limitValue(name: string, value: number): string {
  if (LIMITS[name]?.[1] !== 'bytes') return value.toLocaleString('en');
  const [size, unit] =
    value >= 2 ** 30 ? [2 ** 30, 'GiB'] : value >= 2 ** 20 ? [2 ** 20, 'MiB'] : [2 ** 10, 'KiB'];
  return `${formatNumber(value / size, 1)} ${unit}`;
}

/** Milliseconds, also where they are few: 0.0312 → 0.031 ms. */
export function milliseconds(ms: number | null): string {
  if (ms === null) return '–';
  return `${ms >= 100 ? Math.round(ms) : Number(ms.toPrecision(2))} ms`;
}

export const errorSize = (error: number | null): string =>
  error === null ? '–' : error.toExponential(0);
