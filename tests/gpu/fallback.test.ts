/** Without WebGPU: WebGL or WebAssembly, whichever is faster, with the same numbers. */
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { PlaygroundError } from '../../src/core/errors';
import { closeEngine, onDeviceLost, openEngine } from '../../src/engine/backend';
import { measureDevice } from '../../src/engine/device-measure';
import { throwFailure } from '../../src/engine/failure';
import { compareFallbacks } from '../../src/engine/fallback';
import { generate } from '../../src/engine/generate';
import { tokenLogprobs } from '../../src/engine/inference';
import { completionLoss } from '../../src/engine/losses';
import { Llama } from '../../src/engine/model';
import { ProbeTraining } from '../../src/engine/probe-training';
import { golden, goldenBatch, largestDifference, MINIATURE, toWeights } from './model-fixture';

const TOLERANCE = 1e-4;
const TRAINING = { wasm: { ms: 5, reason: null }, webgl: { ms: 3, reason: null } };
const compared = (chosen: 'wasm' | 'webgl') =>
  (['wasm', 'webgl'] as const).map((backend) => ({
    backend,
    ...TRAINING[backend],
    reason: backend === chosen ? null : 'slower',
  }));

afterEach(() => closeEngine());

describe('on webgl', () => {
  beforeEach(async () => {
    const { backend, adapter } = await openEngine({ force: 'webgl' });
    expect(backend).toBe('webgl');
    expect(adapter).toMatch(/^WebGL on ./);
  });

  test('loss and every gradient equal LlamaForCausalLM', async () => {
    const model = Llama.load(golden.config, toWeights(golden.weights));
    const { value, grads } = tf.variableGrads(
      () => completionLoss(model, goldenBatch()).loss,
      [...model.parameters.values()],
    );
    expect((await value.data())[0]).toBeCloseTo(golden.loss, 4);
    for (const [name, parameter] of model.parameters) {
      const actual = await grads[parameter.name]!.data();
      const difference = largestDifference(actual, golden.gradients[name]!.data);
      expect(difference, name).toBeLessThan(TOLERANCE);
    }
    tf.dispose([value, grads]);
    model.dispose();
  });

  test('token log-probabilities equal PyTorch', async () => {
    const model = Llama.load(golden.config, toWeights(golden.weights));
    const batch = goldenBatch();
    const { logprobs } = await tokenLogprobs(model, batch, golden.temperature);
    golden.rows.forEach((row, b) => {
      const [first, end] = [row.promptLength - 1, row.input_ids.length - 1];
      const actual = logprobs.subarray(b * batch.T + first, b * batch.T + end);
      expect(largestDifference(actual, row.logprobs.slice(first))).toBeLessThan(TOLERANCE);
    });
    model.dispose();
  });

  test('training steps and written text are those of WebAssembly', async () => {
    const outcome = async () => {
      const probe = new ProbeTraining(MINIATURE, 3, 8);
      const steps = [await probe.step(), await probe.step(), await probe.step()];
      probe.dispose();
      const model = Llama.load(golden.config, toWeights(golden.weights));
      const written = await generate(model, [[1, 2, 3], [4]], {
        max_new_tokens: 6,
        temperature: 1,
        seed: 3,
        streams: [0, 1],
        eos_token_id: 0,
      });
      model.dispose();
      return { steps, written };
    };
    const webgl = await outcome();
    await openEngine({ force: 'wasm' });
    const wasm = await outcome();
    webgl.steps.forEach(({ loss, grad_norm }, i) => {
      expect(loss).toBeCloseTo(wasm.steps[i]!.loss, 4);
      expect(grad_norm).toBeCloseTo(wasm.steps[i]!.grad_norm, 3);
    });
    expect(webgl.steps[2]!.loss).toBeLessThan(webgl.steps[0]!.loss);
    expect(webgl.written.map(({ tokens }) => tokens)).toEqual(
      wasm.written.map(({ tokens }) => tokens),
    );
  });
});

