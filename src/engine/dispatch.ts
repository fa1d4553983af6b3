/**
 * Records our own WGSL kernels on the command encoder of TensorFlow.js's WebGPU backend, in order
 * with its own kernels. `runWebGPUProgram` of tfjs gives one output only; attention, the norms and
 * the optimizer need several, and in-place writes.
 */
import * as tf from '@tensorflow/tfjs-core';
import type { KernelFamily } from '../core/device-report';
import { PlaygroundError } from '../core/errors';
import { reportFailure, throwFailure } from './failure';
import { allocatingFor, brokenKernel, overLimit } from './gpu-errors';
import type { SubmissionPacer } from './submission';
import { variantOf } from './variants';

/** What we use of tfjs 4.22's WebGPUBackend; most of it is private there, hence this interface. */
interface RecordingBackend {
  device: GPUDevice;
  tensorMap: { get(dataId: object): { resource?: GPUBuffer; values: unknown } };
  commandEncoder: GPUCommandEncoder | null;
  computePassEncoder: GPUComputePassEncoder | null;
  commandQueueOwnedIds: WeakSet<object>;
  dispatchCountInPass: number;
  makeTensorInfo(shape: number[], dtype: tf.DataType): tf.TensorInfo;
  uploadToGPU(dataId: object): void;
  ensureCommandEncoderReady(): void;
  endComputePassEncoder(): void;
  submitQueue(): void;
  checkCompileCompletionAsync(): Promise<void>;
  /** Ours: see webgpu-device.ts. */
  pacer: SubmissionPacer;
}

/** Which program a kernel is: its text and the numbers compiled into it. */
export interface KernelSource {
  /** Names the kernel in errors and GPU captures, e.g. `attention-forward`. */
  label: string;
  /** WGSL with `@compute fn main`; buffers at @group(0) @binding(0…). Every binding must be used. */
  code: string;
  /** Pipeline-overridable constants (`override NAME: u32;`). */
  constants?: Record<string, number>;
  /** Put after the code as `const NAME: u32 = n;`: for array sizes, which overrides cannot be. */
  defines?: Record<string, number>;
}

export interface Dispatch extends KernelSource {
  /** Bindings 0…: outputs and inputs in the order of the WGSL. All must be different tensors. */
  buffers: tf.Tensor[];
  /**
   * u32 words of one `var<uniform>` bound after the buffers; use `f32Bits` for floats. No vectors
   * or arrays in the struct: words are packed without padding.
   */
  uniforms?: number[];
  /** Workgroups along x, y, z; nothing is recorded when one is 0. */
  groups: [number, number?, number?];
}

/** The largest number of workgroups that every WebGPU device takes in one dimension. */
const MAX_GROUPS = 65535;
const UNIFORM_CACHE_SIZE = 512;

interface Compiled {
  pipeline: GPUComputePipeline;
  /** Asked for once: every call makes a new object. */
  layout: GPUBindGroupLayout;
}

interface DeviceCache {
  pipelines: Map<string, Compiled>;
  uniforms: Map<string, GPUBuffer>;
}
/** Set while kernels are only collected, to be compiled ahead of their first use. */
let collected: Map<string, KernelSource> | null = null;
// By device, so that a rebuilt engine never sees objects of a lost one.
const caches = new WeakMap<GPUDevice, DeviceCache>();

/**
 * True on the webgpu backend: our kernels run; elsewhere the reference compositions do.
 * @param family false also where the start-up check found no correct variant of it
 */
export function useKernels(family?: KernelFamily): boolean {
  if (tf.getBackend() !== 'webgpu') return false;
  return family === undefined || variantOf(family) !== 'reference';
}

function recordingBackend(label: string): RecordingBackend {
  if (!useKernels()) {
    throw new PlaygroundError({
      code: 'engine',
      message: `Kernel ${label} needs the webgpu backend; the backend is ${tf.getBackend()}.`,
      field: label,
    });
  }
  return tf.backend() as unknown as RecordingBackend;
}

