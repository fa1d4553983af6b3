/** How fast this device is at what the playground does, measured when somebody asks. */
import * as tf from '@tensorflow/tfjs-core';
import type { DeviceNumerics, DeviceSpeed } from '../core/device-report';
import { PRESETS } from '../core/presets';
import { submissionPacer } from './dispatch';
import { linear } from './ops/linear';
import { ProbeTraining } from './probe-training';

const READBACKS = 5;
/** [rows, inner, columns], each for devices that are done with the one before in no time. */
const MATMULS: [number, number, number][] = [
  [256, 256, 256],
  [1024, 512, 512],
  [4096, 1024, 1024],
];
const OVER_AT_ONCE_MS = 10;
const MATMUL_BUDGET_MS = 100;
/** Sequences of the training step, on slow devices and on fast ones. */
const FEW_ROWS = 4;
const MANY_ROWS = 16;
const LENGTH = 64;
const FAST_STEP_MS = 150;
const TRAINING_BUDGET_MS = 1000;
const MOST_STEPS = 20;
/** Above tfjs's threshold: smaller tensors would be computed by the processor. */
const PROBES = 4096;

/**
 * Takes about two seconds, ten on a software adapter. Nothing else may use the engine meanwhile.
 * @throws PlaygroundError 'device-lost', 'engine' as a training step does
 */
export async function measureDevice(): Promise<DeviceSpeed> {
  const readbackMs = await readback();
  const matmul = await measureMatmul(readbackMs);
  const pacer = submissionPacer();
  pacer?.forget();
  const training = await measureTraining();
  const submission = pacer === null ? null : { kernels: pacer.kernels, longestMs: pacer.longestMs };
  return { readbackMs, ...matmul, ...training, submission, numerics: await numerics() };
}

/** Waits for everything before it: reading one number of a result. */
async function readOne(tensor: tf.Tensor): Promise<number> {
  const one = tf.tidy(() => tf.slice(tf.reshape(tensor, [tensor.size]), 0, 1));
  try {
    return (await one.data<'float32'>())[0]!;
  } finally {
    one.dispose();
  }
}

async function readback(): Promise<number> {
  const numbers = tf.ones([PROBES]);
  const times: number[] = [];
  try {
    for (let i = 0; i <= READBACKS; i++) {
      const begun = performance.now();
      await readOne(numbers);
      if (i > 0) times.push(performance.now() - begun);
    }
  } finally {
    numbers.dispose();
  }
  return times.sort((a, b) => a - b)[READBACKS >> 1]!;
}

async function measureMatmul(
  readbackMs: number,
): Promise<Pick<DeviceSpeed, 'matmulGflops' | 'matmulShape'>> {
  let shape = MATMULS[0]!;
  let ms = Infinity;
  for (const candidate of MATMULS) {
    shape = candidate;
    ms = await timeMatmul(candidate, readbackMs);
    if (ms >= OVER_AT_ONCE_MS) break;
  }
  const [N, K, M] = shape;
  return { matmulGflops: (2 * N * K * M) / ms / 1e6, matmulShape: shape };
}

/** ms of x [N, K] · wᵀ, the best of as many as fit. */
async function timeMatmul([N, K, M]: [number, number, number], waitMs: number): Promise<number> {
  const x = tf.ones<tf.Rank.R2>([N, K]);
  const w = tf.ones<tf.Rank.R2>([M, K]);
  const time = async (times: number): Promise<number> => {
    const begun = performance.now();
    for (let i = 1; i < times; i++) tf.tidy(() => void linear(x, w));
    const last = linear(x, w);
    await readOne(last);
    last.dispose();
    return Math.max(1e-3, performance.now() - begun - waitMs) / times;
  };
  try {
    await time(1); // compiles
    let best = await time(1);
    // Many at a time, so that the wait for the device does not count.
    const times = Math.max(1, Math.min(64, Math.floor(MATMUL_BUDGET_MS / best)));
    for (let round = 0; round < 2; round++) best = Math.min(best, await time(times));
    return best;
  } finally {
    tf.dispose([x, w]);
  }
}

async function measureTraining(): Promise<
  Pick<DeviceSpeed, 'tokensPerSecond' | 'trainingShape' | 'stepMs'>
> {
  const few = await timeTraining(FEW_ROWS);
  const { ms, shape } = few.ms < FAST_STEP_MS ? await timeTraining(MANY_ROWS) : few;
  return { tokensPerSecond: (shape[0] * shape[1] * 1000) / ms, trainingShape: shape, stepMs: ms };
}

/** ms of a step at the size `tiny`: the median after the first, which compiles. */
async function timeTraining(rows: number): Promise<{ ms: number; shape: [number, number] }> {
  const probe = new ProbeTraining(PRESETS.tiny, rows, LENGTH);
  try {
    await probe.step();
    const times: number[] = [];
    const begun = performance.now();
    while (times.length < MOST_STEPS && performance.now() - begun < TRAINING_BUDGET_MS) {
      const started = performance.now();
      await probe.step();
      times.push(performance.now() - started);
    }
    times.sort((a, b) => a - b);
    return { ms: times[times.length >> 1]!, shape: probe.shape };
  } finally {
    probe.dispose();
  }
}

async function numerics(): Promise<DeviceNumerics> {
  const spread = (from: number, to: number): Float32Array =>
    Float32Array.from({ length: PROBES }, (_, i) => from + ((to - from) * i) / (PROBES - 1));
  const exponents = spread(-20, 20);
  const squares = spread(-20, 20).map((power) => 2 ** power);
  const subnormal = new Float32Array(PROBES).fill(1e-40);
  const notANumber = new Float32Array(PROBES).fill(Number.NaN);
  const zeros = new Float32Array(PROBES);
  return {
    expError: await worst(exponents, (x) => tf.exp(x), Math.exp),
    inverseSqrtError: await worst(
      squares,
      (x) => tf.rsqrt(x),
      (x) => 1 / Math.sqrt(x),
    ),
    keepsSubnormals: (await added(subnormal, zeros)) > 0,
    keepsNaN: Number.isNaN(await added(notANumber, zeros)),
    repeatable: (await twoSteps()) === (await twoSteps()),
  };
}

/** Largest relative error of an elementwise op; the expected value is that of the f32 input. */
async function worst(
  inputs: Float32Array,
  op: (x: tf.Tensor) => tf.Tensor,
  exact: (x: number) => number,
): Promise<number> {
  const result = tf.tidy(() => op(tf.tensor1d(inputs.slice())));
  const actual = await result.data<'float32'>();
  result.dispose();
  return inputs.reduce((most, input, i) => {
    const expected = exact(input);
    const error = Math.abs(actual[i]! - expected) / expected;
    return Number.isNaN(error) ? Infinity : Math.max(most, error);
  }, 0);
}

async function added(a: Float32Array, b: Float32Array): Promise<number> {
  const sum = tf.tidy(() => tf.add(tf.tensor1d(a), tf.tensor1d(b)));
  try {
    return await readOne(sum);
  } finally {
    sum.dispose();
  }
}

/** The loss after one update depends on every bit of every weight. */
async function twoSteps(): Promise<number> {
  const probe = new ProbeTraining(PRESETS.nano, 2, 32);
  try {
    await probe.step();
    return (await probe.step()).loss;
  } finally {
    probe.dispose();
  }
}
