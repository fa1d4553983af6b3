/** Stock TensorFlow.js: its own ops, its own optimizer, and in a page of its own its own device. */
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-core/dist/register_all_gradients';
import { initialWeights } from '../../src/engine/weights';
import { SIZES, trainingBatch, WEIGHT_SEED, type Contender, type MatmulWork } from '../work';
import { StockLlama } from './stock-llama';

/** For a backend that has been registered. */
export async function openStock(backend: string): Promise<Contender> {
  if (tf.getBackend() !== backend && !(await tf.setBackend(backend))) {
    throw new Error(`TensorFlow.js cannot open ${backend}`);
  }
  return {
    impl: `stock tfjs, ${backend}`,
    adapter: backend,
    trainingStep: async (work) => {
      const config = SIZES[work.size];
      const oneHotEmbedding = backend === 'wasm';
      const model = new StockLlama(config, initialWeights(config, WEIGHT_SEED), work.T, {
        oneHotEmbedding,
      });
      const batch = trainingBatch(work);
      const ids = tf.tensor2d(batch.ids, [work.B, work.T], 'int32');
      const targets = tf.tensor2d(batch.targets, [work.B, work.T], 'int32');
      return {
        run: () => model.step(ids, targets),
        dispose: () => {
          model.dispose();
          tf.dispose([ids, targets]);
        },
      };
    },
    matmul: async (work) => bareMatmul(work, (x, w) => tf.matMul(x, w)),
  };
}

/** [N, K] × [K, M]; `product` gets both as tensors. */
export function bareMatmul(
  { N, K, M }: MatmulWork,
  product: (x: tf.Tensor2D, w: tf.Tensor2D) => tf.Tensor,
  weightShape: [number, number] = [K, M],
) {
  const ramp = (n: number) => Float32Array.from({ length: n }, (_, i) => ((i * 7) % 13) / 13 - 0.5);
  const x = tf.tensor2d(ramp(N * K), [N, K]);
  const w = tf.tensor2d(ramp(K * M), weightShape);
  return {
    repeat: async (times: number) => {
      for (let i = 1; i < times; i++) product(x, w).dispose();
      const corner = tf.tidy(() => tf.slice(product(x, w), [0, 0], [1, 1]));
      await corner.data();
      corner.dispose();
    },
    dispose: () => tf.dispose([x, w]),
  };
}
