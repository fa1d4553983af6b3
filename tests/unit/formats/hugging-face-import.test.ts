/** Folders that transformers wrote, and what is wrong with others. */
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { HostTensor } from '../../../src/core/domain';
import { parameterShapes } from '../../../src/core/presets';
import { importHuggingFace } from '../../../src/formats/hugging-face/import';
import { readSafetensors, writeSafetensors } from '../../../src/formats/safetensors';
import {
  asFiles,
  expected,
  MODELS,
  readFolder,
  refusal,
  ROOMY,
  withFile,
  withJson,
  type Folder,
} from './hugging-face-folder';

const ROLES = 3;
const isTable = (name: string): boolean => /embed_tokens|lm_head/.test(name);

function sha256(values: Float32Array): string {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return createHash('sha256').update(bytes).digest('hex');
}

async function load(folder: Folder): Promise<Map<string, HostTensor>> {
  const tensors = new Map<string, HostTensor>();
  const model = await importHuggingFace(asFiles(folder), ROOMY);
  for await (const [name, tensor] of model.tensors()) tensors.set(name, tensor);
  return tensors;
}

describe.each(MODELS)('%s', (name) => {
  const facts = expected[name];

  it('has the config of the file, and rows for the appended tokens', async () => {
    const model = await importHuggingFace(asFiles(readFolder(name)), ROOMY);
    expect(model.modelConfig).toEqual({
      ...facts.config,
      rope_theta: facts.rope_theta,
      vocab_size: facts.own_tokens + ROLES,
    });
    expect(model.tokenizer.vocabSize).toBe(facts.own_tokens + ROLES);
    expect(model.tokenizer.vocab[model.tokenizer.endId]).toBe(facts.end);
    expect(model.facts.join('\n')).toContain('<|pad|>, <|user|>, <|assistant|>');
  });

  it('has every tensor of transformers bit for bit', async () => {
    const model = await importHuggingFace(asFiles(readFolder(name)), ROOMY);
    const shapes = parameterShapes(model.modelConfig);
    const names: string[] = [];
    let parameters = 0;
    for await (const [key, { shape, data }] of model.tensors()) {
      names.push(key);
      parameters += data.length;
      expect(shape, key).toEqual(shapes.get(key));
      if (isTable(key)) continue;
      expect(sha256(data), key).toBe(facts.tensors[key]!.sha256);
    }
    expect(names.sort()).toEqual(Object.keys(facts.tensors).sort());
    expect(names.sort()).toEqual([...shapes.keys()].sort());
    expect(parameters).toBe(model.parameterCount);
  });

  it('keeps the rows of its own tokens, gives new ones the mean and leaves spare ones out', async () => {
    const tables = [...(await load(readFolder(name)))].filter(([key]) => isTable(key));
    expect(tables.length).toBe(facts.config['tie_word_embeddings'] === true ? 1 : 2);
    const [folder, single] = [readFolder(name), readFolder(name).get('model.safetensors')];
    for (const [key, { shape, data }] of tables) {
      const [V, C] = shape as [number, number];
      expect([V, C]).toEqual([facts.own_tokens + ROLES, facts.config['hidden_size']]);
      const file =
        single ?? [...folder].find(([f, b]) => f.endsWith('.safetensors') && hasTensor(b, key))![1];
      const original = readSafetensors(file, name).get(key)!;
      expect(sha256(original.data), key).toBe(facts.tensors[key]!.sha256);
      const own = original.data.slice(0, facts.own_tokens * C);
      expect(data.slice(0, own.length)).toEqual(own);
      for (let c = 0; c < C; c++) {
        let sum = 0;
        for (let row = 0; row < facts.own_tokens; row++) sum += own[row * C + c]!;
        for (let row = facts.own_tokens; row < V; row++) {
          expect(data[row * C + c]).toBeCloseTo(sum / facts.own_tokens, 6);
        }
      }
    }
  });
});

function hasTensor(bytes: Uint8Array, name: string): boolean {
  return readSafetensors(bytes, 'shard').has(name);
}

const tied = readFolder('mqa-tied-f16');
const sharded = readFolder('gqa-untied-bf16-sharded');
const untied = readFolder('mha-untied-f32');
const SHARD = 'model-00001-of-00004.safetensors';
const INDEX = 'model.safetensors.index.json';

