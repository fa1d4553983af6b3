/** AdamW with clipping and weight decay, and the weight average, against torch on given gradients. */
import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WeightAverage } from '../../src/engine/average';
import { closeEngine, openEngine } from '../../src/engine/backend';
import { Llama } from '../../src/engine/model';
import { AdamW } from '../../src/engine/optimizer';
import { readWeights } from '../../src/engine/weights';
import {
  ADAMW_CASES,
  ADAMW_RATES,
  ADAMW_SHAPES,
  adamwGradient,
  adamwStart,
  EMA_DECAY,
  fingerprint,
  MODEL,
  ONE_SHOT,
  PPO_MODELS,
} from '../../tools/golden/rlhf/inputs';
import { parity } from '../../tools/golden/rlhf/parity';
import adamw from '../golden/rlhf/adamw.json';

const NAMES = ['matrix', 'vector'] as const;
const sizeOf = (name: (typeof NAMES)[number]) =>
  ADAMW_SHAPES[name].reduce((product: number, n) => product * n, 1);

test('the fixture belongs to these inputs', () => {
  expect(adamw.inputs).toBe(fingerprint(ONE_SHOT));
});

describe.each(['webgpu', 'wasm'] as const)('on %s', (force) => {
  // Once for all tests: most of their time is compiling kernels.
  beforeAll(() => openEngine({ force }));
  afterAll(() => closeEngine());

  test.for(ADAMW_CASES.map((options, i) => [i, options] as const))(
    'case %i',
    async ([i, options], { task }) => {
      const golden = adamw.cases[i]!;
      const { adam_epsilon, adam_beta2, weight_decay, max_grad_norm } = options;
      const note = `eps ${adam_epsilon.toExponential()}, β2 ${adam_beta2}, weight decay ${weight_decay}, clip ${max_grad_norm}`;
      const parameters = new Map(
        NAMES.map((name, n) => [
          name as string,
          tf.variable(tf.tensor(adamwStart(sizeOf(name), n), [...ADAMW_SHAPES[name]])),
        ]),
      );
      const average = new WeightAverage(parameters, await readWeights(parameters), EMA_DECAY);
      const optimizer = new AdamW(parameters, options);
      const norms: number[] = [];
      for (const [step, rate] of ADAMW_RATES.entries()) {
        // Σ g·w has the gradient g.
        const loss = () => {
          const terms = NAMES.map((name, n) => {
            const gradient = adamwGradient(sizeOf(name), n, step);
            return tf.sum<tf.Scalar>(
              tf.mul(parameters.get(name)!, tf.tensor(gradient, [...ADAMW_SHAPES[name]])),
            );
          });
          return { loss: tf.addN<tf.Scalar>(terms), stats: {} };
        };
        norms.push((await optimizer.step(loss, rate)).grad_norm);
        average.update();
      }
      const weights = await readWeights(parameters);
      const averaged = await average.read();
      const { tensors } = await optimizer.state();
      /** Each list over its own largest number, so that small ones count as much. */
      const of = (quantity: string, source: string, pairs: [ArrayLike<number>, number[]][]) =>
        parity(task, {
          quantity: `${quantity}: ${note}`,
          on: force,
          source,
          actual: pairs.flatMap(([actual]) => Array.from(actual)),
          expected: pairs.flatMap(([, expected]) => expected),
          over: pairs.flatMap(([, expected]) => {
            const largest = Math.max(...expected.map(Math.abs));
            return expected.map(() => largest);
          }),
          float32: adamw.spread[`${i}` as keyof typeof adamw.spread],
        });
      of('AdamW, 8 steps, weights, moments and norms', 'torch `AdamW`, `clip_grad_norm_`', [
        [norms, golden.norms],
        ...NAMES.flatMap((name, n): [ArrayLike<number>, number[]][] => [
          [weights.get(name)!.data, golden.weights[n]!],
          [tensors.get(`m/${name}`)!.data, golden.m[n]!],
          [tensors.get(`v/${name}`)!.data, golden.v[n]!],
        ]),
      ]);
      of(
        'average of the weights',
        'torch `get_ema_multi_avg_fn`',
        NAMES.map((name, n) => [averaged.get(name)!.data, golden.average[n]!]),
      );
      average.dispose();
      optimizer.dispose();
      tf.dispose([...parameters.values()]);
    },
  );
});

test('the weights that decay are those that transformers’ Trainer decays', async ({ task }) => {
  const { adapter } = await openEngine({ force: 'webgpu' });
  task.meta.adapter = adapter;
  const model = Llama.load(MODEL, PPO_MODELS.policy);
  // AdamW decays by rank: see its docstring and the cases above.
  const decaying = [...model.parameters].filter(([, { rank }]) => rank >= 2).map(([name]) => name);
  expect(decaying.sort()).toEqual(adamw.decaying);
  model.dispose();
  closeEngine();
});