function cacheOf(device: GPUDevice): DeviceCache {
  let cache = caches.get(device);
  if (cache === undefined) {
    cache = { pipelines: new Map(), uniforms: new Map() };
    caches.set(device, cache);
  }
  return cache;
}

/** The 32 bits of an f32 as a u32 word, for `uniforms`. */
export function f32Bits(value: number): number {
  return new Uint32Array(new Float32Array([value]).buffer)[0]!;
}

/** The next multiple of 4: kernels read and write `vec4f`. */
export const up4 = (count: number): number => Math.ceil(count / 4) * 4;

/**
 * Workgroups for `count` invocations of an element-wise kernel, folded into two dimensions where
 * one would be over the limit. The kernel's index is `id.y * (groups.x * workgroup_size) + id.x`
 * (with `@builtin(num_workgroups) groups`) and needs a bounds check.
 */
export function elementGroups(count: number, workgroupSize: number): [number, number] {
  const groups = Math.ceil(count / workgroupSize);
  if (groups <= MAX_GROUPS) return [groups, 1];
  const y = Math.ceil(groups / MAX_GROUPS);
  return [Math.ceil(groups / y), y];
}

/** @throws PlaygroundError 'engine' naming the limit, for a buffer that the device cannot bind */
function requireBindable(device: GPUDevice, what: () => string, bytes: number): void {
  for (const limit of ['maxBufferSize', 'maxStorageBufferBindingSize'] as const) {
    const allowed = device.limits[limit];
    if (bytes > allowed) throw overLimit(what(), bytes, limit, allowed);
  }
}

/**
 * A tensor allocated on the GPU with undefined contents: the output of a kernel.
 * @throws PlaygroundError 'engine' naming the limit when no buffer of the device is that large
 */
export function emptyTensor<R extends tf.Rank = tf.Rank>(
  shape: tf.ShapeMap[R],
  dtype: 'float32' | 'int32' = 'float32',
): tf.Tensor<R> {
  const backend = recordingBackend('emptyTensor');
  const what = () => `a tensor of shape [${(shape as number[]).join(', ')}]`;
  requireBindable(backend.device, what, tf.util.sizeFromShape(shape) * 4);
  const info = backend.makeTensorInfo(shape, dtype);
  allocatingFor(what, () => backend.uploadToGPU(info.dataId));
  return tf.engine().makeTensorFromTensorInfo(info) as tf.Tensor<R>;
}

/**
 * To be called after a kernel wrote into an existing tensor: forgets the copy that `data()` left on
 * the CPU, which tfjs would otherwise go on returning.
 */
export function markWritten(tensor: tf.Tensor): void {
  const backend = recordingBackend('markWritten');
  const data = backend.tensorMap.get(tensor.dataId);
  if (data.resource !== undefined && data.resource !== null) data.values = null;
}

/** A number for each text: a key that held the text would be put together for every dispatch. */
const texts = new Map<string, number>();

function pipelineKey({ code, constants, defines }: KernelSource): string {
  let text = texts.get(code);
  if (text === undefined) {
    text = texts.size;
    texts.set(code, text);
  }
  return `${text} ${JSON.stringify(constants ?? {})} ${JSON.stringify(defines ?? {})}`;
}

function pipelineDescriptor(
  device: GPUDevice,
  { label, code, constants, defines }: KernelSource,
): GPUComputePipelineDescriptor {
  const consts = Object.entries(defines ?? {}).map(([name, n]) => `const ${name}: u32 = ${n}u;\n`);
  // At the end: `enable` has to come first, and line numbers in errors are those of the file.
  const module = device.createShaderModule({ label, code: code + consts.join('') });
  return {
    label,
    layout: 'auto',
    compute: { module, entryPoint: 'main', ...(constants !== undefined && { constants }) },
  };
}

/**
 * Compiles kernels ahead of use, off the main path; the first dispatch of each is then immediate.
 * @throws PlaygroundError 'engine' naming the kernel that does not compile
 */
