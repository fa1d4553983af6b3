import * as tf from '@tensorflow/tfjs-core';
import { beforeEach, describe, expect, test } from 'vitest';
import {
  KERNEL_FAMILIES,
  type DeviceVerdict,
  type KernelFamily,
  type Variant,
} from '../../src/core/device-report';
import { openEngine, type OpenedEngine } from '../../src/engine/backend';
import { gradientWork } from '../../src/engine/check-work';
import {
  checkFamilies,
  standardPlan,
  stillCorrect,
  type Candidate,
  type FamilyPlan,
} from '../../src/engine/device-check';
import { settleVariants } from '../../src/engine/device-verdict';
import { dispatch, emptyTensor, useKernels } from '../../src/engine/dispatch';
import { variantOf } from '../../src/engine/variants';
import { withGradient } from '../../src/engine/with-gradient';
import { normal } from './ops-parity';

let engine: OpenedEngine;

beforeEach(async () => {
  engine = await openEngine({ force: 'webgpu' });
});

/** y = 2x, element by element; `body` may get it wrong. */
const kernel = (body: string): string => `
  struct Size { count: u32 }
  @group(0) @binding(0) var<storage, read_write> y: array<f32>;
  @group(0) @binding(1) var<storage, read> x: array<f32>;
  @group(0) @binding(2) var<uniform> size: Size;
  @compute @workgroup_size(32) fn main(@builtin(global_invocation_id) id: vec3u) {
    let i = id.x;
    if (i >= size.count) { return; }
    ${body}
  }`;

const RIGHT = 'y[i] = 2.0 * x[i];';
/** The same number, after work that the compiler cannot leave out. */
const SLOW = `var sum = 0.0;
  for (var k = 0u; k < 20000u; k++) { sum += x[(i * k) % size.count] * 1e-30; }
  y[i] = 2.0 * x[i] + sum * 1e-30;`;

function double(x: tf.Tensor, body: string): tf.Tensor {
  const y = emptyTensor(x.shape as [number]);
  const groups: [number] = [Math.ceil(x.size / 32)];
  dispatch({ label: 'double', code: kernel(body), buffers: [y, x], uniforms: [x.size], groups });
  return y;
}

const doubled =
  (forward: string, backward: string) =>
  (x: tf.Tensor): tf.Tensor =>
    useKernels()
      ? withGradient(
          [x],
          () => ({ value: double(x, forward), saved: [] }),
          (dy) => [double(dy, backward)],
        )
      : tf.mul(x, 2);

const inputsOf = (name: string) => [normal([Number(name)], 7)];
const work = (name: string) => gradientWork(name, inputsOf(name), doubled(RIGHT, RIGHT));

/** Puts other kernels in the place of the right ones. */
const planted = (variant: Variant, forward: string, backward = forward): Candidate => ({
  variant,
  instead: ({ name }) => gradientWork(name, inputsOf(name), doubled(forward, backward)),
});

const plan = (...candidates: Candidate[]): FamilyPlan[] => [
  { family: 'rms-norm', edges: [work('37')], timed: [work('500'), work('2000')], candidates },
];
const registers: Candidate = { variant: 'registers' };

async function check(...candidates: Candidate[]) {
  const [result] = await checkFamilies(plan(...candidates));
  return result!;
}

describe('a variant is chosen when it', () => {
  test('is right and faster, whichever it is', async () => {
    const first = await check(registers, planted('shared', SLOW));
    expect(first.chosen).toBe('registers');
    expect(first.candidates.map(({ verdict }) => verdict)).toEqual(['chosen', 'slower']);
    const other = await check(planted('registers', SLOW), { variant: 'shared' });
    expect(other.chosen).toBe('shared');
    expect(variantOf('rms-norm')).toBe('shared');
    const [slow, fast] = other.candidates;
    expect(slow!.ms!).toBeGreaterThan(fast!.ms! * 1.05);
    expect(fast!.maxError).toBe(0);
  });

  test('is right: a wrong one loses, however fast it is', async () => {
    const wrong = {
      'a value': planted('shared', 'y[i] = 2.001 * x[i];'),
      'a gradient': planted('shared', RIGHT, 'y[i] = 1.99 * x[i];'),
      'the last element of an odd size': planted(
        'shared',
        'if (i / 4u < size.count / 4u) { y[i] = 2.0 * x[i]; } else { y[i] = 0.0; }',
      ),
      NaN: planted('shared', 'y[i] = bitcast<f32>(0x7fc00000u | (bitcast<u32>(x[i]) & 1u));'),
    };
    for (const [what, candidate] of Object.entries(wrong)) {
      const again: Candidate = { ...candidate, variant: 'subgroups' };
      const result = await check(planted('registers', SLOW), candidate, again);
      expect(result.chosen, what).toBe('registers');
      for (const wronged of result.candidates.slice(1)) {
        expect(wronged, what).toMatchObject({ verdict: 'wrong', ms: null });
        expect(wronged.reason, what).toMatch(/37/);
      }
    }
  });

  test('compiles; one that does not is named with the reason', async () => {
    const result = await check(registers, planted('shared', 'y[i] = nowhere;'));
    expect(result.chosen).toBe('registers');
    expect(result.candidates[1]).toMatchObject({ verdict: 'failed', ms: null, maxError: null });
    expect(result.candidates[1]!.reason).toMatch(/double.*nowhere/s);
    // What it left behind fails nobody else.
    const again = await check(registers);
    expect(again.chosen).toBe('registers');
  });
});

