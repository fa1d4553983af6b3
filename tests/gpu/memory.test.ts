import { afterAll, expect, test } from 'vitest';
import { closeEngine, openEngine } from '../../src/engine/backend';
import { collate } from '../../src/engine/batch';
import { completionLoss } from '../../src/engine/losses';
import { gpuBytes, numTensors } from '../../src/engine/memory';
import { Llama } from '../../src/engine/model';
import { AdamW } from '../../src/engine/optimizer';
import { initialWeights } from '../../src/engine/weights';
import { MINIATURE } from './model-fixture';

afterAll(closeEngine);

test('1 000 steps on rows of all lengths: no tensor and no byte of GPU memory more', async () => {
  await openEngine({ force: 'webgpu' });
  const model = Llama.load(MINIATURE, initialWeights(MINIATURE, 3));
  const optimizer = new AdamW(model.parameters, {
    adam_beta1: 0.9,
    adam_beta2: 0.999,
    adam_epsilon: 1e-8,
    weight_decay: 0,
    max_grad_norm: 1,
  });
  const longest = MINIATURE.max_position_embeddings;
  const V = MINIATURE.vocab_size;
  const step = (i: number) => {
    const rows = Array.from({ length: 3 }, (_, b) => ({
      input_ids: Array.from(
        { length: 2 + ((i * 7 + b * 5) % (longest - 1)) },
        (__, t) => (t + i) % V,
      ),
      promptLength: 1,
    }));
    return optimizer.step(() => completionLoss(model, collate(rows)), 1e-3);
  };
  // Every length has come by then: the pool holds one set of buffers for each bucket.
  for (let i = 0; i < 2 * longest; i++) await step(i);
  const bytes = gpuBytes();
  const tensors = numTensors();
  expect(bytes).toBeGreaterThan(0);
  for (let i = 0; i < 1000; i++) {
    await step(i);
    if (i % 100 === 99) expect(gpuBytes()).toBe(bytes);
  }
  expect(numTensors()).toBe(tensors);
  optimizer.dispose();
  model.dispose();
});
