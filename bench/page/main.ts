/** Runs in the browser: `bench(options)` measures and resolves to rows. */
import * as tf from '@tensorflow/tfjs-core';
import { countParameters, PRESETS, type PresetName } from '../../src/core/presets';
import { openEngine } from '../../src/engine/backend';
import { collate } from '../../src/engine/batch';
import { generate } from '../../src/engine/generate';
import { completionLoss } from '../../src/engine/losses';
import { Llama } from '../../src/engine/model';
import { AdamW } from '../../src/engine/optimizer';
import { initialWeights } from '../../src/engine/weights';
import { median, type BenchOptions, type BenchResult, type Row } from './result';
import { StockLlama } from './stock-llama';

interface Contender {
  impl: string;
  /** Resolves when the GPU has done the work: each run ends with a readback. */
  run: () => Promise<void>;
  dispose: () => void;
}

const OPTIMIZER = {
  adam_beta1: 0.9,
  adam_beta2: 0.999,
  adam_epsilon: 1e-8,
  weight_decay: 0,
  max_grad_norm: 1,
};

/** [B][T + 1] token ids that are the same for every contender. */
function tokenRows(B: number, T: number, V: number): number[][] {
  return Array.from({ length: B }, (_, b) =>
    Array.from({ length: T + 1 }, (_, t) => (b * 31 + t * 7 + ((t * t) % 11)) % V),
  );
}

function trainingStep(preset: PresetName, B: number, T: number): Contender[] {
  const config = PRESETS[preset];
  const weights = initialWeights(config, 1);
  const rows = tokenRows(B, T, config.vocab_size);

  const model = Llama.load(config, weights);
  const adamw = new AdamW(model.parameters, OPTIMIZER);
  // All T targets count, as on the stock side: the first token of each row is the prompt.
  const batch = collate(rows.map((ids) => ({ input_ids: ids, promptLength: 1 })));

  const stock = new StockLlama(config, weights, T);
  const ids = tf.tensor2d(
    rows.flatMap((row) => row.slice(0, T)),
    [B, T],
    'int32',
  );
  const targets = tf.tensor2d(
    rows.flatMap((row) => row.slice(1)),
    [B, T],
    'int32',
  );
  return [
    {
      impl: 'playground',
      run: async () => void (await adamw.step(() => completionLoss(model, batch), 1e-3)),
      dispose: () => {
        adamw.dispose();
        model.dispose();
      },
    },
    {
      impl: 'stock tfjs',
      run: async () => void (await stock.step(ids, targets)),
      dispose: () => {
        stock.dispose();
        tf.dispose([ids, targets]);
      },
    },
  ];
}

function decoding(preset: PresetName, B: number, T: number): Contender[] {
  const config = PRESETS[preset];
  const weights = initialWeights(config, 1);
  const prompts = tokenRows(B, 7, config.vocab_size);
  const model = Llama.load(config, weights);
  const stock = new StockLlama(config, weights, 8 + T);
  return [
    {
      impl: 'playground, with cache',
      run: async () => {
        await generate(model, prompts, {
          max_new_tokens: T,
          temperature: 1,
          seed: 1,
          streams: prompts.map((_, b) => b),
          eos_token_id: -1,
        });
      },
      dispose: () => model.dispose(),
    },
    {
      // One forward pass over the whole window, as re-running the model for each new token needs.
      impl: 'stock tfjs, full forward (one token, × tokens)',
      run: async () => {
        const ids = tf.tensor2d(
          prompts.flatMap((row) => [...row, ...Array<number>(T).fill(1)]),
          [B, 8 + T],
          'int32',
        );
        const logits = tf.tidy(() => tf.max(stock.logits(ids)));
        await logits.data();
        tf.dispose([ids, logits]);
      },
      dispose: () => stock.dispose(),
    },
  ];
}

/** Interleaved, so that what else the machine does falls on all alike. The first round warms up. */
async function measure(contenders: readonly Contender[], rounds: number): Promise<number[]> {
  const times = contenders.map((): number[] => []);
  for (let round = 0; round <= rounds; round++) {
    for (const [i, { run }] of contenders.entries()) {
      const start = performance.now();
      await run();
      if (round > 0) times[i]!.push(performance.now() - start);
    }
  }
  for (const { dispose } of contenders) dispose();
  return times.map(median);
}

export async function bench({ presets, rounds }: BenchOptions): Promise<BenchResult> {
  const { adapter } = await openEngine({ force: 'webgpu' });
  const rows: Row[] = [];
  for (const preset of presets) {
    const [B, T] = [16, 64];
    const params = countParameters(PRESETS[preset]);
    const step = trainingStep(preset, B, T);
    const stepMs = await measure(step, rounds);
    step.forEach(({ impl }, i) =>
      rows.push({
        name: 'training step',
        impl,
        config: { preset, params, B, T },
        ms: stepMs[i]!,
        tokens_per_s: (B * T * 1000) / stepMs[i]!,
        ratio: stepMs[i]! / stepMs[0]!,
      }),
    );
    const [rowsOut, tokensOut] = [64, 64];
    const decode = decoding(preset, rowsOut, tokensOut);
    const [cached, forward] = await measure(decode, rounds);
    const decodeMs = [cached!, forward! * tokensOut];
    decode.forEach(({ impl }, i) =>
      rows.push({
        name: 'decoding',
        impl,
        config: { preset, params, B: rowsOut, T: tokensOut },
        ms: decodeMs[i]!,
        tokens_per_s: (rowsOut * tokensOut * 1000) / decodeMs[i]!,
        ratio: decodeMs[i]! / decodeMs[0]!,
      }),
    );
  }
  return { adapter, rows };
}