test('one that the GPU refuses to run fails alone, whenever that is told', async () => {
  // It does not use its input, which is bound all the same.
  const result = await check(planted('shared', 'y[i] = 2.0;'), registers);
  expect(result.chosen).toBe('registers');
  expect(result.candidates.map(({ verdict }) => verdict)).toEqual(['failed', 'chosen']);
  expect(result.candidates[0]!.reason).toMatch(/refused/);
});

test('where no variant is right, the family goes through its reference composition', async () => {
  const bad = 'y[i] = x[i];';
  const result = await check(planted('registers', bad), planted('shared', bad));
  expect(result.chosen).toBe('reference');
  expect([useKernels('rms-norm'), useKernels('linear'), useKernels()]).toEqual([false, true, true]);
});

test('a choice of an earlier start is kept while it is right, even if another is faster now', async () => {
  const slow = plan(registers, planted('shared', SLOW));
  const [result] = await checkFamilies(slow);
  const earlier = [{ ...result!, chosen: 'shared' as const }];
  expect(await stillCorrect(slow, earlier)).toBe(true);
  expect(variantOf('rms-norm')).toBe('shared');
  const wrong = plan(registers, planted('shared', 'y[i] = x[i];'));
  expect(await stillCorrect(wrong, earlier)).toBe(false);
  const broken = plan(registers, planted('shared', 'y[i] = nowhere;'));
  expect(await stillCorrect(broken, earlier)).toBe(false);
  expect(await stillCorrect(slow, [])).toBe(false);
  // The device no longer has what that variant needs.
  expect(await stillCorrect(slow, [{ ...result!, chosen: 'subgroups' }])).toBe(false);
  expect(await stillCorrect(slow, [{ ...result!, chosen: 'reference' }])).toBe(true);
});

/** On a device with subgroups. */
const VARIANTS_OF: Record<KernelFamily, Variant[]> = {
  linear: ['registers', 'shared'],
  'rms-norm': ['registers', 'shared', 'subgroups'],
  attention: ['registers', 'shared'],
  'decode-attention': ['registers', 'shared', 'subgroups'],
  'token-logprob': ['registers', 'shared', 'subgroups'],
  sample: ['registers', 'shared', 'subgroups'],
};

test('a device without subgroups is offered no kernel that needs them', () => {
  const features = engine.features.map((feature) => ({ ...feature, enabled: false }));
  for (const isSoftware of [false, true]) {
    const plans = standardPlan({ isSoftware, features });
    expect(plans.map(({ candidates }) => candidates.map(({ variant }) => variant))).toEqual(
      KERNEL_FAMILIES.map(() => ['registers', 'shared']),
    );
  }
});

test('every family of the product has right variants here, and the check leaves nothing behind', async () => {
  const before = tf.memory().numTensors;
  const results = await checkFamilies(standardPlan({ ...engine, isSoftware: false }));
  expect(results.map(({ family }) => family)).toEqual(KERNEL_FAMILIES);
  for (const { family, chosen, candidates } of results) {
    expect(candidates.map(({ variant }) => variant)).toEqual(VARIANTS_OF[family]);
    for (const { variant, verdict, maxError, ms, reason } of candidates) {
      expect([verdict, reason], `${family}, ${variant}`).toEqual([
        variant === chosen ? 'chosen' : 'slower',
        null,
      ]);
      expect(maxError).toBeLessThan(1e-5);
      expect(ms).toBeGreaterThan(0);
    }
    expect(variantOf(family)).toBe(chosen);
  }
  expect(tf.memory().numTensors).toBe(before);
  expect(tf.getBackend()).toBe('webgpu');
});

test('a verdict is kept under its key, and made anew under another or when asked for', async () => {
  const settle = (remembered: DeviceVerdict | null, thorough = false) =>
    settleVariants(engine, { remembered, thorough });
  const first = await settle(null);
  expect(first.remembered).toBe(false);
  expect(first.verdict).toMatchObject({ backend: 'webgpu', fallback: [] });
  // A program plays the graphics card here: the variant that is slow on such ones is left out.
  expect(engine.isSoftware).toBe(true);
  for (const { candidates } of first.verdict.families) {
    expect(candidates.slice(1).map(({ verdict }) => verdict)).toEqual(
      candidates.slice(1).map(() => 'untried'),
    );
  }

  const families = first.verdict.families.map((one) =>
    one.family === 'sample' ? { ...one, chosen: 'reference' as const } : one,
  );
  const earlier = { ...first.verdict, families };
  const second = await settle(earlier);
  expect(second).toEqual({ remembered: true, verdict: earlier });
  expect([variantOf('sample'), variantOf('linear')]).toEqual(['reference', 'registers']);

  const moved = await settle({ ...earlier, key: 'another card' });
  expect(moved.remembered).toBe(false);
  expect(moved.verdict.key).toBe(first.verdict.key);
  expect(variantOf('sample')).toBe('registers');
});
