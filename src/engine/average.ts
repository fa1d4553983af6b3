/** A running average of a model's weights on the GPU (InstructGPT, appendix C.4). */
import * as tf from '@tensorflow/tfjs-core';
import type { WeightMap } from '../core/domain';
import { readWeights, uploadParameters } from './weights';

export class WeightAverage {
  private readonly source: ReadonlyMap<string, tf.Variable>;
  private readonly average: Map<string, tf.Variable>;
  private readonly decay: number;

  /**
   * Starts at `weights`, which are those of `source` or a saved average of them.
   * @throws PlaygroundError 'format' naming a tensor that does not fit
   */
  constructor(source: ReadonlyMap<string, tf.Variable>, weights: WeightMap, decay: number) {
    const shapes = new Map([...source].map(([name, { shape }]) => [name, shape]));
    this.source = source;
    this.average = uploadParameters(shapes, weights);
    this.decay = decay;
  }

  /** average ← decay·average + (1 − decay)·source. */
  update(): void {
    tf.tidy(() => {
      for (const [name, average] of this.average) {
        const step = tf.mul(1 - this.decay, tf.sub(this.source.get(name)!, average));
        average.assign(tf.add(average, step));
      }
    });
  }

  read(): Promise<WeightMap> {
    return readWeights(this.average);
  }

  dispose(): void {
    for (const tensor of this.average.values()) tensor.dispose();
  }
}
