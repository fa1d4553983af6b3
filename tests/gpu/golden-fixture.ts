/** What the golden tests of losses share: reading a loss with its gradients, comparing gradients. */
import * as tf from '@tensorflow/tfjs-core';
import { expect } from 'vitest';
import { KERNEL_FAMILIES } from '../../src/core/device-report';
import { openEngine } from '../../src/engine/backend';
import type { LossOutput } from '../../src/engine/losses';
import { chooseVariant } from '../../src/engine/variants';
import { parity, type Comparison, type ReportingTask } from '../../tools/golden/rlhf/parity';

/** `webgpu` runs the kernels of software adapters, `webgpu-shared` those of graphics cards. */
export const SETUPS = ['webgpu', 'webgpu-shared', 'wasm'] as const;

export async function openSetup(on: (typeof SETUPS)[number]): Promise<void> {
  await openEngine({ force: on === 'wasm' ? 'wasm' : 'webgpu' });
  if (on === 'webgpu-shared') {
    for (const family of KERNEL_FAMILIES) chooseVariant(family, 'shared');
  }
}

/** Norm, signature (tools/golden/rlhf/models.py) and perhaps all numbers of a gradient. */
interface GoldenGradient {
  norm: number;
  signature: number;
  data?: number[];
}

/** Loss and statistics. */
export async function measured(compute: () => LossOutput): Promise<Record<string, number>> {
  const tensors = tf.tidy(() => {
    const { loss, stats } = compute();
    return { ...stats, loss };
  });
  const numbers: Record<string, number> = {};
  for (const [name, x] of Object.entries(tensors)) numbers[name] = (await x.data())[0]!;
  tf.dispose(tensors);
  return numbers;
}

/** Loss, statistics and the gradients with respect to named tensors. */
export async function differentiated(
  parameters: ReadonlyMap<string, tf.Variable>,
  compute: () => LossOutput,
): Promise<{ numbers: Record<string, number>; gradients: Map<string, Float32Array> }> {
  let stats: Record<string, tf.Tensor> = {};
  const { value, grads } = tf.variableGrads(() => {
    const output = compute();
    stats = Object.fromEntries(
      Object.entries(output.stats).map(([name, x]) => [name, tf.keep(tf.clone(x))]),
    );
    return output.loss;
  }, [...parameters.values()]);
  const numbers: Record<string, number> = { loss: (await value.data())[0]! };
  for (const [name, x] of Object.entries(stats)) numbers[name] = (await x.data())[0]!;
  const gradients = new Map<string, Float32Array>();
  for (const [name, { name: id }] of parameters) {
    gradients.set(name, Float32Array.from(await grads[id]!.data()));
  }
  tf.dispose([value, grads, stats]);
  return { numbers, gradients };
}

/** Σ g·u / |u| with the fixed u of models.py: sign, order and transposition change it. */
function signatureOf(gradient: Float32Array): number {
  let sum = 0;
  let squares = 0;
  gradient.forEach((g, i) => {
    const u = (((i * 7919 + 13) % 101) - 50) / 50;
    sum += g * u;
    squares += u * u;
  });
  return sum / Math.sqrt(squares);
}

/**
 * Every gradient against the reference: norm and signature of all, every number of some; each
 * difference over the norm of its tensor, or over that of the whole gradient where the tensor's is 0.
 */
export function compareGradients(
  task: ReportingTask,
  given: Omit<Comparison, 'actual' | 'expected' | 'over'>,
  gradients: Map<string, Float32Array>,
  golden: Record<string, GoldenGradient>,
): void {
  expect([...gradients.keys()].sort()).toEqual(Object.keys(golden).sort());
  const whole = Math.hypot(...Object.values(golden).map(({ norm }) => norm));
  const actual: number[] = [];
  const expected: number[] = [];
  const over: number[] = [];
  for (const [name, gradient] of gradients) {
    const { norm, signature, data } = golden[name]!;
    expect(data === undefined || data.length === gradient.length, name).toBe(true);
    const theirs = [norm, signature, ...(data ?? [])];
    actual.push(Math.hypot(...gradient), signatureOf(gradient), ...(data ? gradient : []));
    expected.push(...theirs);
    over.push(...theirs.map(() => (norm > 0 ? norm : whole)));
  }
  parity(task, { ...given, actual, expected, over });
}
