/**
 * Opens the compute backend: our own WebGPU device (so that its features, limits, loss and errors
 * are ours), else the faster of WebGL and WebAssembly, else plain JavaScript.
 */
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-core/dist/register_all_gradients';
import '@tensorflow/tfjs-backend-cpu';
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import plainPath from '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm.wasm?url';
import simdPath from '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm?url';
import type { DeviceFeature, EngineBackend, FallbackResult } from '../core/device-report';
import { PlaygroundError } from '../core/errors';
import { chosenFallback } from '../core/variant-choice';
import { clearFailure } from './failure';
import { compareFallbacks } from './fallback';
import { forgetVariants } from './variants';
import { closeWebgl, openWebgl } from './webgl';
import { PacedBackend, RAISED_LIMITS, requestOwnDevice, watchDevice } from './webgpu-device';

export type BackendName = EngineBackend;

const REPORTED_LIMITS = [...RAISED_LIMITS, 'maxComputeWorkgroupsPerDimension'] as const;
export type DeviceLimit = (typeof REPORTED_LIMITS)[number];

export interface OpenedEngine {
  backend: BackendName;
  /** Vendor and architecture as the browser tells them, or what computes instead. */
  adapter: string;
  /** A program that plays a graphics card, as the browser tells it. */
  isSoftware: boolean;
  /** Why a slower backend is used, in plain words; null when it is WebGPU or was asked for. */
  fallbackReason: string | null;
  /** What was compared where WebGPU does not work; else empty. */
  fallback: FallbackResult[];
  /** Sizes in bytes; 0 without WebGPU. */
  limits: Record<DeviceLimit, number>;
  features: DeviceFeature[];
  /** Why the device runs with the smallest limits; null when it has those of its adapter. */
  refused: string | null;
}

export interface OpenOptions {
  /** Use this backend or fail; without it the first that works of webgpu, webgl or wasm, cpu. */
  force?: BackendName;
  /** Chosen by an earlier comparison of webgl and wasm; without it they are compared. */
  fallback?: FallbackResult[];
  /** Folder (ending in `/`) of tfjs's .wasm files; the ones bundled with the page by default. */
  wasmPath?: string;
}

const WITHOUT_GPU = {
  isSoftware: false,
  fallbackReason: null,
  fallback: [],
  limits: Object.fromEntries(REPORTED_LIMITS.map((name) => [name, 0])) as OpenedEngine['limits'],
  features: [],
  refused: null,
};

/** Device in use, so that its own closing is not reported as a loss. */
let openDevice: GPUDevice | null = null;
let wasmLocated = false;
const lostCallbacks = new Set<(error: PlaygroundError) => void>();

/** Calls back once for each device that is lost (driver reset, sleep, out of memory). Returns a function that takes the callback back. */
export function onDeviceLost(callback: (error: PlaygroundError) => void): () => void {
  lostCallbacks.add(callback);
  return () => lostCallbacks.delete(callback);
}

function tellLost(error: PlaygroundError): void {
  for (const callback of [...lostCallbacks]) callback(error);
}

async function openWebGPU(): Promise<OpenedEngine> {
  const { device, info, features, refused } = await requestOwnDevice();
  openDevice = device;
  watchDevice(device, () => openDevice === device, tellLost);
  // The stock registration asks for its own device and throws on a null adapter.
  if (tf.findBackendFactory('webgpu')) tf.removeBackend('webgpu');
  const backend = new PacedBackend(device, info);
  tf.env().set('WEBGPU_DEFERRED_SUBMIT_BATCH_SIZE', backend.pacer.kernels);
  tf.registerBackend('webgpu', () => backend);
  if (!(await tf.setBackend('webgpu'))) throw new Error('TensorFlow.js refused the WebGPU device');
  const { vendor, architecture } = info;
  return {
    ...WITHOUT_GPU,
    backend: 'webgpu',
    adapter: [vendor, architecture].filter((part) => part !== '').join(' ') || 'unnamed adapter',
    // Missing in older browsers, whatever the types say.
    isSoftware: (info as Partial<GPUAdapterInfo>).isFallbackAdapter ?? false,
    limits: Object.fromEntries(
      REPORTED_LIMITS.map((name) => [name, device.limits[name]]),
    ) as OpenedEngine['limits'],
    features,
    refused,
  };
}