describe('without a WebGPU adapter', () => {
  const requestAdapter = navigator.gpu.requestAdapter.bind(navigator.gpu);
  beforeEach(() => {
    navigator.gpu.requestAdapter = async () => null;
  });
  afterEach(() => {
    navigator.gpu.requestAdapter = requestAdapter;
  });

  test('both are timed, the faster one is used, and both times are told', async () => {
    const { backend, fallback, fallbackReason } = await openEngine();
    expect(fallbackReason).toContain('no usable graphics adapter');
    expect(fallback.map((one) => one.backend)).toEqual(['wasm', 'webgl']);
    const [wasm, webgl] = fallback.map(({ ms }) => ms!);
    expect(wasm).toBeGreaterThan(0);
    expect(webgl).toBeGreaterThan(0);
    expect(backend).toBe(webgl! < wasm! * 0.9 ? 'webgl' : 'wasm');
    expect(fallback.find((one) => one.backend === backend)!.reason).toBeNull();
    expect(fallback.find((one) => one.backend !== backend)!.reason).toBe('slower');
  });

  test('an earlier comparison is kept, unless what it chose is not to be had', async () => {
    for (const chosen of ['webgl', 'wasm'] as const) {
      const opened = await openEngine({ fallback: compared(chosen) });
      expect(opened).toMatchObject({ backend: chosen, fallback: compared(chosen) });
      expect(tf.getBackend()).toBe(chosen);
    }
    tf.env().set('WEBGL_RENDER_FLOAT32_ENABLED', false); // as on many phones
    try {
      const opened = await openEngine({ fallback: compared('webgl') });
      expect(opened.backend).toBe('wasm');
      expect(opened.fallback[1]).toMatchObject({ backend: 'webgl', ms: null });
    } finally {
      tf.env().set('WEBGL_RENDER_FLOAT32_ENABLED', true);
    }
  });
});

test('a lost WebGL context is told once, and can be replaced', async () => {
  const heard: PlaygroundError[] = [];
  const forget = onDeviceLost((error) => heard.push(error));
  await openEngine({ force: 'webgl' });
  await openEngine({ force: 'webgl' });
  const { gl } = (tf.backend() as unknown as { gpgpu: { gl: WebGL2RenderingContext } }).gpgpu;
  gl.getExtension('WEBGL_lose_context')!.loseContext();
  await expect.poll(() => heard.map(({ code }) => code)).toEqual(['device-lost']);
  expect(throwFailure).toThrow(/WebGL context/);
  await openEngine({ force: 'webgl' });
  expect([...(await tf.add(tf.ones([2]), tf.ones([2])).data())]).toEqual([2, 2]);
  expect(throwFailure).not.toThrow();
  forget();
});

test('WebGL with other numbers than WebAssembly is not used, however fast', async () => {
  const exp = tf.getKernel('Exp', 'cpu');
  const results = await compareFallbacks({
    wasm: () => openEngine({ force: 'wasm' }),
    // Not WebGL at all, and its exp is wrong.
    webgl: async () => {
      await openEngine({ force: 'cpu' });
      tf.unregisterKernel('Exp', 'cpu');
      tf.registerKernel({
        ...exp,
        kernelFunc: (params) => exp.kernelFunc({ ...params, inputs: { x: tf.zeros([1]) } }),
      });
    },
  });
  tf.unregisterKernel('Exp', 'cpu');
  tf.registerKernel(exp);
  expect(results[0]).toMatchObject({ backend: 'wasm', reason: null });
  expect(results[1]).toMatchObject({ backend: 'webgl', ms: null });
});

test('a device can be measured without WebGPU too', async () => {
  await openEngine({ force: 'wasm' });
  const before = tf.memory().numTensors;
  const speed = await measureDevice();
  expect(speed.matmulGflops).toBeGreaterThan(0);
  expect(speed.tokensPerSecond).toBeGreaterThan(0);
  expect(speed.submission).toBeNull();
  expect(speed.numerics).toMatchObject({ repeatable: true, keepsNaN: true });
  expect(speed.numerics.expError).toBeLessThan(1e-5);
  expect(tf.memory().numTensors).toBe(before);
});
