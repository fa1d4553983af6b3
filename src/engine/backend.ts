/**
 * Opens the compute backend: our own WebGPU device (so that its features, limits, loss and errors
 * are ours), else WebAssembly, else plain JavaScript.
 */
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-core/dist/register_all_gradients';
import '@tensorflow/tfjs-backend-cpu';
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import wasmPlain from '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm.wasm?url';
import wasmSimd from '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm?url';
import { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { PlaygroundError } from '../core/errors';
import { DISPATCHES_PER_SUBMIT } from './dispatch';
import { clearFailure, reportFailure } from './failure';

export type BackendName = 'webgpu' | 'wasm' | 'cpu';

export interface OpenedEngine {
  backend: BackendName;
  /** Vendor and architecture as the browser tells them, or what computes instead. */
  adapter: string;
  /** Why a slower backend is used, in plain words; null when it is WebGPU or was asked for. */
  fallbackReason: string | null;
  limits: {
    /** Bytes. */
    maxBufferSize: number;
    /** Bytes of one tensor that a kernel can see. */
    maxStorageBufferBindingSize: number;
    shaderF16: boolean;
    timestampQuery: boolean;
  };
}

export interface OpenOptions {
  /** Use this backend or fail; without it the first that works of webgpu, wasm, cpu. */
  force?: BackendName;
  /** Folder (ending in `/`) of tfjs's .wasm files; the ones bundled with the page by default. */
  wasmPath?: string;
}

/** Raised to what the adapter has: the defaults are small (8 storage buffers, 128 MiB bindings). */
const RAISED_LIMITS = [
  'maxStorageBuffersPerShaderStage',
  'maxBufferSize',
  'maxStorageBufferBindingSize',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupSizeX',
  'maxComputeWorkgroupStorageSize',
] as const;
const WANTED_FEATURES: GPUFeatureName[] = ['shader-f16', 'timestamp-query'];
const NO_LIMITS: OpenedEngine['limits'] = {
  maxBufferSize: 0,
  maxStorageBufferBindingSize: 0,
  shaderF16: false,
  timestampQuery: false,
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

function watch(device: GPUDevice): void {
  void device.lost.then((info) => {
    if (openDevice !== device) return;
    const error = new PlaygroundError({
      code: 'device-lost',
      message: `The GPU was lost (${info.reason}): ${info.message || 'the browser gave no reason'}.`,
      remedy: 'Training resumes from its last checkpoint once the engine is opened again.',
    });
    reportFailure(error);
    for (const callback of [...lostCallbacks]) callback(error);
  });
  device.addEventListener('uncapturederror', (event) => {
    if (openDevice !== device) return;
    reportFailure(
      new PlaygroundError({
        code: 'engine',
        message: `The GPU refused a command: ${event.error.message.slice(0, 600)}`,
        remedy: 'Use a smaller batch or a smaller model, or choose the wasm backend.',
      }),
    );
  });
}

async function openWebGPU(): Promise<OpenedEngine> {
  // `gpu` is missing from navigator on insecure pages and in older browsers, whatever the types say.
  const gpu = (navigator as Partial<Navigator>).gpu;
  if (gpu === undefined) throw new Error('this browser has no WebGPU');
  const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' });
  if (adapter === null) throw new Error('WebGPU found no usable graphics adapter');
  const features = WANTED_FEATURES.filter((feature) => adapter.features.has(feature));
  const device = await adapter.requestDevice({
    requiredFeatures: features,
    requiredLimits: Object.fromEntries(RAISED_LIMITS.map((name) => [name, adapter.limits[name]])),
  });
  openDevice = device;
  watch(device);
  // The stock registration asks for its own device and throws on a null adapter.
  if (tf.findBackendFactory('webgpu')) tf.removeBackend('webgpu');
  tf.env().set('WEBGPU_DEFERRED_SUBMIT_BATCH_SIZE', DISPATCHES_PER_SUBMIT);
  tf.registerBackend('webgpu', () => new WebGPUBackend(device, adapter.info));
  if (!(await tf.setBackend('webgpu'))) throw new Error('TensorFlow.js refused the WebGPU device');
  const { vendor, architecture } = adapter.info;
  return {
    backend: 'webgpu',
    adapter: [vendor, architecture].filter((part) => part !== '').join(' ') || 'unnamed adapter',
    fallbackReason: null,
    limits: {
      maxBufferSize: device.limits.maxBufferSize,
      maxStorageBufferBindingSize: device.limits.maxStorageBufferBindingSize,
      shaderF16: device.features.has('shader-f16'),
      timestampQuery: device.features.has('timestamp-query'),
    },
  };
}

async function openWasm(wasmPath: string | undefined): Promise<OpenedEngine> {
  // Threads need cross-origin isolation and a blob worker, which the page's policy refuses.
  tf.env().set('WASM_HAS_MULTITHREAD_SUPPORT', false);
  if (!wasmLocated) {
    wasmLocated = true; // tfjs throws when told a second time
    setWasmPaths(
      wasmPath ?? {
        'tfjs-backend-wasm.wasm': wasmPlain,
        'tfjs-backend-wasm-simd.wasm': wasmSimd,
        // tfjs wants all three named; with threads off this one is never fetched.
        'tfjs-backend-wasm-threaded-simd.wasm': wasmSimd,
      },
    );
  }
  if (!(await tf.setBackend('wasm'))) throw new Error('WebAssembly could not be started');
  return { backend: 'wasm', adapter: 'WebAssembly', fallbackReason: null, limits: NO_LIMITS };
}

async function openCpu(): Promise<OpenedEngine> {
  if (!(await tf.setBackend('cpu'))) throw new Error('the JavaScript backend could not be started');
  return { backend: 'cpu', adapter: 'JavaScript', fallbackReason: null, limits: NO_LIMITS };
}

/**
 * Opens the engine, closing an earlier one; its tensors are then invalid.
 * @throws PlaygroundError 'engine' when the forced backend, or every backend, cannot be used
 */
export async function openEngine(options: OpenOptions = {}): Promise<OpenedEngine> {
  closeEngine();
  const open: Record<BackendName, () => Promise<OpenedEngine>> = {
    webgpu: openWebGPU,
    wasm: () => openWasm(options.wasmPath),
    cpu: openCpu,
  };
  const order: BackendName[] =
    options.force === undefined ? ['webgpu', 'wasm', 'cpu'] : [options.force];
  const reasons: string[] = [];
  for (const name of order) {
    try {
      const opened = await open[name]();
      return { ...opened, fallbackReason: reasons.length === 0 ? null : `${reasons.join('; ')}.` };
    } catch (thrown) {
      closeEngine();
      reasons.push(`${name}: ${thrown instanceof Error ? thrown.message : String(thrown)}`);
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
  if (device === null) return;
  // Destroys the pooled buffers as well; the factory would hand out a dead device otherwise.
  if (tf.findBackendFactory('webgpu')) tf.removeBackend('webgpu');
  device.destroy();
}
