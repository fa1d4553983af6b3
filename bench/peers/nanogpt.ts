/** @genai-fi/nanogpt 1.3.0: the step of its own trainer on its own GPT, on its own copy of tfjs. */
import * as tf from '@tensorflow/tfjs-core';
import { ADAM, SIZES, trainingBatch, type Contender } from '../work';

/** What we use of its files (it exports neither the trainer nor the choice of backend). */
interface NanoGpt {
  backend: { selectBackend(name: 'webgpu'): Promise<void> };
  model: { default: new (config: Record<string, unknown>) => Model };
  trainer: {
    default: new (model: Model, tokenizer: null, config: Record<string, number>) => Trainer;
  };
}
interface Model {
  getNumParams(): number;
  dispose(): void;
}
interface Trainer {
  trainStep(state: object, batch: { xs: tf.Tensor; ys: tf.Tensor }): tf.Tensor;
  dispose(): void;
}

/** Where its files lie below the package's folder. */
export const NANOGPT_FILES = {
  backend: 'dist/backend.js',
  model: 'dist/models/NanoGPTV1.js',
  trainer: 'dist/training/BasicTrainer.js',
};

/** Needs a page of its own: tfjs keeps its engine and kernels in globals, which two copies share. */
export async function openNanoGpt(load: (file: string) => Promise<unknown>): Promise<Contender> {
  const modules = {
    backend: await load(NANOGPT_FILES.backend),
    model: await load(NANOGPT_FILES.model),
    trainer: await load(NANOGPT_FILES.trainer),
  } as NanoGpt;
  await modules.backend.selectBackend('webgpu');
  return {
    impl: 'nanogpt',
    adapter: 'webgpu',
    model: 'its GPT (GELU, RMSNorm, RoPE)',
    trainingStep: async (work) => {
      const config = SIZES[work.size];
      const model = new modules.model.default({
        modelType: 'GenAI_NanoGPT_v1',
        vocabSize: config.vocab_size,
        blockSize: work.T,
        nLayer: config.num_hidden_layers,
        nHead: config.num_attention_heads,
        nEmbed: config.hidden_size,
        mlpFactor: 4,
        useRope: true,
      });
      const trainer = new modules.trainer.default(model, null, {
        learningRate: ADAM.learning_rate,
        beta1: ADAM.adam_beta1,
        beta2: ADAM.adam_beta2,
        epsilon: ADAM.adam_epsilon,
        weightDecay: 0,
        clipNorm: ADAM.max_grad_norm,
        warmupSteps: 0,
      });
      const batch = trainingBatch(work);
      const xs = tf.tensor2d(batch.ids, [work.B, work.T], 'int32');
      const ys = tf.tensor2d(batch.targets, [work.B, work.T], 'int32');
      return {
        run: async () => {
          const loss = trainer.trainStep({}, { xs, ys });
          const [value] = await loss.data();
          loss.dispose();
          return value;
        },
        dispose: () => {
          trainer.dispose();
          model.dispose();
          tf.dispose([xs, ys]);
        },
      };
    },
  };
}
