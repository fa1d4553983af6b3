/** Folders that transformers wrote, imported, give transformers' logits. */
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, expect, test } from 'vitest';
import { closeEngine, openEngine } from '../../src/engine/backend';
import { collate } from '../../src/engine/batch';
import { generate } from '../../src/engine/generate';
import { Llama } from '../../src/engine/model';
import { importHuggingFace } from '../../src/formats/hugging-face/import';
import { encodePrompt } from '../../src/tokenizer/chat-template';
import fixture from '../golden/hugging-face-import/expected.json';
import { largestDifference } from './model-fixture';
import { modelFolder } from './model-folder';

const TOLERANCE = 1e-4;
const ROOMY = { maxBufferBytes: 2 ** 30, maxTotalBytes: 2 ** 31 };

function decodeFloats(base64: string): Float32Array {
  const bytes = Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
  return new Float32Array(bytes.buffer);
}

afterEach(() => closeEngine());

test.each(Object.entries(fixture.models))('%s', async (name, expected) => {
  await openEngine({ force: 'webgpu' });
  const imported = await importHuggingFace(await modelFolder(name), ROOMY);
  const weights = new Map<string, { shape: number[]; data: Float32Array }>();
  for await (const [key, tensor] of imported.tensors()) weights.set(key, tensor);
  const model = Llama.load(imported.modelConfig, weights);

  const batch = collate(expected.rows.map(({ input_ids }) => ({ input_ids, promptLength: 1 })));
  const logits = tf.tidy(() => model.logits(model.hiddenStates(batch)));
  const numbers = await logits.data();
  logits.dispose();
  const V = imported.modelConfig.vocab_size;
  // Ours has rows for appended tokens; theirs may have spare rows that belong to no token.
  const own = expected.own_tokens;
  expected.rows.forEach((row, b) => {
    const theirs = decodeFloats(row.logits);
    row.input_ids.forEach((_, t) => {
      const from = (b * batch.T + t) * V;
      const actual = numbers.subarray(from, from + own);
      const at = t * expected.vocab_size;
      const difference = largestDifference(actual, theirs.subarray(at, at + own));
      expect(difference, `row ${b}, position ${t}`).toBeLessThan(TOLERANCE);
    });
  });

  const { tokenizer } = imported;
  const [written] = await generate(model, [encodePrompt(tokenizer, 'goat')], {
    max_new_tokens: 5,
    temperature: 1,
    seed: 1,
    streams: [0],
    eos_token_id: tokenizer.endId,
  });
  expect(written!.tokens.length).toBeGreaterThan(0);
  expect(written!.tokens.every((id) => id < tokenizer.vocabSize)).toBe(true);
  model.dispose();
});
