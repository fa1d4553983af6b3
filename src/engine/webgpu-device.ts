/**
 * Our own WebGPU device: its features and limits, its errors and its end. The stock registration of
 * TensorFlow.js asks for neither and throws on a null adapter.
 */
import * as tf from '@tensorflow/tfjs-core';
import { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import type { DeviceFeature } from '../core/device-report';
import { PlaygroundError } from '../core/errors';
import { reportFailure, throwFailure } from './failure';
import { allocationInHand, outOfMemory, refusedCommand } from './gpu-errors';
import { gpuBytes, trimPool } from './memory';
import { SubmissionPacer } from './submission';

/** Raised to what the adapter has: the defaults are small (8 storage buffers, 128 MiB bindings). */
export const RAISED_LIMITS = [
  'maxStorageBuffersPerShaderStage',
  'maxBufferSize',
  'maxStorageBufferBindingSize',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupSizeX',
  'maxComputeWorkgroupStorageSize',
] as const;
const WANTED_FEATURES: GPUFeatureName[] = ['shader-f16', 'subgroups', 'timestamp-query'];
const LOSS_IS_TOLD_MS = 200;
/** Buffers from this size on are watched for memory that is not there; a scope costs a message. */
const WATCHED_BYTES = 2 ** 20;

export interface OwnDevice {
  device: GPUDevice;
  info: GPUAdapterInfo;
  features: DeviceFeature[];
  /** Why the device has the smallest limits that every WebGPU has; null when it does not. */
  refused: string | null;
}

/** tfjs's backend, with an eye on how long its submissions take. */
export class PacedBackend extends WebGPUBackend {
  readonly pacer = new SubmissionPacer();

  override submitQueue(): void {
    // tfjs keeps the count private; ours are in it as well.
    const kernels = (this as unknown as { dispatchCountInPass: number }).dispatchCountInPass;
    super.submitQueue();
    const submittedAt = performance.now();
    void this.queue.onSubmittedWorkDone().then(
      () => {
        this.pacer.done(kernels, submittedAt, performance.now());
        tf.env().set('WEBGPU_DEFERRED_SUBMIT_BATCH_SIZE', this.pacer.kernels);
      },
      () => undefined, // the device is lost, which is told elsewhere
    );
  }

  /**
   * @throws PlaygroundError 'device-lost' or 'engine' where tfjs would throw that a buffer could not
   *   be mapped, which is only what a failure looks like from here
   */
  override async read(dataId: object): ReturnType<WebGPUBackend['read']> {
    try {
      return await super.read(dataId);
    } catch (thrown) {
      // The reason may come a moment later than its consequence.
      const moment = new Promise((resolve) => setTimeout(resolve, LOSS_IS_TOLD_MS));
      await Promise.race([this.device.lost, moment]);
      throwFailure();
      throw thrown;
    }
  }
}

/**
 * A device with the features and limits that we want, or, where those are refused, with what every
 * WebGPU has: slower kernels and smaller tensors, but it works.
 * @throws Error in plain words when there is no device at all
 */
export async function requestOwnDevice(): Promise<OwnDevice> {
  // `gpu` is missing from navigator on insecure pages and in older browsers, whatever the types say.
  const gpu = (navigator as Partial<Navigator>).gpu;
  if (gpu === undefined) throw new Error('This browser has no WebGPU');
  const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' });
  if (adapter === null) throw new Error('WebGPU found no usable graphics adapter');
  const wanted = {
    requiredFeatures: WANTED_FEATURES.filter((feature) => adapter.features.has(feature)),
    requiredLimits: Object.fromEntries(RAISED_LIMITS.map((name) => [name, adapter.limits[name]])),
  };
  let device: GPUDevice;
  let refused: string | null = null;
  try {
    device = await adapter.requestDevice(wanted);
  } catch (thrown) {
    refused = inWords(thrown);
    try {
      device = await adapter.requestDevice();
    } catch (again) {
      throw new Error(
        `The graphics adapter gave no device, not even with the smallest limits (${inWords(again)})`,
        { cause: again },
      );
    }
  }
  const features = WANTED_FEATURES.map((name) => ({
    name,
    offered: adapter.features.has(name),
    enabled: device.features.has(name),
  }));
  return { device, info: adapter.info, features, refused };
}

/** The browser's reason on one line; Chromium spreads it over several. */
function inWords(thrown: unknown): string {
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return message
    .replace(/^Failed to execute '\w+' on '\w+': /, '')
    .replace(/\s*\n\s*-?\s*/g, ', ')
    .replace(/[\s,.]+$/, '');
}

/**
 * Reports what happens to a device between our calls, for as long as it is the one in use.
 * @param onLost told when the device is gone
 */
export function watchDevice(
  device: GPUDevice,
  inUse: () => boolean,
  onLost: (error: PlaygroundError) => void,
): void {
  void device.lost.then((info) => {
    if (!inUse()) return;
    const error = new PlaygroundError({
      code: 'device-lost',
      message: `The GPU was lost (${info.reason}): ${info.message || 'the browser gave no reason'}.`,
      remedy: 'Training resumes from its last checkpoint once the engine is opened again.',
    });
    reportFailure(error);
    onLost(error);
  });
  device.addEventListener('uncapturederror', ({ error }) => {
    if (inUse()) reportFailure(refusedCommand(error, gpuBytes()));
  });
  const create = device.createBuffer.bind(device);
  device.createBuffer = (descriptor) => {
    if (descriptor.size < WATCHED_BYTES) return create(descriptor);
    const what = allocationInHand();
    device.pushErrorScope('out-of-memory');
    const buffer = create(descriptor);
    void device.popErrorScope().then(
      (error) => {
        if (error === null || !inUse()) return;
        reportFailure(outOfMemory(what, descriptor.size, gpuBytes() - descriptor.size));
        trimPool(); // room for whatever is tried next
      },
      () => undefined, // the device is lost, which is told above
    );
    return buffer;
  };
}
