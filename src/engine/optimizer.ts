/** AdamW over named parameters: gradients, clipping, update and report of one training step. */
import * as tf from '@tensorflow/tfjs-core';
import type { WeightMap } from '../core/domain';
import { PlaygroundError } from '../core/errors';
import { throwFailure } from './failure';
import type { LossOutput } from './losses';
import { clippedAdamW, REPORT, type AdamWStep, type Slot } from './ops/adamw';
import { checkWeights, readWeights } from './weights';

export type AdamWOptions = Omit<AdamWStep, 'learning_rate' | 'step'>;

export interface StepResult {
  loss: number;
  /** Global gradient norm before clipping. */
  grad_norm: number;
  stats: Record<string, number>;
}

/** Enough to continue exactly: steps done, and `m/<name>`, `v/<name>` for each parameter. */
export interface OptimizerState {
  step: number;
  tensors: WeightMap;
}

/** torch.optim.AdamW; matrices decay, vectors (norms, bias) do not. */
export class AdamW {
  private readonly names: string[];
  private readonly slots: Slot[];
  private readonly options: AdamWOptions;
  private steps = 0;

  constructor(parameters: ReadonlyMap<string, tf.Variable>, options: AdamWOptions) {
    this.options = options;
    this.names = [...parameters.keys()];
    this.slots = [...parameters.values()].map((parameter) => ({
      parameter,
      m: zeroMoment(parameter.shape),
      v: zeroMoment(parameter.shape),
      decay: parameter.rank >= 2,
    }));
  }

  /**
   * One step: the loss, its gradients, clipping, update; one readback at the end. Leaves the number
   * of tensors as it was.
   * @param learning_rate of this step; 0 changes no weight
   * @throws PlaygroundError 'non-finite' naming the loss or the gradients at fault; weights,
   *   moments and step count are then untouched
   */
  async step(lossFn: () => LossOutput, learning_rate: number): Promise<StepResult> {
    const statNames: string[] = [];
    const packed = tf.tidy(() => {
      let stats: tf.Scalar[] = [];
      const forward = () => {
        const output = lossFn();
        statNames.push(...Object.keys(output.stats));
        // The gradient's own tidy would free them.
        stats = Object.values(output.stats).map((stat) => tf.keep(tf.clone(stat)));
        return output.loss;
      };
      const variables = this.slots.map(({ parameter }) => parameter);
      const { value, grads } = tf.variableGrads(forward, variables);
      const gradients = variables.map((variable, i) => {
        const gradient = grads[variable.name];
        if (gradient === undefined) throw unreached(this.names[i]!);
        return gradient;
      });
      const report = clippedAdamW(this.slots, gradients, value, {
        ...this.options,
        learning_rate,
        step: this.steps + 1,
      });
      const scalars = [value, ...stats].map((scalar) => tf.reshape(scalar, [1]));
      const result = tf.concat1d([report, ...scalars] as tf.Tensor1D[]);
      tf.dispose(stats);
      return result;
    });
    let numbers: ArrayLike<number>;
    try {
      numbers = await packed.data();
      throwFailure(); // what a refused kernel should have written reads as zeros
    } finally {
      packed.dispose();
    }
    const lossAt = REPORT.flags + this.slots.length;
    if (numbers[REPORT.finite] !== 1) throw this.notFinite(numbers, numbers[lossAt]!);
    this.steps++;
    return {
      loss: numbers[lossAt]!,
      grad_norm: numbers[REPORT.norm]!,
      stats: Object.fromEntries(statNames.map((name, i) => [name, numbers[lossAt + 1 + i]!])),
    };
  }

  /** Steps done and both moments of every parameter, read back from the GPU. */
  async state(): Promise<OptimizerState> {
    return { step: this.steps, tensors: await readWeights(this.moments()) };
  }

  /**
   * Continues from a saved state.
   * @throws PlaygroundError 'format' naming a moment that is missing or has another shape; nothing
   *   has changed then
   */
  restore(state: OptimizerState): void {
    const moments = this.moments();
    const shapes = new Map([...moments].map(([name, tensor]) => [name, tensor.shape]));
    checkWeights(shapes, state.tensors);
    for (const [name, moment] of moments) {
      const saved = tf.tensor(state.tensors.get(name)!.data.slice(), moment.shape, 'float32');
      moment.assign(saved);
      saved.dispose();
    }
    this.steps = state.step;
  }

  /** Frees the moments; the parameters belong to their model. */
  dispose(): void {
    for (const { m, v } of this.slots) {
      m.dispose();
      v.dispose();
    }
  }

  private moments(): Map<string, tf.Variable> {
    const moments = new Map<string, tf.Variable>();
    this.slots.forEach(({ m, v }, i) => {
      moments.set(`m/${this.names[i]!}`, m);
      moments.set(`v/${this.names[i]!}`, v);
    });
    return moments;
  }

  private notFinite(numbers: ArrayLike<number>, loss: number): PlaygroundError {
    const bad = this.names.filter((_, i) => numbers[REPORT.flags + i] === 1);
    const [field, what] = !Number.isFinite(loss)
      ? ['loss', `The loss is ${loss}`]
      : bad.length > 0
        ? [bad[0]!, `The gradient of ${listed(bad)} is not finite`]
        : ['grad_norm', 'The gradient norm is too large for a 32-bit float'];
    return new PlaygroundError({
      code: 'non-finite',
      message: `${what} in step ${this.steps + 1}; the weights were not changed.`,
      field,
      remedy: 'Lower the learning rate, and go on from the last checkpoint.',
    });
  }
}

function zeroMoment(shape: number[]): tf.Variable {
  const zeros = tf.zeros(shape);
  const moment = tf.variable(zeros, false);
  zeros.dispose();
  return moment;
}

function listed(names: string[]): string {
  return names.length > 3
    ? `${names.slice(0, 3).join(', ')} and ${names.length - 3} more`
    : names.join(', ');
}

function unreached(name: string): PlaygroundError {
  return new PlaygroundError({
    code: 'engine',
    message: `The loss does not depend on parameter ${name}.`,
    field: name,
    remedy: 'Give the optimizer only parameters of the model that the loss runs.',
  });
}