async function openWasm(wasmPath: string | undefined): Promise<OpenedEngine> {
  // Threads need cross-origin isolation and a blob worker, which the page's policy refuses.
  tf.env().set('WASM_HAS_MULTITHREAD_SUPPORT', false);
  if (!wasmLocated) {
    wasmLocated = true; // tfjs throws when told a second time
    // Whole addresses: a worker that started from a blob: has none that a path could be relative to.
    const [plain, simd] = [plainPath, simdPath].map((path) => new URL(path, import.meta.url).href);
    setWasmPaths(
      wasmPath ?? {
        'tfjs-backend-wasm.wasm': plain!,
        'tfjs-backend-wasm-simd.wasm': simd!,
        // tfjs wants all three named; with threads off this one is never fetched.
        'tfjs-backend-wasm-threaded-simd.wasm': simd!,
      },
    );
  }
  if (!(await tf.setBackend('wasm'))) throw new Error('WebAssembly could not be started');
  return { ...WITHOUT_GPU, backend: 'wasm', adapter: 'WebAssembly' };
}

async function openWebGL(): Promise<OpenedEngine> {
  const adapter = await openWebgl(tellLost);
  return { ...WITHOUT_GPU, backend: 'webgl', adapter };
}

async function openCpu(): Promise<OpenedEngine> {
  if (!(await tf.setBackend('cpu'))) throw new Error('the JavaScript backend could not be started');
  return { ...WITHOUT_GPU, backend: 'cpu', adapter: 'JavaScript' };
}

/**
 * Opens the engine, closing an earlier one; its tensors are then invalid, and every kernel family is
 * back on `registers`.
 * @throws PlaygroundError 'engine' when the forced backend, or every backend, cannot be used
 */
export async function openEngine(options: OpenOptions = {}): Promise<OpenedEngine> {
  closeEngine();
  const open: Record<BackendName, () => Promise<OpenedEngine>> = {
    webgpu: openWebGPU,
    webgl: openWebGL,
    wasm: () => openWasm(options.wasmPath),
    cpu: openCpu,
  };
  const openStandIn = async (fallback: FallbackResult[]): Promise<OpenedEngine> => {
    const chosen = chosenFallback(fallback);
    if (chosen !== 'webgl') closeWebgl();
    return { ...(await open[chosen]()), fallback };
  };
  const standIn = async (): Promise<OpenedEngine> => {
    if (options.fallback !== undefined) {
      try {
        return await openStandIn(options.fallback);
      } catch {
        // What was chosen then is not to be had today: compare again.
      }
    }
    return openStandIn(await compareFallbacks(open));
  };
  const ways =
    options.force === undefined
      ? ([
          ['webgpu', openWebGPU],
          ['webgl and wasm', standIn],
          ['cpu', openCpu],
        ] as const)
      : ([[options.force, open[options.force]]] as const);
  const reasons: string[] = [];
  for (const [name, way] of ways) {
    try {
      const opened = await way();
      return { ...opened, fallbackReason: reasons.length === 0 ? null : `${reasons.join('; ')}.` };
    } catch (thrown) {
      closeEngine();
      const reason = thrown instanceof Error ? thrown.message : String(thrown);
      // What is said about WebGPU names it.
      reasons.push(name === 'webgpu' ? reason : `${name}: ${reason}`);
    }
  }
  throw new PlaygroundError({
    code: 'engine',
    message: `No compute backend could be opened (${reasons.join('; ')}).`,
    remedy: 'Use a current Chrome, Edge, Safari or Firefox, and open the page over https.',
  });
}

/** Frees the device and everything on it. Safe to call twice, or after the device was lost. */
export function closeEngine(): void {
  const device = openDevice;
  openDevice = null;
  clearFailure();
  forgetVariants();
  if (device === null) return;
  // Destroys the pooled buffers as well; the factory would hand out a dead device otherwise.
  if (tf.findBackendFactory('webgpu')) tf.removeBackend('webgpu');
  device.destroy();
}
