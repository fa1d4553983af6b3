/** Weights on the host ([Hugging Face name] → row-major f32) and as trainable tensors. */
import * as tf from '@tensorflow/tfjs-core';
import type { HostTensor, ModelConfig, WeightMap } from '../core/domain';
import { PlaygroundError } from '../core/errors';
import { parameterShapes } from '../core/presets';
import { gaussian, STREAM } from '../core/rng';

/** Standard deviation of fresh weights: Hugging Face `initializer_range`. */
const INITIALIZER_RANGE = 0.02;
/** Projections that write into the residual stream. */
const RESIDUAL = /\.(o_proj|down_proj)\.weight$/;

/**
 * Fresh weights: normal with std 0.02, projections into the residual stream scaled by 1/√(2L) so
 * that its variance does not grow with depth (Radford et al. 2019, section 2.3), norms 1.
 * A pure function of config and seed.
 */
export function initialWeights(config: ModelConfig, seed: number): WeightMap {
  const weights: WeightMap = new Map();
  const residualScale = 1 / Math.sqrt(2 * config.num_hidden_layers);
  let tensorNumber = 0;
  for (const [name, shape] of parameterShapes(config)) {
    const data = new Float32Array(elements(shape));
    if (shape.length === 1) {
      data.fill(1);
    } else {
      const std = INITIALIZER_RANGE * (RESIDUAL.test(name) ? residualScale : 1);
      for (let i = 0; i < data.length; i++) {
        data[i] = std * gaussian(seed, STREAM.weights, i, tensorNumber);
      }
    }
    weights.set(name, { shape, data });
    tensorNumber++;
  }
  return weights;
}

/**
 * Checks that weights are exactly the tensors of `shapes`. A `lm_head.weight` next to tied
 * embeddings is accepted and ignored: some exporters write it.
 * @throws PlaygroundError 'format' naming the first tensor that is missing, unknown, or has another
 *   shape
 */
export function checkWeights(shapes: ReadonlyMap<string, number[]>, weights: WeightMap): void {
  const fail = (name: string, problem: string): never => {
    throw new PlaygroundError({
      code: 'format',
      message: `Tensor ${name} ${problem}.`,
      field: name,
      remedy: 'Use weights together with the config.json that they were saved with.',
    });
  };
  for (const [name, shape] of shapes) {
    const tensor = weights.get(name);
    if (tensor === undefined) return fail(name, 'is missing');
    if (tensor.shape.join() !== shape.join() || tensor.data.length !== elements(shape)) {
      fail(
        name,
        `has shape [${tensor.shape.join(', ')}] (${tensor.data.length} numbers); the config asks for [${shape.join(', ')}]`,
      );
    }
  }
  for (const name of weights.keys()) {
    if (!shapes.has(name) && name !== 'lm_head.weight') fail(name, 'does not belong to this model');
  }
}

/** As f32. A copy: tfjs keeps the array it is given, and the caller's may change. */
const asTensor = ({ shape, data }: HostTensor): tf.Tensor =>
  tf.tensor(data.slice(), shape, 'float32');

/** Uploads checked weights as variables, in the order of `shapes`. */
export function uploadParameters(
  shapes: ReadonlyMap<string, number[]>,
  weights: WeightMap,
  upload: (weight: HostTensor) => tf.Tensor = asTensor,
): Map<string, tf.Variable> {
  checkWeights(shapes, weights);
  const parameters = new Map<string, tf.Variable>();
  for (const name of shapes.keys()) {
    const initial = upload(weights.get(name)!);
    // tfjs makes up a unique name; several models with the same tensor names live side by side.
    parameters.set(name, tf.variable(initial));
    initial.dispose();
  }
  return parameters;
}

/** Reads tensors back to the host, e.g. for a checkpoint. */
export async function readWeights(parameters: ReadonlyMap<string, tf.Tensor>): Promise<WeightMap> {
  const read = await Promise.all(
    [...parameters].map(async ([name, tensor]) => {
      // A copy: data() may return the very array that the backend holds.
      const data = new Float32Array(await tensor.data());
      return [name, { shape: tensor.shape.slice(), data }] as const;
    }),
  );
  return new Map(read);
}

function elements(shape: number[]): number {
  return shape.reduce((product, n) => product * n, 1);
}
