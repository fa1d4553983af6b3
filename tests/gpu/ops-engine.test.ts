import * as tf from '@tensorflow/tfjs-core';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { afterEach, expect, test } from 'vitest';
import type { PlaygroundError } from '../../src/core/errors';
import { closeEngine, onDeviceLost, openEngine } from '../../src/engine/backend';
import {
  dispatch,
  elementGroups,
  emptyTensor,
  f32Bits,
  markWritten,
  useKernels,
  warmUp,
} from '../../src/engine/dispatch';
import { gpuBytes } from '../../src/engine/memory';

const SCALE = `
  override ADD: f32;
  struct Size { count: u32, factor: f32 }
  @group(0) @binding(0) var<storage, read_write> y: array<f32>;
  @group(0) @binding(1) var<storage, read> x: array<f32>;
  @group(0) @binding(2) var<uniform> size: Size;
  @compute @workgroup_size(WIDTH)
  fn main(@builtin(global_invocation_id) id: vec3u) {
    if (id.x < size.count) { y[id.x] = x[id.x] * size.factor + ADD; }
  }`;

function scale(y: tf.Tensor, x: tf.Tensor, factor: number, code = SCALE): void {
  dispatch({
    label: 'scale',
    code,
    constants: { ADD: 0.5 },
    defines: { WIDTH: 4 },
    buffers: [y, x],
    uniforms: [x.size, f32Bits(factor)],
    groups: elementGroups(x.size, 4),
  });
}

/** What a call throws, or null. */
function thrownBy(call: () => void): PlaygroundError | null {
  try {
    call();
  } catch (error) {
    return error as PlaygroundError;
  }
  return null;
}

const device = (): GPUDevice => (tf.backend() as WebGPUBackend).device;

/** Lets the GPU finish and the browser deliver what it reported. */
async function settle(): Promise<void> {
  (tf.backend() as WebGPUBackend).ensureCommandEncoderReady();
  (tf.backend() as WebGPUBackend).endComputePassEncoder();
  (tf.backend() as WebGPUBackend).submitQueue();
  await device().queue.onSubmittedWorkDone();
  await new Promise((resolve) => setTimeout(resolve, 50));
}

afterEach(() => closeEngine());

test('WebGPU opens with its adapter, limits and no fallback reason', async () => {
  const opened = await openEngine();
  expect(opened.backend).toBe('webgpu');
  expect(opened.adapter).not.toBe('');
  expect(opened.fallbackReason).toBeNull();
  expect(opened.limits.maxBufferSize).toBeGreaterThanOrEqual(256 * 2 ** 20);
  expect(useKernels()).toBe(true);
});

test('without an adapter WebGL or WebAssembly is used, and the reason is told', async () => {
  const requestAdapter = navigator.gpu.requestAdapter.bind(navigator.gpu);
  navigator.gpu.requestAdapter = async () => null;
  try {
    const opened = await openEngine();
    expect(['webgl', 'wasm']).toContain(opened.backend);
    expect(opened.fallbackReason).toContain('no usable graphics adapter');
    expect(useKernels()).toBe(false);
    await expect(openEngine({ force: 'webgpu' })).rejects.toMatchObject({ code: 'engine' });
  } finally {
    navigator.gpu.requestAdapter = requestAdapter;
  }
});

test('the cpu backend can be forced; kernels are refused there by name', async () => {
  const opened = await openEngine({ force: 'cpu' });
  expect(opened.backend).toBe('cpu');
  expect(gpuBytes()).toBe(0);
  const x = tf.tensor1d([1]);
  expect(thrownBy(() => scale(x, x, 2))).toMatchObject({ code: 'engine', field: 'scale' });
});

test('a kernel runs in order with stock ops; uniforms and constants arrive', async () => {
  await openEngine({ force: 'webgpu' });
  const x = tf.add(tf.tensor1d([1, 2, 3, 4, 5]), tf.ones([5]));
  const y = emptyTensor<tf.Rank.R1>([5]);
  for (const factor of [2, 3]) {
    scale(y, x, factor);
    const doubled = tf.mul(y, 2);
    expect([...(await doubled.data())]).toEqual([2, 3, 4, 5, 6].map((v) => 2 * (v * factor + 0.5)));
  }
});

test('more uniforms than the cache holds stay correct within one submission', async () => {
  await openEngine({ force: 'webgpu' });
  const x = tf.ones([1]);
  const results = Array.from({ length: 700 }, (_, i) => {
    const y = emptyTensor<tf.Rank.R1>([1]);
    scale(y, x, i);
    return y;
  });
  const all = await tf.concat(results).data();
  expect([...all]).toEqual(results.map((_, i) => i + 0.5));
});

test('markWritten forgets the copy that a readback left on the CPU', async () => {
  await openEngine({ force: 'webgpu' });
  const y = emptyTensor<tf.Rank.R1>([2]);
  scale(y, tf.tensor1d([1, 2]), 1);
  expect([...(await y.data())]).toEqual([1.5, 2.5]);
  scale(y, tf.tensor1d([1, 2]), 10);
  markWritten(y);
  expect([...(await y.data())]).toEqual([10.5, 20.5]);
});

test('element groups fold into two dimensions over the limit of one', () => {
  expect(elementGroups(1, 64)).toEqual([1, 1]);
  expect(elementGroups(65535 * 64, 64)).toEqual([65535, 1]);
  const [x, y] = elementGroups(65535 * 64 + 1, 64);
  expect(x).toBeLessThanOrEqual(65535);
  expect(x * y * 64).toBeGreaterThan(65535 * 64);
});

test('a kernel that does not compile is named, ahead of use and after it', async () => {
  await openEngine({ force: 'webgpu' });
  const broken = SCALE.replace('x[id.x]', 'nowhere[id.x]');
  const kernel = { label: 'broken', code: broken, constants: { ADD: 1 }, defines: { WIDTH: 4 } };
  await expect(warmUp([kernel])).rejects.toMatchObject({ code: 'engine', field: 'broken' });
  // warmUp's shader module reported an error of its own as well.
  await settle();
  thrownBy(() => scale(emptyTensor([1]), tf.ones([1]), 1));
  await warmUp([{ label: 'scale', code: SCALE, constants: { ADD: 1 }, defines: { WIDTH: 4 } }]);

  scale(emptyTensor([1]), tf.ones([1]), 1, broken);
  await settle();
  const error = thrownBy(() => scale(emptyTensor([1]), tf.ones([1]), 1));
  expect(error).toMatchObject({ code: 'engine' });
  expect(error?.message).toContain('nowhere');
});

test('a lost device calls back once, fails every later kernel, and can be replaced', async () => {
  await openEngine({ force: 'webgpu' });
  const heard: PlaygroundError[] = [];
  const forget = onDeviceLost((error) => heard.push(error));
  device().destroy();
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(heard.map(({ code }) => code)).toEqual(['device-lost']);
  for (let i = 0; i < 2; i++) {
    const error = thrownBy(() => scale(emptyTensor([1]), emptyTensor([1]), 1));
    expect(error).toMatchObject({ code: 'device-lost' });
  }

  await openEngine({ force: 'webgpu' });
  const y = emptyTensor<tf.Rank.R1>([1]);
  scale(y, tf.ones([1]), 4);
  expect([...(await y.data())]).toEqual([4.5]);
  // Closing is no loss.
  closeEngine();
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(heard).toHaveLength(1);
  forget();
});
