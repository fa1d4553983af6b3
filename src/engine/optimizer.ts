/** AdamW over named parameters: gradients, clipping, update and report of one training step. */
import * as tf from '@tensorflow/tfjs-core';
import type { WeightMap } from '../core/domain';
import { PlaygroundError } from '../core/errors';
import { compileAhead, up4 } from './dispatch';
import { throwFailure } from './failure';
import type { LossOutput } from './losses';
import { flatAdamW, REPORT, type AdamWStep, type FlatAdamW, type Layout } from './ops/adamw';
import { checkWeights } from './weights';

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
  /** In the order of the layout. */
  private readonly names: string[];
  private readonly layout: Layout;
  private readonly flat: FlatAdamW;
  private readonly options: AdamWOptions;
  private steps = 0;
  private compiled = false;

  constructor(parameters: ReadonlyMap<string, tf.Variable>, options: AdamWOptions) {
    this.options = options;
    const all = [...parameters];
    const matrices = all.filter(([, { rank }]) => rank >= 2);
    const vectors = all.filter(([, { rank }]) => rank < 2);
    const end = (from: number, part: typeof all): number =>
      up4(part.reduce((sum, [, { size }]) => sum + size, from));
    const decaying = end(0, matrices);
    this.names = [...matrices, ...vectors].map(([name]) => name);
    this.layout = {
      slots: [...placed(matrices, 0), ...placed(vectors, decaying)],
      total: end(decaying, vectors),
      decaying,
    };
    this.flat = flatAdamW(this.layout);
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
    const record = (): tf.Tensor1D => {
      statNames.length = 0;
      let stats: tf.Scalar[] = [];
      const forward = () => {
        const output = lossFn();
        statNames.push(...Object.keys(output.stats));
        // The gradient's own tidy would free them.
        stats = Object.values(output.stats).map((stat) => tf.keep(tf.clone(stat)));
        return output.loss;
      };
      const variables = this.layout.slots.map(({ parameter }) => parameter);
      const { value, grads } = tf.variableGrads(forward, variables);
      const gradients = variables.map((variable, i) => {
        const gradient = grads[variable.name];
        if (gradient === undefined) throw unreached(this.names[i]!);
        return gradient;
      });
      const report = this.flat.step(gradients, value, {
        ...this.options,
        learning_rate,
        step: this.steps + 1,
      });
      const scalars = [value, ...stats].map((scalar) => tf.reshape(scalar, [1]));
      const result = tf.concat1d([report, ...scalars] as tf.Tensor1D[]);
      tf.dispose(stats);
      return result;
    };
    if (!this.compiled) await compileAhead(record);
    this.compiled = true;
    const packed = tf.tidy(record);
    let numbers: ArrayLike<number>;
    try {
      numbers = await packed.data();
      throwFailure(); // what a refused kernel should have written reads as zeros
    } finally {
      packed.dispose();
    }
    const lossAt = REPORT.flags + this.names.length;
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
    const moments = await this.flat.read();
    const tensors: WeightMap = new Map();
    for (const { name, moment, shape, from, to } of this.moments()) {
      tensors.set(name, { shape, data: moments[moment].slice(from, to) });
    }
    return { step: this.steps, tensors };
  }

  /**
   * Continues from a saved state.
   * @throws PlaygroundError 'format' naming a moment that is missing or has another shape; nothing
   *   has changed then
   */
  restore(state: OptimizerState): void {
    const places = this.moments();
    checkWeights(new Map(places.map(({ name, shape }) => [name, shape])), state.tensors);
    const { total } = this.layout;
    const moments = { m: new Float32Array(total), v: new Float32Array(total) };
    for (const { name, moment, from } of places) {
      moments[moment].set(state.tensors.get(name)!.data, from);
    }
    this.flat.write(moments);
    this.steps = state.step;
  }

  /** Frees the moments; the parameters belong to their model. */
  dispose(): void {
    this.flat.dispose();
  }

  /** Where each moment of each parameter lies. */
  private moments() {
    return this.layout.slots.flatMap(({ parameter: { shape, size }, offset }, i) =>
      (['m', 'v'] as const).map((moment) => ({
        name: `${moment}/${this.names[i]!}`,
        moment,
        shape,
        from: offset,
        to: offset + size,
      })),
    );
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

function placed(parameters: [string, tf.Variable][], from: number): Layout['slots'] {
  let next = from;
  return parameters.map(([, parameter]) => {
    const offset = next;
    next += parameter.size;
    return { parameter, offset };
  });
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