/** The f32 folder with its tensors changed. */
function withTensors(change: (tensors: Map<string, HostTensor>) => void): Folder {
  const tensors = readSafetensors(untied.get('model.safetensors')!, 'x');
  change(tensors);
  return withFile(untied, 'model.safetensors', writeSafetensors(tensors));
}

const NORM = 'model.norm.weight';

describe('what a person is told', () => {
  it('names spare rows and tensors that are left out', async () => {
    const { facts } = await importHuggingFace(asFiles(sharded), ROOMY);
    expect(facts.join('\n')).toContain('6 rows of the embedding belong to no token');
    const extra = withTensors((tensors) => {
      const name = 'model.layers.0.self_attn.rotary_emb.inv_freq';
      tensors.set(name, { shape: [4], data: new Float32Array(4) });
    });
    const model = await importHuggingFace(asFiles(extra), ROOMY);
    expect(model.facts.join('\n')).toContain('left out: model.layers.0.self_attn.rotary_emb');
  });

  it('takes the highest folder and the fields of older transformers', async () => {
    const older = withJson(tied, 'config.json', (config) => {
      delete config['rope_parameters'];
      delete config['head_dim'];
      delete config['num_key_value_heads'];
      Object.assign(config, { rope_theta: 1234, rope_scaling: null, num_key_value_heads: 1 });
    });
    const files = [...asFiles(older, 'a/'), ...asFiles(sharded, 'a/original/')];
    const { modelConfig } = await importHuggingFace(files, ROOMY);
    expect(modelConfig.rope_theta).toBe(1234);
    expect(modelConfig.num_key_value_heads).toBe(1);
  });

  it('finds the end token in the other files that name it', async () => {
    const end = async (folder: Folder): Promise<string> => {
      const { tokenizer } = await importHuggingFace(asFiles(folder), ROOMY);
      return tokenizer.vocab[tokenizer.endId]!;
    };
    const bare = new Map(tied);
    bare.delete('tokenizer_config.json');
    expect(await end(withJson(bare, 'config.json', (c) => void (c['eos_token_id'] = [1, 2])))).toBe(
      '<|im_start|>',
    );
    const map = JSON.stringify({ eos_token: { content: '<|endoftext|>' } });
    expect(await end(withFile(bare, 'special_tokens_map.json', map))).toBe('<|endoftext|>');
    expect(await end(withJson(bare, 'config.json', (c) => void (c['eos_token_id'] = null)))).toBe(
      '<|end|>',
    );
  });
});

describe('memory', () => {
  // mqa-tied-f16: 436 rows of 24 f32 are the largest tensor.
  it('is compared with the limits before a tensor is read, with the numbers', async () => {
    const { memory, parameterCount } = await importHuggingFace(asFiles(tied), ROOMY);
    expect(memory.largestTensor).toBe('model.embed_tokens.weight');
    expect(memory.totalBytes).toBe(parameterCount * 4 + 2 * 32 * 4 * 4);
    const { totalBytes, largestBytes } = memory;
    await importHuggingFace(asFiles(tied), {
      maxTotalBytes: totalBytes,
      maxBufferBytes: largestBytes,
    });
    const total = await refusal(() =>
      importHuggingFace(asFiles(tied), { ...ROOMY, maxTotalBytes: totalBytes - 1 }),
    );
    expect([total.code, total.field]).toEqual(['engine', 'maxTotalBytes']);
    expect(total.message).toContain('need 0.1 MB');
    const buffer = await refusal(() =>
      importHuggingFace(asFiles(tied), { ...ROOMY, maxBufferBytes: largestBytes - 1 }),
    );
    expect(buffer.message).toMatch(/model\.embed_tokens\.weight, needs one buffer of 0\.1 MB/);
  });

  it('refuses a model of the size of Llama 3.1 8B by its config alone', async () => {
    const big = { hidden_size: 4096, intermediate_size: 14336, num_hidden_layers: 32 };
    const heads = { num_attention_heads: 32, num_key_value_heads: 8, head_dim: 128 };
    const folder = withJson(tied, 'config.json', (config) => ({
      ...config,
      ...big,
      ...heads,
      vocab_size: 128256,
    }));
    folder.delete('model.safetensors');
    const { message } = await refusal(() => importHuggingFace(asFiles(folder), ROOMY));
    expect(message).toMatch(/weights need 30019\.8 MB on the GPU; 8590\.0 MB are there/);
  });
});

