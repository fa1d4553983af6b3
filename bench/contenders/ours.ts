/** Our side: the engine as the page uses it. */
import * as tf from '@tensorflow/tfjs-core';
import { openEngine, type BackendName } from '../../src/engine/backend';
import type { TokenBatch } from '../../src/engine/batch';
import { generate } from '../../src/engine/generate';
import { completionLoss } from '../../src/engine/losses';
import { Llama } from '../../src/engine/model';
import { linear } from '../../src/engine/ops/linear';
import { AdamW } from '../../src/engine/optimizer';
import { initialWeights } from '../../src/engine/weights';
import {
  ADAM,
  SIZES,
  tokenRows,
  trainingBatch,
  WEIGHT_SEED,
  type Contender,
  type SizeName,
  type Work,
} from '../work';
import { bareMatmul } from './stock';

const fresh = (size: SizeName): Llama =>
  Llama.load(SIZES[size], initialWeights(SIZES[size], WEIGHT_SEED));

/** [B, T] without padding, every place a target: what the other sides compute. */
function batchOf(work: Work): TokenBatch {
  const { B, T } = work;
  const { ids, targets } = trainingBatch(work);
  return {
    B,
    T,
    input_ids: ids,
    lengths: new Int32Array(B).fill(T),
    targets,
    mask: new Float32Array(B * T).fill(1),
  };
}

/** @throws PlaygroundError 'engine' when the backend cannot be used */
export async function openOurs(backend: BackendName): Promise<Contender> {
  const { adapter } = await openEngine({ force: backend });
  return {
    impl: backend === 'webgpu' ? 'playground' : `playground, ${backend}`,
    adapter,
    trainingStep: async (work) => {
      const model = fresh(work.size);
      const adamw = new AdamW(model.parameters, ADAM);
      const batch = batchOf(work);
      return {
        run: async () =>
          (await adamw.step(() => completionLoss(model, batch), ADAM.learning_rate)).loss,
        dispose: () => {
          adamw.dispose();
          model.dispose();
        },
      };
    },
    decoding: async ({ size, B, prompt, tokens }) => {
      const model = fresh(size);
      const prompts = tokenRows(B, prompt, SIZES[size].vocab_size);
      return {
        run: async () => {
          await generate(model, prompts, {
            max_new_tokens: tokens,
            temperature: 1,
            seed: 1,
            streams: prompts.map((_, b) => b),
            eos_token_id: -1, // none ends early
          });
          return undefined;
        },
        dispose: () => model.dispose(),
      };
    },
    forward: async (work) => {
      const model = fresh(work.size);
      const batch = batchOf(work);
      const { B, T } = work;
      const last = tf.tensor1d(
        Int32Array.from({ length: B }, (_, b) => b * T + T - 1),
        'int32',
      );
      const logits = () => model.logits(tf.gather(model.hiddenStates(batch), last));
      return {
        repeat: async (times) => {
          for (let i = 1; i < times; i++) tf.tidy(() => void logits());
          const corner = tf.tidy(() => tf.slice(logits(), [0, 0], [1, 1]));
          await corner.data();
          corner.dispose();
        },
        dispose: () => {
          model.dispose();
          last.dispose();
        },
      };
    },
    // Weights of linears are [out, in].
    matmul: async (work) => bareMatmul(work, (x, w) => linear(x, w), [work.M, work.K]),
  };
}