export async function warmUp(kernels: KernelSource[]): Promise<void> {
  if (!useKernels()) return;
  const { device } = recordingBackend('warmUp');
  const { pipelines } = cacheOf(device);
  await Promise.all(
    kernels.map(async (kernel) => {
      const key = pipelineKey(kernel);
      if (pipelines.has(key)) return;
      // What is wrong with the text is told by its module; the pipeline only says that it is.
      device.pushErrorScope('validation');
      const descriptor = pipelineDescriptor(device, kernel);
      const inText = device.popErrorScope().catch(() => null);
      try {
        const pipeline = await device.createComputePipelineAsync(descriptor);
        pipelines.set(key, { pipeline, layout: pipeline.getBindGroupLayout(0) });
      } catch (thrown) {
        throw brokenKernel(kernel.label, (await inText)?.message ?? String(thrown));
      }
    }),
  );
}

/**
 * Compiles a kernel where it is needed. The device tells of a failure later and in words that name
 * no kernel, except in an error scope.
 */
function compile(device: GPUDevice, key: string, kernel: KernelSource): Compiled {
  const { pipelines } = cacheOf(device);
  const scopes: GPUErrorFilter[] = ['validation', 'internal'];
  for (const scope of scopes) device.pushErrorScope(scope);
  const pipeline = device.createComputePipeline(pipelineDescriptor(device, kernel));
  const compiled = { pipeline, layout: pipeline.getBindGroupLayout(0) };
  scopes.forEach(() => {
    void device.popErrorScope().then(
      (error) => {
        if (error === null) return;
        pipelines.delete(key); // so that its next use is told as well
        reportFailure(brokenKernel(kernel.label, error.message));
      },
      () => undefined, // the device is lost, which is told elsewhere
    );
  });
  pipelines.set(key, compiled);
  return compiled;
}

/**
 * Compiles all kernels that `record` would dispatch, ours and those of TensorFlow.js, at the same
 * time and off the main path. Nothing is computed: what `record` returns or writes means nothing,
 * and it must not read. Nothing else may use the engine until this resolves.
 * @throws PlaygroundError 'engine' naming the kernel that does not compile
 */
export async function compileAhead(record: () => void): Promise<void> {
  if (!useKernels()) return;
  const backend = recordingBackend('compileAhead');
  const kernels = new Map<string, KernelSource>();
  collected = kernels;
  tf.env().set('WEBGPU_ENGINE_COMPILE_ONLY', true);
  try {
    tf.tidy(() => {
      record(); // what it returns is freed as well
    });
  } finally {
    collected = null;
    tf.env().set('WEBGPU_ENGINE_COMPILE_ONLY', false);
  }
  await Promise.all([warmUp([...kernels.values()]), backend.checkCompileCompletionAsync()]);
}

function uniformBuffer(device: GPUDevice, words: number[]): GPUBuffer {
  const { uniforms } = cacheOf(device);
  const key = words.join();
  let buffer = uniforms.get(key);
  if (buffer !== undefined) {
    uniforms.delete(key); // re-inserted below: a Map keeps insertion order, so first is oldest
  } else {
    const size = Math.ceil(words.length / 4) * 16;
    buffer = device.createBuffer({ size, usage: GPUBufferUsage.UNIFORM, mappedAtCreation: true });
    new Uint32Array(buffer.getMappedRange()).set(words);
    buffer.unmap();
    if (uniforms.size >= UNIFORM_CACHE_SIZE) {
      // Dropped, not destroyed: recorded commands may still read it.
      uniforms.delete(uniforms.keys().next().value!);
    }
  }
  uniforms.set(key, buffer);
  return buffer;
}

function bindGroup(
  backend: RecordingBackend,
  layout: GPUBindGroupLayout,
  { label, buffers, uniforms }: Dispatch,
): GPUBindGroup {
  const bound = buffers.map((tensor) => {
    const what = () => `a tensor of shape [${tensor.shape.join(', ')}] of kernel ${label}`;
    requireBindable(backend.device, what, tensor.size * 4);
    const data = backend.tensorMap.get(tensor.dataId);
    if (!data.resource) allocatingFor(what, () => backend.uploadToGPU(tensor.dataId));
    return data.resource!;
  });
  if (uniforms !== undefined) bound.push(uniformBuffer(backend.device, uniforms));
  return backend.device.createBindGroup({
    label,
    layout,
    entries: bound.map((buffer, binding) => ({ binding, resource: { buffer } })),
  });
}

