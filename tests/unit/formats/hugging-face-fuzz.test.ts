/** 10 000 damaged files for each parser: a typed error or a sound result, never anything else. */
import { expect, it } from 'vitest';
import { importHuggingFace } from '../../../src/formats/hugging-face/import';
import { readLlamaConfig } from '../../../src/formats/hugging-face/import-config';
import { memoryNeeded } from '../../../src/formats/hugging-face/import-memory';
import { readJson } from '../../../src/formats/hugging-face/import-files';
import { readShardIndex } from '../../../src/formats/hugging-face/import-weights';
import { openSafetensors, readSafetensors, readTensor } from '../../../src/formats/safetensors';
import { importTokenizer } from '../../../src/tokenizer/import-tokenizer';
import { draws } from '../tokenizer/golden-texts';
import { damageBytes, damagedJson, FUZZED_FILES, readDamaged } from './fuzz';
import { asFiles, readFolder, ROOMY } from './hugging-face-folder';

const TIMEOUT_MS = 120_000;
const tied = readFolder('mqa-tied-f16');
const sharded = readFolder('gqa-untied-bf16-sharded');
const text = (bytes: Uint8Array | undefined): string => new TextDecoder().decode(bytes);

/** How many of the damaged files were read; some must be, or only the JSON parser was tested. */
async function countRead<T>(
  make: (i: number) => Uint8Array<ArrayBuffer>,
  read: (bytes: Uint8Array<ArrayBuffer>) => T | Promise<T>,
  check: (result: T, bytes: Uint8Array) => void | Promise<void>,
): Promise<number> {
  let count = 0;
  for (let i = 0; i < FUZZED_FILES; i++) {
    const bytes = make(i);
    const result = await readDamaged(`file ${i}`, () => read(bytes));
    if (result === null) continue;
    count++;
    await check(result, bytes);
  }
  return count;
}

/** The parsed file, by the importer's own reader. */
const parse = (name: string, bytes: Uint8Array<ArrayBuffer>): Promise<unknown> =>
  readJson(new Map([[name, new Blob([bytes])]]), name);

it(
  'config.json',
  async () => {
    const good = text(tied.get('config.json'));
    const read = await countRead(
      (i) => damagedJson(good, i),
      async (bytes) => readLlamaConfig(await parse('config.json', bytes)),
      (config) => {
        expect(Number.isFinite(memoryNeeded(config).totalBytes)).toBe(true);
        expect(config.hidden_size % config.num_attention_heads).toBe(0);
      },
    );
    expect(read).toBeGreaterThan(500);
    expect(read).toBeLessThan(FUZZED_FILES - 500);
  },
  TIMEOUT_MS,
);

it(
  'model.safetensors.index.json',
  async () => {
    const name = 'model.safetensors.index.json';
    const good = text(sharded.get(name));
    const read = await countRead(
      (i) => damagedJson(good, i),
      async (bytes) => readShardIndex(await parse(name, bytes)),
      (fileOf) => {
        for (const file of fileOf.values()) expect(file).toMatch(/^[\w.-]+\.safetensors$/);
      },
    );
    expect(read).toBeGreaterThan(500);
    expect(read).toBeLessThan(FUZZED_FILES - 500);
  },
  TIMEOUT_MS,
);

it(
  'tokenizer.json',
  async () => {
    const kinds = [tied, sharded, readFolder('mha-untied-f32')].map((folder) => small(folder));
    const read = await countRead(
      (i) => damagedJson(kinds[i % kinds.length]!, i),
      async (bytes) => importTokenizer(await parse('tokenizer.json', bytes), null).tokenizer,
      (tokenizer, bytes) => {
        expect(tokenizer.vocabSize).toBeLessThan(bytes.length);
        const ids = tokenizer.encode("The goat's 12 hats: <|im_end|> 🐐\n", { allowSpecial: true });
        expect(ids.every((id) => Number.isInteger(id) && id < tokenizer.vocabSize)).toBe(true);
        expect(typeof tokenizer.decode(ids)).toBe('string');
      },
    );
    expect(read).toBeGreaterThan(500);
    expect(read).toBeLessThan(FUZZED_FILES - 500);
  },
  TIMEOUT_MS,
);

