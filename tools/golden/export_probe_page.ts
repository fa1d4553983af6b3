/**
 * Runs in the browser for export_probe.ts: exports models through the page's own code, and computes
 * ids, logits and scores of many strings with the page's own tokenizer and engine.
 */
import * as tf from '@tensorflow/tfjs-core';
import type { ModelConfig, WeightMap } from '../../src/core/domain';
import { gaussian } from '../../src/core/rng';
import { openEngine } from '../../src/engine/backend';
import { collate } from '../../src/engine/batch';
import { ScalarModel } from '../../src/engine/heads';
import { scores } from '../../src/engine/inference';
import { Llama } from '../../src/engine/model';
import { initialWeights } from '../../src/engine/weights';
import { huggingFaceZip, type ExportedModel } from '../../src/formats/hugging-face/export';
import { readSafetensors } from '../../src/formats/safetensors';
import { normalizedRewardWeights } from '../../src/rlhf/reward';
import { encodeDialogue, encodePrompt } from '../../src/tokenizer/chat-template';
import type { Tokenizer } from '../../src/tokenizer/tokenizer';
import { fromTokenizerJson } from '../../src/tokenizer/tokenizer-json';

export interface Probe {
  adapter: string;
  kind: 'policy' | 'reward';
  /** `ids` of the whole text, special tokens parsed; `logits` base64 of f32 [T, V], T ≤ context. */
  texts: { text: string; ids: number[]; logits?: string; score?: number }[];
  dialogues: { prompt: string; completion: string; ids: number[]; text: string; score?: number }[];
  prompts: { prompt: string; ids: number[]; text: string }[];
}

/** The shape that differs from the shipped ones in all that a config can say. */
const UNUSUAL: Partial<ModelConfig> = {
  num_attention_heads: 8,
  num_key_value_heads: 2,
  rope_theta: 50_000,
  rms_norm_eps: 1e-3,
  tie_word_embeddings: false,
};
const ROWS_PER_BATCH = 16;
const SHIFT = 1.7;
const SCALE = 0.37;
const BIAS = -0.9;

const CARD = {
  projectName: 'Probe <b>of</b> the *export*',
  base: 'nano',
  seed: 7,
  demonstrations: 20,
  rankings: { people: 3, simulated: 40 },
};

export type ProbeName = 'policy' | 'unusual' | 'reward';

/** One export and its probe; bytes as base64. */
export async function probe(
  name: ProbeName,
  texts: string[],
): Promise<{ zip: string; probe: Probe }> {
  const { adapter, backend } = await openEngine({ force: 'webgpu' });
  if (backend !== 'webgpu') throw new Error(`the engine opened ${backend}`);
  const nano = await shippedNano();
  const { tokenizer } = nano;
  const rows = texts.map((text) => ({ text, ids: tokenizer.encode(text, { allowSpecial: true }) }));
  const plain = texts.filter((text) => !/<\|/.test(text));
  const dialogues = plain.slice(0, 120).map((prompt, i) => {
    const completion = plain.at(-1 - i)!;
    const ids = encodeDialogue(tokenizer, prompt, completion).input_ids;
    return { prompt, completion, ids, text: tokenizer.decode(ids) };
  });
  const prompts = plain.map((prompt) => {
    const ids = encodePrompt(tokenizer, prompt);
    return { prompt, ids, text: tokenizer.decode(ids) };
  });
  const shared = { adapter: `${backend} ${adapter}`, prompts };

  if (name === 'reward') {
    const weights = rewardHead(nano.config, nano.weights);
    const model = ScalarModel.load(nano.config, weights, 1);
    const score = scorer(model);
    const result: Probe = {
      ...shared,
      kind: 'reward',
      texts: await Promise.all(rows.map(async (row) => ({ ...row, ...(await score(row.ids)) }))),
      dialogues: await Promise.all(
        dialogues.map(async (row) => ({ ...row, ...(await score(row.ids)) })),
      ),
    };
    return { zip: await zipped({ ...exported(nano, 'reward'), weights }), probe: result };
  }

  const config = name === 'unusual' ? { ...nano.config, ...UNUSUAL } : nano.config;
  const weights = name === 'unusual' ? unusualWeights(config) : nano.weights;
  const model = Llama.load(config, weights);
  const withLogits: Probe['texts'] = [];
  for (let from = 0; from < rows.length; from += ROWS_PER_BATCH) {
    const part = rows.slice(from, from + ROWS_PER_BATCH);
    const logits = await logitsOf(
      model,
      part.map(({ ids }) => ids),
    );
    part.forEach((row, i) => withLogits.push({ ...row, ...logits[i]! }));
  }
  return {
    zip: await zipped({ ...exported(nano, 'policy'), config, weights }),
    probe: { ...shared, kind: 'policy', texts: withLogits, dialogues },
  };
}