/**
 * Records one kernel. Returns at once; the GPU runs it in order with tfjs's own kernels.
 * After writing into a tensor that existed before, call `markWritten`.
 * @throws PlaygroundError 'engine' when the backend is not webgpu, a size is over the device's
 *   limits, or the GPU refused an earlier command; 'device-lost' when there is no device any more
 */
export function dispatch(kernel: Dispatch): void {
  const backend = recordingBackend(kernel.label);
  throwFailure();
  const [x, y = 1, z = 1] = kernel.groups;
  if (x === 0 || y === 0 || z === 0) return;
  if (Math.max(x, y, z) > MAX_GROUPS) {
    throw new PlaygroundError({
      code: 'engine',
      message: `Kernel ${kernel.label} would need ${x}×${y}×${z} workgroups; the limit is ${MAX_GROUPS} each way.`,
      field: kernel.label,
      remedy: 'Use a smaller batch or a shorter context.',
    });
  }

  const { pipelines } = cacheOf(backend.device);
  const key = pipelineKey(kernel);
  if (collected !== null) {
    collected.set(key, kernel);
    return;
  }
  const { pipeline, layout } = pipelines.get(key) ?? compile(backend.device, key, kernel);
  // Uploads end the compute pass, so the group is made before the pass is taken.
  const group = bindGroup(backend, layout, kernel);

  backend.ensureCommandEncoderReady();
  backend.computePassEncoder ??= backend.commandEncoder!.beginComputePass();
  const pass = backend.computePassEncoder;
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, group);
  pass.dispatchWorkgroups(x, y, z);
  // tfjs then keeps the buffers out of its pool until these commands are submitted.
  for (const tensor of kernel.buffers) backend.commandQueueOwnedIds.add(tensor.dataId);
  backend.dispatchCountInPass++;
  if (backend.dispatchCountInPass >= backend.pacer.kernels) {
    backend.endComputePassEncoder();
    backend.submitQueue();
  }
}

/** Submits what has been recorded and waits until the GPU has done it. Nothing to do elsewhere. */
export async function finishRecorded(): Promise<void> {
  if (!useKernels()) return;
  const backend = recordingBackend('finishRecorded');
  backend.ensureCommandEncoderReady();
  backend.endComputePassEncoder();
  backend.submitQueue();
  await backend.device.queue.onSubmittedWorkDone();
}

/** What the pace of submissions has come to; null without WebGPU. */
export function submissionPacer(): SubmissionPacer | null {
  return useKernels() ? recordingBackend('submissionPacer').pacer : null;
}

/** One tensor's numbers into another's; offsets in elements, 0 when left out. */
export interface Copy {
  from: tf.Tensor;
  fromOffset?: number;
  to: tf.Tensor;
  toOffset?: number;
}

/**
 * Records copies of 4-byte elements, as many as the smaller of both tensors has. Without a kernel
 * they cost next to nothing, however many tensors they touch.
 */
export function copyBetween(copies: Copy[]): void {
  const backend = recordingBackend('copy');
  throwFailure();
  if (collected !== null) return;
  const resource = (tensor: tf.Tensor): GPUBuffer => {
    backend.uploadToGPU(tensor.dataId);
    return backend.tensorMap.get(tensor.dataId).resource!;
  };
  // Uploads end the command encoder's pass, so all buffers come first.
  const ready = copies.map((copy) => ({
    ...copy,
    source: resource(copy.from),
    target: resource(copy.to),
  }));
  backend.endComputePassEncoder();
  backend.ensureCommandEncoderReady();
  for (const { from, fromOffset = 0, to, toOffset = 0, source, target } of ready) {
    const bytes = 4 * Math.min(from.size, to.size);
    backend.commandEncoder!.copyBufferToBuffer(source, 4 * fromOffset, target, 4 * toOffset, bytes);
    backend.commandQueueOwnedIds.add(from.dataId);
    backend.commandQueueOwnedIds.add(to.dataId);
  }
  for (const { to } of copies) markWritten(to);
}