const config = (fields: Record<string, unknown>): Folder =>
  withJson(tied, 'config.json', (json) => ({ ...json, ...fields }));
const without = (folder: Folder, file: string): Folder =>
  new Map([...folder].filter(([name]) => name !== file));
const broken = (file: string, change: (bytes: Uint8Array) => Uint8Array<ArrayBuffer>): Folder =>
  withFile(untied, file, change(untied.get(file)!));

describe('a folder that cannot be used', () => {
  const cases: [string, Folder, RegExp][] = [
    ['no config.json', without(tied, 'config.json'), /There is no config\.json/],
    [
      'config.json that is no JSON',
      withFile(tied, 'config.json', '{'),
      /config\.json: it is not J/,
    ],
    ['config.json that is a list', withFile(tied, 'config.json', '[]'), /not a JSON object/],
    ['a huge config.json', withFile(tied, 'config.json', ' '.repeat(5e6)), /more than the 4000000/],
    [
      'another architecture',
      config({ architectures: ['GPT2LMHeadModel'] }),
      /architecture is "GPT2LMHeadModel"; LlamaForCausalLM is supported/,
    ],
    ['no architecture', config({ architectures: null }), /architectures is null and model_type/],
    ['a classifier', config({ architectures: ['LlamaForSequenceClassification'] }), /Classificat/],
    ['another model type', config({ model_type: 'mistral' }), /model_type is "mistral"/],
    ['quantized weights', config({ quantization_config: {} }), /quantized/],
    ['another activation', config({ hidden_act: 'gelu' }), /hidden_act is "gelu"/],
    ['attention biases', config({ attention_bias: true }), /attention_bias is true/],
    ['mlp biases', config({ mlp_bias: true }), /mlp_bias is true/],
    [
      'interleaved rotary positions',
      config({ rope_interleaved: true }),
      /rope_interleaved is true/,
    ],
    ['a bias that is no truth', config({ mlp_bias: 0 }), /mlp_bias is 0, not true or false/],
    [
      'scaled rotary positions',
      config({ rope_parameters: { rope_type: 'llama3', rope_theta: 1e4 } }),
      /rope_parameters has the type "llama3"; only default/,
    ],
    ['rope_scaling', config({ rope_scaling: { type: 'linear' } }), /rope_scaling has the type "li/],
    ['two thetas', config({ rope_theta: 7 }), /rope_theta is given twice, as 7 and 10000/],
    ['a theta of 0', config({ rope_parameters: null, rope_theta: 0 }), /rope_theta is 0/],
    ['another head_dim', config({ head_dim: 16 }), /head_dim is 16; only .* = 8/],
    ['heads that do not divide', config({ num_attention_heads: 5 }), /24 is not an even multiple/],
    ['key-value heads that do not', config({ num_key_value_heads: 2 }), /3 heads cannot share 2/],
    ['a negative size', config({ hidden_size: -24 }), /hidden_size is -24/],
    ['a missing size', config({ vocab_size: null }), /vocab_size is nothing/],
    ['an endless depth', config({ num_hidden_layers: 1e9 }), /num_hidden_layers is 1000000000/],
    ['an eps of 0', config({ rms_norm_eps: 0 }), /rms_norm_eps is 0/],
    ['no tokenizer', without(tied, 'tokenizer.json'), /tokenizer\.json: it is missing/],
    [
      'a SentencePiece tokenizer',
      withFile(without(tied, 'tokenizer.json'), 'tokenizer.model', ''),
      /SentencePiece/,
    ],
    ['a small vocab_size', config({ vocab_size: 300 }), /430 tokens, config\.json says .* 300/],
    ['no weights', without(tied, 'model.safetensors'), /model\.safetensors: it is missing/],
    [
      'weights in another format',
      withFile(without(tied, 'model.safetensors'), 'pytorch_model.bin', ''),
      /the weights in pytorch_model\.bin are not read/,
    ],
    [
      'a missing tensor',
      withTensors((t) => t.delete(NORM)),
      /model\.norm\.weight: the weight files have no such tensor/,
    ],
    [
      'an extra tensor',
      withTensors((t) => t.set('model.layers.1.x', t.get(NORM)!)),
      /"model\.layers\.1\.x": it belongs to no model/,
    ],
    [
      'a wrong shape',
      withTensors((t) => t.set(NORM, { shape: [2, 8], data: new Float32Array(16) })),
      /model\.safetensors, tensor "model\.norm\.weight": its shape is \[2, 8\], .* \[16\]/,
    ],
    [
      'an untied model said to be deeper',
      config({ num_hidden_layers: 3 }),
      /layers\.2\..* no such/,
    ],
    ['a cut-off file', broken('model.safetensors', (b) => b.slice(0, -1)), /the file is cut off/],
    ['a file of 3 bytes', broken('model.safetensors', (b) => b.slice(0, 3)), /too short/],
    ['a missing shard', without(sharded, SHARD), /00001-of-00004\.safetensors: .*index.* names it/],
    ['an index without a map', withFile(sharded, INDEX, '{}'), /has no weight_map/],
    [
      'an index with paths',
      withFile(sharded, INDEX, '{"weight_map":{"a":"../a.safetensors"}}'),
      /tensor "a" has a bad name/,
    ],
    [
      'an index that forgets a tensor',
      withJson(
        sharded,
        INDEX,
        (j) => void delete (j['weight_map'] as Record<string, string>)[NORM],
      ),
      /"model\.norm\.weight": model\.safetensors\.index\.json does not name it/,
    ],
    [
      'an index that names too much',
      withJson(sharded, INDEX, (j) => void Object.assign(j['weight_map'] as object, { a: SHARD })),
      /"a": model\.safetensors\.index\.json names it, but it is missing/,
    ],
    [
      'the same tensor in two shards',
      withFile(sharded, 'model-00004-of-00004.safetensors', sharded.get(SHARD)!),
      /says that it lies in model-00001-of-00004/,
    ],
  ];
  it.each(cases)('%s is refused by name', async (_name, folder, message) => {
    const error = await refusal(() => importHuggingFace(asFiles(folder), ROOMY));
    expect(error.message).toMatch(message);
    expect(['format', 'input']).toContain(error.code);
    expect(error.remedy).toBeTruthy();
  });

  it('refuses two models side by side', async () => {
    const files = [...asFiles(tied, 'a/'), ...asFiles(untied, 'b/')];
    const { message } = await refusal(() => importHuggingFace(files, ROOMY));
    expect(message).toContain('in a and in b');
  });

  it.each([
    ['mha-untied-f32', 4, 0x7fc00000, 'NaN'],
    ['mqa-tied-f16', 2, 0xfc00, '-Infinity'],
    ['gqa-untied-bf16-sharded', 2, 0x7f80, 'Infinity'],
  ] as const)(
    'refuses %s with a value of %i bytes that is not finite',
    async (name, size, bits, value) => {
      const folder = readFolder(name);
      const file = [...folder.keys()].filter((f) => f.endsWith('.safetensors')).at(-1)!;
      const bytes = folder.get(file)!.slice();
      const view = new DataView(bytes.buffer);
      if (size === 4) view.setUint32(bytes.length - 4, bits, true);
      else view.setUint16(bytes.length - 2, bits, true);
      const damaged = withFile(folder, file, bytes);
      const error = await refusal(() => importHuggingFace(asFiles(damaged), ROOMY));
      expect(error.message).toContain(`${file}, tensor "model.`);
      expect(error.message).toContain(`is ${value}, weights must be finite`);
    },
  );

  it('finds a NaN beyond the first pieces that are looked at', async () => {
    const table = { shape: [2 ** 17, 16], data: new Float32Array(2 ** 21) };
    const large = withTensors((tensors) => {
      tensors.set('model.embed_tokens.weight', table);
      tensors.set('lm_head.weight', table);
    });
    const folder = withJson(large, 'config.json', (json) => ({ ...json, vocab_size: 2 ** 17 }));
    const bytes = folder.get('model.safetensors')!;
    new DataView(bytes.buffer).setUint32(8 + headerBytes(bytes) + 4 * 2_000_001, 0x7f800000, true);
    const error = await refusal(() => importHuggingFace(asFiles(folder), ROOMY));
    expect(error.message).toContain('"lm_head.weight": value 2000001 is Infinity');
  });
});

function headerBytes(bytes: Uint8Array): number {
  return Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
}