async function shippedNano(): Promise<{
  config: ModelConfig;
  weights: WeightMap;
  tokenizer: Tokenizer;
}> {
  const file = (name: string): Promise<Response> => fetch(`/models/nano/${name}`);
  const tensors = new Uint8Array(await (await file('model.safetensors')).arrayBuffer());
  return {
    config: (await (await file('config.json')).json()) as ModelConfig,
    weights: readSafetensors(tensors, 'model.safetensors'),
    tokenizer: fromTokenizerJson(await (await file('tokenizer.json')).text()),
  };
}

/** Larger than fresh weights and norms off 1, so that attention is not uniform and every term matters. */
function unusualWeights(config: ModelConfig): WeightMap {
  const weights = initialWeights(config, 5);
  for (const { shape, data } of weights.values()) {
    if (shape.length === 1) data.forEach((gain, i) => (data[i] = gain + 0.3 * Math.sin(i)));
    else data.forEach((weight, i) => (data[i] = 8 * weight));
  }
  return weights;
}

/** A head that is far from trivial, normalised as the page does it. */
function rewardHead(config: ModelConfig, weights: WeightMap): WeightMap {
  const C = config.hidden_size;
  const head = Float32Array.from({ length: C }, (_, i) => 0.3 * gaussian(11, 0, i));
  const raw: WeightMap = new Map([
    ...weights,
    ['score.weight', { shape: [1, C], data: head }],
    ['score.bias', { shape: [1], data: Float32Array.of(BIAS) }],
  ]);
  return normalizedRewardWeights(raw, SHIFT, SCALE);
}

function exported(
  nano: { config: ModelConfig; weights: WeightMap; tokenizer: Tokenizer },
  kind: 'policy' | 'reward',
): ExportedModel {
  const normalization = kind === 'reward' ? { shift: SHIFT, scale: SCALE } : null;
  return {
    kind,
    ...nano,
    temperature: 1,
    card: { ...CARD, stages: [], normalization },
  };
}

/** Scores of rows that fit the context. */
function scorer(model: ScalarModel): (ids: number[]) => Promise<{ score?: number }> {
  const context = model.config.max_position_embeddings;
  return async (ids) => {
    if (ids.length === 0 || ids.length > context) return {};
    const [score] = await scores(model, collate([{ input_ids: ids, promptLength: 0 }]));
    return { score: score! };
  };
}

/** Logits of each row, up to the context; nothing for an empty row. */
async function logitsOf(model: Llama, rows: number[][]): Promise<{ logits?: string }[]> {
  const { vocab_size: V, max_position_embeddings: context } = model.config;
  const kept = rows.map((ids) => ids.slice(0, context));
  const batch = collate(
    kept.map((ids) => ({ input_ids: ids.length === 0 ? [0] : ids, promptLength: 0 })),
  );
  const tensor = tf.tidy(() => model.logits(model.hiddenStates(batch)));
  const all = (await tensor.data()) as Float32Array;
  tensor.dispose();
  return kept.map((ids, b) => {
    if (ids.length === 0) return {};
    const from = b * batch.T * V;
    const numbers = all.slice(from, from + ids.length * V);
    return { logits: base64(new Uint8Array(numbers.buffer)) };
  });
}

async function zipped(model: ExportedModel): Promise<string> {
  return base64(await new Response(huggingFaceZip(model)).bytes());
}

function base64(bytes: Uint8Array): string {
  let text = '';
  for (let from = 0; from < bytes.length; from += 0x8000) {
    text += String.fromCharCode(...bytes.subarray(from, from + 0x8000));
  }
  return btoa(text);
}
