/**
 * An exported model, read back and computed by the engine, gives the numbers of the page. (That
 * `transformers` computes the same from the files is shown by tools/golden/check_export.py.)
 */
import * as tf from '@tensorflow/tfjs-core';
import { unzipSync } from 'fflate';
import { afterEach, expect, test } from 'vitest';
import type { ModelConfig, WeightMap } from '../../src/core/domain';
import { closeEngine, openEngine } from '../../src/engine/backend';
import { collate } from '../../src/engine/batch';
import { ScalarModel } from '../../src/engine/heads';
import { scores } from '../../src/engine/inference';
import { Llama } from '../../src/engine/model';
import { initialWeights } from '../../src/engine/weights';
import { huggingFaceZip, type ExportedModel } from '../../src/formats/hugging-face/export';
import { readSafetensors } from '../../src/formats/safetensors';
import { normalizedRewardWeights } from '../../src/rlhf/reward';
import { encodeDialogue } from '../../src/tokenizer/chat-template';
import { trainBpe } from '../../src/tokenizer/train-bpe';
import { largestDifference, MINIATURE } from './model-fixture';

const tokenizer = trainBpe(['the goat ate the hat'], { vocab_size: 262 });
const CONFIG: ModelConfig = { ...MINIATURE, vocab_size: 262, max_position_embeddings: 64 };
const ROWS = ['the hat', 'a goat 🐐', 'the  end', ''].map((text) =>
  encodeDialogue(tokenizer, 'goat?', text),
);

afterEach(() => closeEngine());

function exported(kind: 'policy' | 'reward', weights: WeightMap): ExportedModel {
  const rankings = { people: 1, simulated: 0 };
  const card = { projectName: 'p', base: 'scratch', seed: 1, stages: [], demonstrations: 0 };
  return {
    kind,
    config: CONFIG,
    weights: new Map(weights), // the export takes them over
    tokenizer,
    temperature: 1,
    card: { ...card, rankings, normalization: null },
  };
}

async function readBack(
  model: ExportedModel,
): Promise<{ weights: WeightMap; config: ModelConfig & { reward_offset?: number } }> {
  const files = unzipSync(await new Response(huggingFaceZip(model)).bytes());
  return {
    weights: readSafetensors(files['model.safetensors']!, 'model.safetensors'),
    config: JSON.parse(new TextDecoder().decode(files['config.json'])) as ModelConfig,
  };
}

test('logits of a policy are the same numbers', async () => {
  await openEngine({ force: 'webgpu' });
  const original = initialWeights(CONFIG, 3);
  const { weights, config } = await readBack(exported('policy', original));
  const logits = async (model: Llama): Promise<Float32Array> => {
    const tensor = tf.tidy(() => model.logits(model.hiddenStates(collate(ROWS))));
    const numbers = await tensor.data<'float32'>();
    tensor.dispose();
    model.dispose();
    return numbers;
  };
  const ours = await logits(Llama.load(CONFIG, original));
  expect(Math.max(...ours)).toBeGreaterThan(1e-3);
  expect(await logits(Llama.load(config, weights))).toEqual(ours);
});

test('a reward model scores as the page does: logit without bias, less reward_offset', async () => {
  await openEngine({ force: 'webgpu' });
  const C = CONFIG.hidden_size;
  const head = Float32Array.from({ length: C }, (_, i) => Math.cos(i));
  const raw = initialWeights(CONFIG, 3)
    .set('score.weight', { shape: [1, C], data: head })
    .set('score.bias', { shape: [1], data: Float32Array.of(0.4) });
  const [shift, scale] = [-1.3, 2.7];
  const score = async (weights: WeightMap): Promise<Float32Array> => {
    const model = ScalarModel.load(CONFIG, weights, 1);
    const result = await scores(model, collate(ROWS));
    model.dispose();
    return result;
  };
  const rawScores = await score(raw);
  const page = await score(normalizedRewardWeights(raw, shift, scale));
  const normalized = [...rawScores].map((r) => (r - shift) * scale);
  expect(largestDifference(page, normalized)).toBeLessThan(1e-5);

  const model = exported('reward', normalizedRewardWeights(raw, shift, scale));
  const { weights, config } = await readBack(model);
  expect(weights.has('score.bias')).toBe(false);
  const logits = await score(weights); // a missing bias is 0
  expect(Math.abs(config.reward_offset!)).toBeGreaterThan(1);
  const restored = [...logits].map((logit) => logit - config.reward_offset!);
  expect(largestDifference(restored, page)).toBeLessThan(1e-5);
});
