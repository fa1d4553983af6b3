/** The device is ours: what it refuses is told by name, and something slower is done instead. */
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, expect, test } from 'vitest';
import type { PlaygroundError } from '../../src/core/errors';
import { closeEngine, openEngine } from '../../src/engine/backend';
import {
  compileAhead,
  dispatch,
  emptyTensor,
  finishRecorded,
  submissionPacer,
} from '../../src/engine/dispatch';
import { throwFailure } from '../../src/engine/failure';
import { gpuBytes, trimPool } from '../../src/engine/memory';
import type { PacedBackend } from '../../src/engine/webgpu-device';

const ADD_ONE = `
  @group(0) @binding(0) var<storage, read_write> y: array<f32>;
  @compute @workgroup_size(1) fn main() { y[0] += 1.0; }`;
const LARGEST = 2 ** 28; // numbers: 1 GiB, the limit of the software adapter

const addOne = (y: tf.Tensor, code = ADD_ONE, label = 'add-one'): void =>
  dispatch({ label, code, buffers: [y], groups: [1] });
const backend = (): PacedBackend => tf.backend() as PacedBackend;

/** Lets the GPU finish and the browser deliver what it reported. */
async function settle(): Promise<void> {
  await finishRecorded();
  await new Promise((resolve) => setTimeout(resolve, 50));
}

function thrownBy(call: () => unknown): PlaygroundError | null {
  try {
    call();
  } catch (thrown) {
    return thrown as PlaygroundError;
  }
  return null;
}

/** Runs `body` with a property of the adapters of this browser replaced. */
async function withAdapter(
  property: 'limits' | 'requestDevice',
  descriptor: PropertyDescriptor,
  body: () => Promise<void>,
): Promise<void> {
  const original = Object.getOwnPropertyDescriptor(GPUAdapter.prototype, property)!;
  Object.defineProperty(GPUAdapter.prototype, property, { ...original, ...descriptor });
  try {
    await body();
  } finally {
    Object.defineProperty(GPUAdapter.prototype, property, original);
  }
}

afterEach(() => closeEngine());

test('it has the features and limits of its adapter', async () => {
  const opened = await openEngine({ force: 'webgpu' });
  const adapter = (await navigator.gpu.requestAdapter())!;
  expect(opened.limits.maxBufferSize).toBe(adapter.limits.maxBufferSize);
  expect(opened.limits.maxComputeWorkgroupStorageSize).toBe(
    adapter.limits.maxComputeWorkgroupStorageSize,
  );
  expect(opened.refused).toBeNull();
  const names = ['shader-f16', 'subgroups', 'timestamp-query'] as const;
  expect(opened.features).toEqual(
    names.map((name) => {
      const offered = adapter.features.has(name);
      return { name, offered, enabled: offered };
    }),
  );
  expect(opened.features.find(({ name }) => name === 'subgroups')!.enabled).toBe(true);
});

test('refused limits: the smallest ones will do, and the refused one is named', async () => {
  const original = Object.getOwnPropertyDescriptor(GPUAdapter.prototype, 'limits')!;
  const boastful = function (this: GPUAdapter): GPUSupportedLimits {
    const limits = original.get!.call(this) as GPUSupportedLimits;
    return new Proxy(limits, {
      get: (target, name) =>
        Number(Reflect.get(target, name, target)) * (name === 'maxBufferSize' ? 2 : 1),
    });
  };
  await withAdapter('limits', { get: boastful }, async () => {
    const opened = await openEngine();
    expect(opened.backend).toBe('webgpu');
    expect(opened.fallbackReason).toBeNull();
    expect(opened.refused).toMatch(/maxBufferSize/);
    expect(opened.limits.maxBufferSize).toBe(256 * 2 ** 20);
    const y = tf.zeros([1]);
    addOne(y);
    expect([...(await y.data())]).toEqual([1]);
  });
});

test('an adapter that gives no device at all: the stand-in, and the reason is told', async () => {
  const value = () => Promise.reject(new DOMException('no memory for a queue', 'OperationError'));
  await withAdapter('requestDevice', { value }, async () => {
    const opened = await openEngine();
    expect(['wasm', 'webgl']).toContain(opened.backend);
    expect(opened.fallbackReason).toMatch(/gave no device.*no memory for a queue/);
    await expect(openEngine({ force: 'webgpu' })).rejects.toMatchObject({ code: 'engine' });
  });
});

test('a tensor over the limit is refused before anything is allocated, with limit and size', async () => {
  const { limits } = await openEngine({ force: 'webgpu' });
  const before = gpuBytes();
  const error = thrownBy(() => emptyTensor([2, LARGEST]));
  expect(error).toMatchObject({ code: 'engine', field: 'maxBufferSize' });
  expect(error!.message).toMatch(/\[2, 268435456\].*2048 MiB.*1024 MiB/);
  expect(limits.maxBufferSize).toBe(2 ** 30);
  expect(gpuBytes()).toBe(before);
  await settle();
  expect(thrownBy(throwFailure)).toBeNull();
});

