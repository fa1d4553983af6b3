/** A training step on made-up text, to time a device or to compare two of them. */
import type { ModelConfig } from '../core/domain';
import { collate, type TokenBatch } from './batch';
import { completionLoss } from './losses';
import { Llama } from './model';
import { AdamW, type StepResult } from './optimizer';
import { initialWeights } from './weights';

const SEED = 1;
const OPTIONS = {
  adam_beta1: 0.9,
  adam_beta2: 0.95,
  adam_epsilon: 1e-8,
  weight_decay: 0,
  max_grad_norm: 1,
};
const LEARNING_RATE = 1e-3;
/** Two primes: tokens that repeat late and use the whole vocabulary. */
const STRIDE = 7919;
const SHIFT = 104729;

/** A fresh model with the same weights and the same batch every time. */
export class ProbeTraining {
  /** Sequences and tokens in each. */
  readonly shape: [number, number];
  private readonly model: Llama;
  private readonly optimizer: AdamW;
  private readonly batch: TokenBatch;

  constructor(config: ModelConfig, rows: number, length: number) {
    this.shape = [rows, length];
    this.model = Llama.load(config, initialWeights(config, SEED));
    this.optimizer = new AdamW(this.model.parameters, OPTIONS);
    this.batch = collate(
      Array.from({ length: rows }, (_, row) => ({
        input_ids: Array.from(
          { length },
          (_, t) => ((row * length + t) * STRIDE + SHIFT) % config.vocab_size,
        ),
        promptLength: 1,
      })),
    );
  }

  /** Forward, backward, update and readback. */
  step(): Promise<StepResult> {
    return this.optimizer.step(() => completionLoss(this.model, this.batch), LEARNING_RATE);
  }

  dispose(): void {
    this.optimizer.dispose();
    this.model.dispose();
  }
}