/** The tokenizer with few merges: 10 000 of them are parsed. */
function small(folder: ReturnType<typeof readFolder>): string {
  const file = JSON.parse(text(folder.get('tokenizer.json'))) as {
    model: { vocab: Record<string, number>; merges: unknown[] };
    added_tokens: { id: number; content: string }[];
  };
  const { model, added_tokens } = file;
  const merges = model.merges.slice(0, 6);
  const made = new Set(merges.map((merge) => [merge].flat().join('').replace(' ', '')));
  const added = new Set(added_tokens.map(({ content }) => content));
  const kept = Object.keys(model.vocab).filter(
    (p) => p.length === 1 || made.has(p) || added.has(p),
  );
  const vocab = Object.fromEntries(kept.map((piece, id) => [piece, id]));
  let next = kept.length;
  for (const token of added_tokens) token.id = vocab[token.content] ?? next++;
  return JSON.stringify({ ...file, post_processor: null, model: { ...model, vocab, merges } });
}

const GOOD_TENSORS = tinySafetensors();

/** A header of three tensors and their bytes: small, so that damage hits the header often. */
function tinySafetensors(): Uint8Array {
  const header = JSON.stringify({
    __metadata__: { format: 'pt' },
    a: { dtype: 'F32', shape: [2, 3], data_offsets: [0, 24] },
    b: { dtype: 'BF16', shape: [4], data_offsets: [24, 32] },
    c: { dtype: 'F16', shape: [], data_offsets: [32, 34] },
  });
  return safetensorsFile(new TextEncoder().encode(header));
}

/** A file with this header and 34 bytes of finite values. */
function safetensorsFile(header: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(8 + header.length + 34).fill(0x3c);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(header.length), true);
  bytes.set(header, 8);
  return bytes;
}

/** Damage to bytes, or to the values of the header, in turn. */
function damagedTensors(i: number): Uint8Array<ArrayBuffer> {
  if (i % 2 === 0) return damageBytes(GOOD_TENSORS, draws(i));
  return safetensorsFile(damagedJson(text(GOOD_TENSORS.subarray(8, -34)), i));
}

it(
  'model.safetensors, whole and from a Blob',
  async () => {
    const read = await countRead(
      damagedTensors,
      (bytes) => readSafetensors(bytes, 'x'),
      async (weights, bytes) => {
        for (const { shape, data } of weights.values()) {
          expect(shape.reduce((product, n) => product * n, 1)).toBe(data.length);
          expect(data.length * 2).toBeLessThanOrEqual(bytes.length);
          expect(data.every(Number.isFinite)).toBe(true);
        }
        const open = await openSafetensors(new Blob([Uint8Array.from(bytes)]), 'x');
        expect([...open.tensors.keys()]).toEqual([...weights.keys()]);
        for (const entry of open.tensors.values()) {
          expect((await readTensor(open, entry)).data).toEqual(weights.get(entry.name)!.data);
        }
      },
    );
    expect(read).toBeGreaterThan(500);
    expect(read).toBeLessThan(FUZZED_FILES - 500);
  },
  TIMEOUT_MS,
);

it(
  'model.safetensors, its header from a Blob',
  async () => {
    const read = await countRead(
      damagedTensors,
      (bytes) => openSafetensors(new Blob([bytes]), 'x'),
      ({ tensors, dataStart }, bytes) => {
        const ends = [...tensors.values()].map(({ end }) => end);
        expect(dataStart + Math.max(0, ...ends)).toBe(bytes.length);
      },
    );
    expect(read).toBeGreaterThan(500);
    expect(read).toBeLessThan(FUZZED_FILES - 500);
  },
  TIMEOUT_MS,
);

it(
  'a whole folder with any one file damaged',
  async () => {
    const names = [...sharded.keys()];
    let read = 0;
    for (let i = 0; i < 1000; i++) {
      const draw = draws(i);
      const name = names[draw() % names.length]!;
      const good = sharded.get(name)!;
      const bytes = name.endsWith('.json') ? damagedJson(text(good), i) : damageBytes(good, draw);
      const files = asFiles(new Map([...sharded, [name, bytes]]));
      const model = await readDamaged(`folder ${i}, ${name}`, () =>
        importHuggingFace(files, ROOMY),
      );
      if (model === null) continue;
      read++;
      expect(model.tokenizer.vocabSize).toBe(model.modelConfig.vocab_size);
    }
    expect(read).toBeGreaterThan(50);
    expect(read).toBeLessThan(950);
  },
  TIMEOUT_MS,
);