test('no memory left: the tensor is named, unused buffers are given back, and work goes on', async () => {
  await openEngine({ force: 'webgpu' });
  tf.zeros([2 ** 18]).dispose();
  emptyTensor([2 ** 18]).dispose();
  const pooled = gpuBytes();
  expect(pooled).toBeGreaterThanOrEqual(2 ** 20);
  const destroyed: number[] = [];
  const destroy = Reflect.get(GPUBuffer.prototype, 'destroy');
  GPUBuffer.prototype.destroy = function () {
    destroyed.push(this.size);
    return destroy.call(this);
  };
  // SwiftShader allows a buffer of 1 GiB by its limits, and cannot allocate it.
  const huge = emptyTensor([4, LARGEST / 4]);
  await settle();
  const error = thrownBy(throwFailure);
  expect(error).toMatchObject({ code: 'engine', field: 'a tensor of shape [4, 67108864]' });
  expect(error!.message).toMatch(/no memory left.*1024 MiB were wanted/);
  expect(error!.remedy).toMatch(/smaller batch/);
  // The unused buffer of 1 MiB was given back at once.
  expect(destroyed).toContain(2 ** 20);
  expect(destroyed).not.toContain(2 ** 30);
  huge.dispose();
  await settle();
  trimPool();
  GPUBuffer.prototype.destroy = destroy;
  expect(destroyed).toContain(2 ** 30);
  expect(gpuBytes()).toBeLessThan(pooled);
  const y = tf.zeros([1]);
  addOne(y);
  expect([...(await y.data())]).toEqual([1]);
});

test('a device that is lost under a readback is told as that', async () => {
  await openEngine({ force: 'webgpu' });
  const y = tf.zeros([1]);
  addOne(y);
  const reading = y.data();
  backend().device.destroy();
  await expect(reading).rejects.toMatchObject({ code: 'device-lost' });
});

test('a kernel that does not compile is named, where it is used and ahead of that', async () => {
  await openEngine({ force: 'webgpu' });
  const broken = ADD_ONE.replace('1.0', 'nothing');
  addOne(tf.zeros([1]), broken, 'broken-kernel');
  await settle();
  const error = thrownBy(throwFailure);
  expect(error).toMatchObject({ code: 'engine', field: 'broken-kernel' });
  expect(error!.message).toMatch(/broken-kernel.*nothing/s);

  const ahead = compileAhead(() => addOne(tf.zeros([1]), broken, 'broken-ahead'));
  await expect(ahead).rejects.toMatchObject({ code: 'engine', field: 'broken-ahead' });
  await expect(ahead).rejects.toThrow(/nothing/);
});

test('compiling ahead computes nothing, and leaves nothing to compile', async () => {
  await openEngine({ force: 'webgpu' });
  const x = tf.zeros([2000]);
  await x.data(); // on the GPU from now on: small or fresh tensors are computed by the processor
  const y = tf.tidy(() => tf.add(x, 1));
  const record = (): void => {
    addOne(y);
    tf.softplus(y); // a kernel of TensorFlow.js
  };
  const { device } = backend();
  const compiled: string[] = [];
  const create = device.createComputePipeline.bind(device);
  device.createComputePipeline = (descriptor) => {
    compiled.push(descriptor.label ?? '');
    return create(descriptor);
  };
  const before = tf.memory().numTensors;
  await compileAhead(record);
  expect(tf.memory().numTensors).toBe(before);
  expect((await y.data())[0]).toBe(1);
  expect(compiled).toEqual([]);

  tf.tidy(record);
  addOne(y, `${ADD_ONE} `, 'not-compiled-ahead');
  expect(compiled).toEqual(['not-compiled-ahead']);
});

test('submissions that take too long become smaller, ours and those of TensorFlow.js', async () => {
  await openEngine({ force: 'webgpu' });
  const pacer = submissionPacer()!;
  expect([pacer.kernels, tf.env().getNumber('WEBGPU_DEFERRED_SUBMIT_BATCH_SIZE')]).toEqual([
    64, 64,
  ]);
  const slow = `
    @group(0) @binding(0) var<storage, read_write> y: array<f32>;
    @compute @workgroup_size(64) fn main(@builtin(local_invocation_id) id: vec3u) {
      for (var k = 0u; k < 20000u; k++) { y[id.x] += 1.0 / (y[id.x] + 1.0); }
    }`;
  const submitted: number[] = [];
  const { queue } = backend().device;
  const submit = queue.submit.bind(queue);
  queue.submit = (commands) => {
    submitted.push((backend() as unknown as { dispatchCountInPass: number }).dispatchCountInPass);
    return submit(commands);
  };
  const y = tf.zeros([64]);
  addOne(y); // compiled and uploaded
  await settle();
  for (let round = 0; round < 8; round++) {
    for (let i = 0; i < 64; i++) addOne(y, slow, 'slow');
    await settle();
    if (pacer.kernels < 64) break;
  }
  expect(pacer.longestMs).toBeGreaterThan(250);
  expect(pacer.kernels).toBeLessThan(64);
  expect(tf.env().getNumber('WEBGPU_DEFERRED_SUBMIT_BATCH_SIZE')).toBe(pacer.kernels);
  const { kernels } = pacer;
  submitted.length = 0;
  for (let i = 0; i < 64; i++) addOne(y);
  await settle();
  expect(Math.max(...submitted)).toBeLessThanOrEqual(kernels);
});
