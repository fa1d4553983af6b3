/** The training loop that pretraining and SFT share: next-token cross-entropy with AdamW and a cosine. */
import { cosineFactor } from '../core/schedule';
import type { SftConfig } from '../core/config';
import type { MetricRow, Sample } from '../core/domain';
import { collate, type TokenBatch } from '../engine/batch';
import { completionLoss } from '../engine/losses';
import type { Llama } from '../engine/model';
import { readWeights } from '../engine/weights';
import { AdamW } from '../engine/optimizer';
import { learntTokens } from './bug-lab';
import { evaluateLoss } from './measures';
import { epochBatches, underPrefix, withPrefix } from './stage';
import type { StageEvent, StageSnapshot } from './stage';

/** One row of training text: loss is taken on the tokens from `promptLength` on. */
export interface TokenRow {
  input_ids: number[];
  promptLength: number;
}

export interface SupervisedInput {
  model: Llama;
  train: TokenRow[];
  heldOut: TokenRow[];
  totalSteps: number;
  seed: number;
  /** Texts written by the model so far, taken every `eval_steps`. */
  sample(step: number): Promise<Sample[]>;
  resume: StageSnapshot | undefined;
  /** Stands in every snapshot beside the weights. */
  extraState: Record<string, unknown>;
}

export interface SupervisedConfig {
  per_device_train_batch_size: number;
  learning_rate: number;
  warmup_ratio: number;
  min_lr_ratio: number;
  eval_steps: number;
  adam_beta1: number;
  adam_beta2: number;
  weight_decay: number;
  max_grad_norm: number;
  resid_pdrop: number;
  bug: SftConfig['bug'];
}

/** Runs to `totalSteps`, one event per optimizer step. The caller disposes the model. */
export async function* trainSupervised(
  input: SupervisedInput,
  config: SupervisedConfig,
): AsyncGenerator<StageEvent, void> {
  const { model, train, heldOut, totalSteps, seed } = input;
  const batches = epochBatches(train.length, config.per_device_train_batch_size, seed);
  const warmup = Math.round(config.warmup_ratio * totalSteps);
  const optimizer = new AdamW(model.parameters, { ...config, adam_epsilon: 1e-8 });
  try {
    let num_tokens = 0;
    let start = 0;
    if (input.resume) {
      start = input.resume.step;
      num_tokens = Number(input.resume.state.num_tokens);
      optimizer.restore({
        step: start,
        tensors: underPrefix('optimizer', input.resume.tensors),
      });
    }
    for (let step = start; step < totalSteps; step++) {
      // 1. the batch
      const rows = batches.rowsAt(step).map((i) => train[i]!);
      const batch = learntTokens(config, collate(rows));
      const tokens = batch.lengths.reduce((a, b) => a + b, 0);
      num_tokens += tokens;

      // 2. one AdamW step on the masked cross-entropy
      const learning_rate =
        config.learning_rate * cosineFactor(step, totalSteps, warmup, config.min_lr_ratio);
      const dropout = config.resid_pdrop > 0 ? { p: config.resid_pdrop, seed, step } : undefined;
      const result = await optimizer.step(
        () => completionLoss(model, batch, dropout),
        learning_rate,
      );
      const row: MetricRow = {
        step: step + 1,
        loss: result.loss,
        ...result.stats,
        num_tokens,
        learning_rate,
        grad_norm: result.grad_norm,
        epoch: (step + 1) / batches.stepsPerEpoch,
        ...maskChecks(batch, rows),
      };

      // 3. now and then: the held-out loss, and what the model writes
      const event: StageEvent = {
        step: step + 1,
        totalSteps,
        row,
        tokens,
        snapshot: async () => {
          const saved = await optimizer.state();
          return {
            step: step + 1,
            tensors: new Map([
              ...withPrefix('policy', await readWeights(model.parameters)),
              ...withPrefix('optimizer', saved.tensors),
            ]),
            state: { ...input.extraState, num_tokens },
          };
        },
      };
      if (step === 0 || (step + 1) % config.eval_steps === 0 || step + 1 === totalSteps) {
        if (heldOut.length > 0) row.eval_loss = await evaluateLoss(model, heldOut);
        event.samples = await input.sample(step + 1);
      }
      yield event;
    }
  } finally {
    optimizer.dispose();
  }
}

/**
 * `check/prompt_tokens`: prompt tokens in the loss, which must be 0; `check/end_tokens`: share of rows
 * whose last token is learnt, which must be 1.
 */
function maskChecks(
  { T, mask }: TokenBatch,
  rows: readonly TokenRow[],
): Record<'check/prompt_tokens' | 'check/end_tokens', number> {
  let promptTokens = 0;
  let ends = 0;
  rows.forEach(({ input_ids, promptLength }, b) => {
    for (let t = 0; t < promptLength - 1; t++) promptTokens += mask[b * T + t]!;
    ends += mask[b * T + input_ids.length - 2]!;
  });
  return { 'check/prompt_tokens': promptTokens, 'check/end_tokens': ends / rows.length };
}
