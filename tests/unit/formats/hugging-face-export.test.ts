import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { unzipSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import type { ModelConfig, Project, WeightMap } from '../../../src/core/domain';
import { PlaygroundError } from '../../../src/core/errors';
import { parameterShapes } from '../../../src/core/presets';
import {
  huggingFaceFiles,
  huggingFaceZip,
  type ExportedModel,
} from '../../../src/formats/hugging-face/export';
import { preferenceCard } from '../../../src/core/preference-card';
import { atOnce } from '../../../src/core/slices';
import { NO_MODELS } from '../../../src/core/stage-models';
import type { ModelCardFacts } from '../../../src/formats/hugging-face/export-card';
import { PIECE_BYTES } from '../../../src/formats/hugging-face/export-safetensors';
import { zipStream } from '../../../src/formats/hugging-face/export-zip';
import { readSafetensors, writeSafetensors } from '../../../src/formats/safetensors';
import { CHAT_TEMPLATE } from '../../../src/tokenizer/chat-template';
import { fromTokenizerJson } from '../../../src/tokenizer/tokenizer-json';
import { Tokenizer } from '../../../src/tokenizer/tokenizer';
import { trainBpe } from '../../../src/tokenizer/train-bpe';

const CONFIG: ModelConfig = {
  vocab_size: 272,
  hidden_size: 8,
  intermediate_size: 12,
  num_hidden_layers: 2,
  num_attention_heads: 2,
  num_key_value_heads: 1,
  max_position_embeddings: 32,
  rms_norm_eps: 1e-5,
  rope_theta: 50000,
  tie_word_embeddings: true,
};
const TEXT = 'the goat ate the hat, the goat ate the bread 🐐🐐  the  end';
const TOKENIZER = trainBpe([TEXT], { vocab_size: 270 });

const CARD: ModelCardFacts = {
  projectName: 'Goats',
  base: 'nano',
  seed: 5,
  stages: [
    { stage: 'sft', step: 40, totalSteps: 40, config: { learning_rate: 3e-4 }, finalRow: null },
  ],
  demonstrations: 20,
  rankings: { people: 0, simulated: 0 },
  normalization: null,
};

/** Different numbers in every tensor, not only such that survive f16. */
function weightsOf(config: ModelConfig): WeightMap {
  let n = 0;
  return new Map(
    [...parameterShapes(config)].map(([name, shape]) => {
      const size = shape.reduce((a, b) => a * b, 1);
      return [name, { shape, data: Float32Array.from({ length: size }, () => Math.sin(++n) / 3) }];
    }),
  );
}

const PROJECT: Project = {
  id: 'p',
  name: 'Goats',
  base: 'nano',
  seed: 1,
  page: 'base',
  settings: {},
  runs: { ...NO_MODELS },
  seq: 0,
  createdAt: 0,
  updatedAt: 0,
};

const policy = (change: Partial<ExportedModel> = {}): ExportedModel => ({
  kind: 'policy',
  config: CONFIG,
  weights: weightsOf(CONFIG),
  tokenizer: TOKENIZER,
  temperature: 0.7,
  card: CARD,
  ...change,
});

function reward(bias: number): ExportedModel {
  const weights = weightsOf(CONFIG);
  const head = Float32Array.from({ length: CONFIG.hidden_size }, (_, i) => 0.1 * (i - 3));
  weights.set('score.weight', { shape: [1, CONFIG.hidden_size], data: head });
  weights.set('score.bias', { shape: [1], data: Float32Array.of(bias) });
  const card: ModelCardFacts = { ...CARD, normalization: { shift: 1.5, scale: 0.25 } };
  return policy({ kind: 'reward', weights, card });
}

async function unzipped(model: ExportedModel): Promise<Record<string, Uint8Array>> {
  const bytes = await new Response(huggingFaceZip(model)).arrayBuffer();
  return unzipSync(new Uint8Array(bytes));
}

const text = (bytes: Uint8Array | undefined): string => new TextDecoder().decode(bytes);

function errorOf(action: () => unknown): PlaygroundError {
  try {
    action();
  } catch (error) {
    if (error instanceof PlaygroundError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

describe('a policy', () => {
  it('reads back as it was: tensors bit for bit, ids of its tokenizer', async () => {
    const files = await unzipped(policy());
    expect(Object.keys(files).sort()).toEqual([
      'README.md',
      'config.json',
      'generation_config.json',
      'model.safetensors',
      'tokenizer.json',
      'tokenizer_config.json',
    ]);
    expect(readSafetensors(files['model.safetensors']!, 'zip')).toEqual(weightsOf(CONFIG));
    const tokenizer = fromTokenizerJson(text(files['tokenizer.json']));
    expect(tokenizer.encode(TEXT)).toEqual(TOKENIZER.encode(TEXT));
    expect(tokenizer.hasSameTokens(TOKENIZER)).toBe(true);
  });

  it('takes the preference card along where there is one', async () => {
    const plain = await unzipped(policy());
    expect(text(plain['README.md'])).not.toContain('PREFERENCES.md');
    const card = atOnce(
      preferenceCard({ project: PROJECT, rankings: [], demonstrations: [], reward: null }),
    );
    const files = await unzipped(policy({ preferences: card }));
    expect(text(files['README.md'])).toContain('`PREFERENCES.md`, beside this file');
    expect(text(files['PREFERENCES.md'])).toContain('# Whose preferences: Goats');
    expect(JSON.parse(text(files['preferences.json']))).toEqual(card);
  });

  it('is written byte for byte as writeSafetensors writes it', async () => {
    const files = await unzipped(policy());
    expect(files['model.safetensors']).toEqual(writeSafetensors(weightsOf(CONFIG)));
  });

  it('has the config.json of LlamaForCausalLM', async () => {
    expect(text((await unzipped(policy()))['config.json'])).toBe(`{
  "architectures": [
    "LlamaForCausalLM"
  ],
  "model_type": "llama",
  "vocab_size": 272,
  "hidden_size": 8,
  "intermediate_size": 12,
  "num_hidden_layers": 2,
  "num_attention_heads": 2,
  "num_key_value_heads": 1,
  "max_position_embeddings": 32,
  "rms_norm_eps": 0.00001,
  "rope_theta": 50000,
  "tie_word_embeddings": true,
  "head_dim": 4,
  "hidden_act": "silu",
  "attention_bias": false,
  "attention_dropout": 0,
  "mlp_bias": false,
  "bos_token_id": null,
  "eos_token_id": 1,
  "pad_token_id": 0,
  "torch_dtype": "float32"
}
`);
  });

  it('has a generation_config.json that samples as the page does', async () => {
    expect(text((await unzipped(policy()))['generation_config.json'])).toBe(`{
  "eos_token_id": 1,
  "pad_token_id": 0,
  "do_sample": true,
  "temperature": 0.7,
  "top_k": 0,
  "top_p": 1
}
`);
  });

  it('has a tokenizer_config.json with the chat template', async () => {
    expect(text((await unzipped(policy()))['tokenizer_config.json'])).toBe(`{
  "tokenizer_class": "PreTrainedTokenizerFast",
  "bos_token": null,
  "eos_token": "<|end|>",
  "pad_token": "<|pad|>",
  "unk_token": null,
  "additional_special_tokens": [
    "<|user|>",
    "<|assistant|>"
  ],
  "clean_up_tokenization_spaces": false,
  "model_input_names": [
    "input_ids",
    "attention_mask"
  ],
  "model_max_length": 32,
  "padding_side": "left",
  "chat_template": ${JSON.stringify(CHAT_TEMPLATE)}
}
`);
  });

  it('names the tokens of its own tokenizer', async () => {
    const rename = (token: string): string => (token === '<|end|>' ? '<|im_end|>' : token);
    const { vocab, merges, rules } = TOKENIZER;
    const addedTokens = rules.addedTokens.map((t) => ({ ...t, content: rename(t.content) }));
    const roles = { ...rules.roles, end: '<|im_end|>' };
    const tokenizer = new Tokenizer(vocab.map(rename), merges, { ...rules, addedTokens, roles });
    const files = await unzipped(policy({ tokenizer }));
    const config = JSON.parse(text(files['tokenizer_config.json'])) as Record<string, unknown>;
    expect(config['eos_token']).toBe('<|im_end|>');
    expect(config['chat_template']).toBe(CHAT_TEMPLATE.replaceAll('<|end|>', '<|im_end|>'));
    for (const path of Object.keys(files)) expect(text(files[path]), path).not.toContain('<|end|>');
  });

  it('holds a tied output matrix once, one of its own as it is', async () => {
    const head = { shape: [272, 8], data: new Float32Array(272 * 8).fill(0.5) };
    const tied = policy();
    tied.weights.set('lm_head.weight', head);
    const once = readSafetensors((await unzipped(tied))['model.safetensors']!, 'zip');
    expect(once.has('lm_head.weight')).toBe(false);

    const config = { ...CONFIG, tie_word_embeddings: false };
    const untied = policy({ config, weights: weightsOf(config).set('lm_head.weight', head) });
    const both = readSafetensors((await unzipped(untied))['model.safetensors']!, 'zip');
    expect(both.get('lm_head.weight')).toEqual(head);
  });
});

describe('a reward model', () => {
  it('has the head as it is and the bias as reward_offset, exactly', async () => {
    const files = await unzipped(reward(-0.9621));
    expect(Object.keys(files)).not.toContain('generation_config.json');
    const weights = readSafetensors(files['model.safetensors']!, 'zip');
    expect(weights.get('score.weight')).toEqual(reward(0).weights.get('score.weight'));
    expect(weights.has('score.bias')).toBe(false);
    const config = JSON.parse(text(files['config.json'])) as Record<string, unknown>;
    expect(config).toMatchObject({
      architectures: ['LlamaForSequenceClassification'],
      num_labels: 1,
      id2label: { 0: 'reward' },
      label2id: { reward: 0 },
      pad_token_id: 0,
      reward_offset: Math.fround(0.9621),
    });
    const tokenizer = JSON.parse(text(files['tokenizer_config.json'])) as Record<string, unknown>;
    expect(tokenizer['padding_side']).toBe('right');
  });

  it('leaves an output matrix out, tied or not', async () => {
    const model = reward(0);
    model.config = { ...CONFIG, tie_word_embeddings: false };
    const head = { shape: [272, 8], data: new Float32Array(272 * 8) };
    model.weights.set('lm_head.weight', head);
    const files = await unzipped(model);
    const weights = readSafetensors(files['model.safetensors']!, 'zip');
    expect([...weights.keys()].sort()).toEqual(
      [...parameterShapes(CONFIG).keys(), 'score.weight'].sort(),
    );
    expect(text(files['config.json'])).toContain('"reward_offset": 0\n');
  });
});

describe('what cannot be exported is refused at once, by name', () => {
  const norm = 'model.norm.weight';
  const refusal = (change: (weights: WeightMap) => void, model = policy()): PlaygroundError => {
    change(model.weights);
    const before = new Map(model.weights);
    const error = errorOf(() => huggingFaceZip(model));
    expect(model.weights).toEqual(before);
    return error;
  };

  it.each([Number.NaN, Number.POSITIVE_INFINITY])('a weight of %d', (value) => {
    const error = refusal((weights) => {
      weights.get(norm)!.data[3] = value;
      weights.set('lm_head.weight', { shape: [1], data: new Float32Array(1) });
    });
    expect(error).toMatchObject({ code: 'format', field: norm });
    expect(error.message).toContain(`holds ${value} at 3`);
  });

  it('a tensor that is missing, unknown, or of another shape', () => {
    expect(refusal((weights) => weights.delete(norm)).message).toContain(`${norm}: it is missing`);
    const data = new Float32Array(8);
    const shape = refusal((weights) => weights.set(norm, { shape: [1, 8], data }));
    expect(shape.message).toContain('has shape [1, 8] (8 numbers); the config asks for [8]');
    const short = refusal((weights) => weights.set(norm, { shape: [8], data: data.subarray(1) }));
    expect(short.message).toContain('has shape [8] (7 numbers)');
    const unknown = refusal((weights) => weights.set('model.extra', { shape: [8], data }));
    expect(unknown).toMatchObject({ field: 'model.extra' });
  });

  it('a reward model without its bias, a policy with a head, an untied model without a matrix', () => {
    const unbiased = refusal((weights) => weights.delete('score.bias'), reward(1));
    expect(unbiased.field).toBe('score.bias');
    const headed = refusal((w) => w.set('score.weight', { shape: [1], data: new Float32Array(1) }));
    expect(headed.field).toBe('score.weight');
    const config = { ...CONFIG, tie_word_embeddings: false };
    const weights = weightsOf(CONFIG);
    expect(errorOf(() => huggingFaceZip(policy({ config, weights }))).field).toBe('lm_head.weight');
  });

  it('a tokenizer with more tokens than the model', () => {
    const error = errorOf(() => huggingFaceZip(policy({ config: { ...CONFIG, vocab_size: 265 } })));
    expect(error).toMatchObject({ code: 'config', field: 'vocab_size' });
    expect(error.message).toContain(`${TOKENIZER.vocabSize} tokens, the model only 265`);
  });

  it('more than a zip archive can hold', () => {
    const file = { path: 'model.safetensors', bytes: 2 ** 32, pieces: () => [] };
    expect(errorOf(() => zipStream([file])).field).toBe('zip');
  });
});

describe('the archive', () => {
  it('is the same bytes every time', async () => {
    const [a, b] = await Promise.all(
      [policy(), policy()].map((model) => new Response(huggingFaceZip(model)).bytes()),
    );
    expect(a).toEqual(b);
  });

  it('tells the length of every file before it is made', () => {
    for (const { path, bytes, pieces } of [
      ...huggingFaceFiles(policy()),
      ...huggingFaceFiles(reward(1)),
    ]) {
      expect(
        [...pieces()].reduce((sum, piece) => sum + piece.length, 0),
        path,
      ).toBe(bytes);
    }
  });

  it('survives a reader that takes every piece away', async () => {
    const parts: Uint8Array<ArrayBuffer>[] = [];
    // Several pieces for the embedding.
    const config = { ...CONFIG, vocab_size: 100_000 };
    for await (const part of huggingFaceZip(policy({ config, weights: weightsOf(config) }))) {
      parts.push(structuredClone(part, { transfer: [part.buffer] }));
    }
    const files = unzipSync(await new Blob(parts).bytes());
    const written = Buffer.from(files['model.safetensors']!);
    expect(written.equals(writeSafetensors(weightsOf(config)))).toBe(true);
  });

  it('makes nothing before it is asked, and then one piece at a time', async () => {
    let made = 0;
    function* pieces(): Generator<Uint8Array<ArrayBuffer>> {
      while (made < 50) {
        made++;
        yield new Uint8Array(1000);
      }
    }
    const reader = zipStream([{ path: 'model.safetensors', bytes: 50_000, pieces }]).getReader();
    await new Promise((later) => setTimeout(later));
    expect(made).toBe(0);
    for (let parts = 0; parts < 20; parts++) {
      await reader.read();
      expect(made).toBeLessThanOrEqual(parts + 1);
    }
    expect(made).toBeGreaterThan(10);
  });

  it('needs little more memory than the model, the archive included', async () => {
    setFlagsFromString('--expose-gc');
    const collectGarbage = runInNewContext('gc') as () => void;
    const held = (): number => {
      collectGarbage();
      return process.memoryUsage().arrayBuffers;
    };
    const large = { hidden_size: 1024, intermediate_size: 4096, num_hidden_layers: 1 };
    const config = { ...CONFIG, ...large };
    const empty = held();
    const weights: WeightMap = new Map(
      [...parameterShapes(config)].map(([name, shape]) => {
        const size = shape.reduce((a, b) => a * b, 1);
        return [name, { shape, data: new Float32Array(size) }];
      }),
    );
    const modelBytes = [...weights.values()].reduce((sum, { data }) => sum + data.byteLength, 0);
    expect(modelBytes).toBeGreaterThan(50 * PIECE_BYTES);

    const stream = huggingFaceZip(policy({ config, weights }));
    let peak = held() - empty;
    const archive: Uint8Array[] = [];
    for await (const part of stream) {
      archive.push(part);
      // What is freed here is given back a little later, so some of the past still counts.
      if (archive.length % 8 === 0) peak = Math.max(peak, held() - empty);
    }
    expect(archive.reduce((sum, part) => sum + part.length, 0)).toBeGreaterThan(modelBytes);
    expect(peak).toBeLessThan(1.6 * modelBytes);
    expect(weights.size).toBe(0);
  });
});
