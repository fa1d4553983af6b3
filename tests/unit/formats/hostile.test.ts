/** Files that were made to do harm, and 10 000 damaged ones for each reader that has no such test of its own. */
import { createHash } from 'node:crypto';
import { deflateRawSync } from 'node:zlib';
import { zipSync, unzipSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import { PlaygroundError } from '../../../src/core/errors';
import { atOnce } from '../../../src/core/slices';
import { readClassFile } from '../../../src/formats/class-file';
import { decodeBytes } from '../../../src/formats/decode-bytes';
import { parseDemonstrations, type ParsedDemonstrations } from '../../../src/formats/demonstrations'; // prettier-ignore
import { readLlamaConfig } from '../../../src/formats/hugging-face/import-config';
import { readShardIndex } from '../../../src/formats/hugging-face/import-weights';
import { readProjectFile } from '../../../src/formats/project-file';
import { decodeLines, type RecordSchema } from '../../../src/formats/project-json';
import {
  candidateSetSchema,
  checkpointSchema,
  demonstrationSchema,
  metricRowSchema,
  projectSchema,
  promptSchema,
  rankingSchema,
  runInputSchema,
  runSchema,
  stepSamplesSchema,
} from '../../../src/formats/project-schemas';
import { readSafetensors } from '../../../src/formats/safetensors';
import { readDirectory, readEntry } from '../../../src/formats/zip-reader';
import { importTokenizer } from '../../../src/tokenizer/import-tokenizer';
import { draws } from '../tokenizer/golden-texts';
import { clock, damageBytes, damagedJson, FUZZED_FILES, readDamaged } from './fuzz';
import { bundle, bytesOfFile } from './project-bundle';

const TIMEOUT_MS = 240_000;
const bytesOf = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text);
const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

const demonstrations = (bytes: Uint8Array): ParsedDemonstrations =>
  parseDemonstrations(decodeBytes(bytes).text);

describe('the gate itself sees', () => {
  it.each<[string, () => unknown, RegExp]>([
    ['an error without a type', () => JSON.parse('{') as unknown, /not a typed error/],
    [
      'a message without end',
      () => {
        throw new PlaygroundError({ code: 'format', message: 'x'.repeat(3000) });
      },
      /unreadable/,
    ],
    [
      'a parser that takes more than a second',
      () => {
        for (const now = clock(); now() < 1050;);
      },
      /it took \d+ ms at best/,
    ],
    [
      'a parser that takes 300 MB',
      () => new Uint8Array(300 * 2 ** 20).fill(1)[7],
      /bytes of memory/,
    ],
    [
      'a parser that writes to Object.prototype',
      () => {
        (Object.prototype as Record<string, unknown>)['polluted'] = 1;
      },
      /keys of Object\.prototype/,
    ],
  ])(
    '%s',
    async (_name, read, message) => {
      try {
        await expect(readDamaged('planted', read)).rejects.toThrow(message);
      } finally {
        delete (Object.prototype as Record<string, unknown>)['polluted'];
      }
    },
    TIMEOUT_MS,
  );
});

describe(`${FUZZED_FILES} damaged files`, () => {
  const rows = Array.from({ length: 5 }, (_, i) => ({ prompt: `Who has rope ${i}?`, completion: 'Tom, "my friend".' })); // prettier-ignore
  const messages = rows.map(({ prompt, completion }) => ({
    messages: [
      { role: 'user', content: prompt },
      { role: 'assistant', content: [{ type: 'text', text: completion }] },
    ],
  }));
  const lines = [...rows, ...messages].map((row) => JSON.stringify(row)).join('\n');
  const csv = `prompt,completion\n${rows.map(({ prompt }) => `"${prompt}","a ""b"",\nc"`).join('\n')}`;
  const formats: [string, (i: number) => Uint8Array][] = [
    // a line damaged in its values, or any bytes of the whole
    [
      'JSONL',
      (i) =>
        i % 2 === 0
          ? damageBytes(bytesOf(lines), draws(i))
          : bytesOf(`${lines}\n${textOf(damagedJson(JSON.stringify(messages[i % 5]), i))}`),
    ],
    ['JSON', (i) => damagedJson(JSON.stringify([...rows, ...messages]), i)],
    ['CSV', (i) => damageBytes(bytesOf(csv), draws(i))],
    ['TSV', (i) => damageBytes(bytesOf(csv.replaceAll(',', '\t')), draws(i))],
  ];
  it.each(formats)(
    '%s',
    async (_name, make) => {
      let kept = 0;
      let refused = 0;
      for (let i = 0; i < FUZZED_FILES; i++) {
        const parsed = await readDamaged(`file ${i}`, () => demonstrations(make(i)));
        // this reader never throws: every row is kept or named
        expect(parsed, `file ${i}`).not.toBeNull();
        kept += parsed!.rows.length;
        refused += parsed!.rejected.length;
        for (const { reason } of parsed!.rejected) expect(reason.length).toBeLessThan(500);
      }
      expect(kept).toBeGreaterThan(FUZZED_FILES);
      expect(refused).toBeGreaterThan(FUZZED_FILES / 10);
    },
    TIMEOUT_MS,
  );

  it(
    'zip: every byte of the archive',
    async () => {
      const good = await bytesOfFile(bundle());
      let read = 0;
      for (let i = 0; i < FUZZED_FILES; i++) {
        const bytes = damageBytes(good, draws(i));
        const entries = await readDamaged(`file ${i}`, () =>
          readDirectory(bytes, 100).map((entry) => [entry, readEntry(bytes, entry)] as const),
        );
        if (entries === null) continue;
        read++;
        for (const [{ size }, content] of entries) expect(content).toHaveLength(size);
      }
      expect(read).toBeGreaterThan(100);
      expect(read).toBeLessThan(FUZZED_FILES - 1000);
    },
    TIMEOUT_MS,
  );

  it(
    'records of project files',
    async () => {
      const files = unzipSync(await bytesOfFile(bundle()));
      const names = Object.keys(SCHEMAS);
      let read = 0;
      for (let i = 0; i < FUZZED_FILES; i++) {
        const name = names[i % names.length]!;
        const bytes = damagedRecords(files[name]!, i);
        const records = await readDamaged(`file ${i}, ${name}`, () =>
          decodeLines<unknown>(bytes, name, SCHEMAS[name]!),
        );
        if (records !== null) read++;
      }
      expect(read).toBeGreaterThan(100);
      expect(read).toBeLessThan(FUZZED_FILES - 1000);
    },
    TIMEOUT_MS,
  );
});

it(
  '1000 whole project files, damaged in the archive or in a record with checksums that fit',
  async () => {
    const good = await bytesOfFile(bundle());
    const files = unzipSync(good);
    const names = Object.keys(files).filter((name) => /\.jsonl?$/.test(name));
    const { project } = await readProjectFile(good);
    let read = 0;
    for (let i = 0; i < 1000; i++) {
      const name = names[i % names.length]!;
      const bytes =
        i % 2 === 0
          ? damageBytes(good, draws(i))
          : repacked({ ...files, [name]: damagedRecords(files[name]!, i) }, name);
      const result = await readDamaged(`file ${i}, ${name}`, () => readProjectFile(bytes));
      if (result === null) continue;
      read++;
      if (i % 2 === 0) expect(result.project).toEqual(project);
    }
    expect(read).toBeGreaterThan(10);
    expect(read).toBeLessThan(900);
  },
  TIMEOUT_MS,
);

/** What the records of each file of the bundle must look like. */
const SCHEMAS: Record<string, RecordSchema<unknown>> = {
  'project.json': projectSchema,
  'demonstrations.jsonl': demonstrationSchema,
  'prompts.jsonl': promptSchema,
  'sets.jsonl': candidateSetSchema,
  'rankings.jsonl': rankingSchema,
  'runs.jsonl': runSchema,
  'inputs.jsonl': runInputSchema,
  'metrics/run_1.jsonl': metricRowSchema,
  'samples/run_1.jsonl': stepSamplesSchema,
  'checkpoints/c1.json': checkpointSchema,
};

/** JSON Lines with one line damaged; a file of one record is damaged as a whole. */
function damagedRecords(content: Uint8Array, i: number): Uint8Array {
  const records = textOf(content).trimEnd().split('\n');
  const whole = records.every((line) => line.startsWith('{') && line.endsWith('}'));
  if (!whole) return damagedJson(textOf(content), i);
  const at = i % records.length;
  records[at] = textOf(damagedJson(records[at]!, i));
  return bytesOf(records.join('\n'));
}

/** The archive with a manifest that fits, unless it is the manifest that was damaged. */
function repacked(files: Record<string, Uint8Array>, damaged: string): Uint8Array {
  if (damaged === 'manifest.json') return zipSync(files, { level: 1 });
  const listed = [];
  for (const [path, content] of Object.entries(files)) {
    if (path === 'manifest.json') continue;
    listed.push({
      path,
      bytes: content.length,
      sha256: createHash('sha256').update(content).digest('hex'),
    });
  }
  const manifest = { format: 'rlhf-playground', version: 1, files: listed };
  return zipSync({ ...files, 'manifest.json': bytesOf(JSON.stringify(manifest)) }, { level: 1 });
}

const DEEP = 1e5;
const DEEP_LIST = '['.repeat(DEEP) + ']'.repeat(DEEP);
const DEEP_OBJECT = `${'{"a":'.repeat(DEEP)}1${'}'.repeat(DEEP)}`;
const LONG = 'x'.repeat(50 * 2 ** 20);

/** Where a value can be put, and what reads the file then. */
const readers: [string, (json: string) => string, (bytes: Uint8Array<ArrayBuffer>) => unknown][] = [
  ['demonstration, prompt', (json) => `{"prompt":${json},"completion":"x"}`, demonstrations],
  [
    'demonstration, role',
    (json) => `{"messages":[{"role":${json},"content":"x"}]}`,
    demonstrations,
  ],
  ['demonstration, content', (json) => `{"messages":[{"role":"user","content":${json}}]}`, demonstrations], // prettier-ignore
  ['demonstration in a broken list', (json) => `[{"prompt":"Hi","completion":${json}},`, demonstrations], // prettier-ignore
  ['cell of a table', (json) => `prompt,completion\nHi,${json}\n`, demonstrations],
  ['text', (json) => `Prompt: Hi\nResponse: ${json}`, demonstrations],
  ['class file', (json) => json, (bytes) => atOnce(readClassFile('x', bytes))],
  ['class file, entry', classFile, (bytes) => atOnce(readClassFile('x', bytes))],
  ['safetensors header', (json) => `{"a":{"dtype":${json}}}`, (bytes) => readSafetensors(safetensors(bytes), 'x')], // prettier-ignore
  ['config.json', (json) => `{"model_type":${json}}`, (bytes) => readLlamaConfig(parsed(bytes))],
  ['model.safetensors.index.json', (json) => `{"weight_map":{"a":${json}}}`, (bytes) => readShardIndex(parsed(bytes))], // prettier-ignore
  ['tokenizer.json, vocab', (json) => `{"model":{"type":"BPE","vocab":{"a":${json}},"merges":[]}}`, (bytes) => importTokenizer(parsed(bytes), null)], // prettier-ignore
  ['tokenizer.json, pre_tokenizer', (json) => `{"model":{"type":"BPE","vocab":{"a":0},"merges":[]},"pre_tokenizer":${json}}`, (bytes) => importTokenizer(parsed(bytes), null)], // prettier-ignore
];

const parsed = (bytes: Uint8Array): unknown => JSON.parse(textOf(bytes)) as unknown;

/** One class file has at most 8 MB: a longer value stands in it once. */
function classFile(json: string): string {
  const preferences = json.length > 2 ** 22 ? '1' : json;
  return (
    '{"format":"rlhf-playground-class","version":1,"origin":"a","madeIn":"b","project":"c","groups":[],' +
    `"guidelines":[],"labelers":[${json}],"sets":[],"rankings":[],"exposures":[],"preferences":${preferences}}`
  );
}

function safetensors(json: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(8 + json.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true);
  bytes.set(json, 8);
  return bytes;
}

/** Project files that hold `json` as the prompt of a demonstration and as a whole line. */
const projectFiles = async (json: string): Promise<Uint8Array[]> => {
  const files = unzipSync(await bytesOfFile(bundle()));
  const path = 'demonstrations.jsonl';
  const line = `{"id":"d9","projectId":"p-1","prompt":${json},"completion":"x","heldOut":7,"seq":1}`;
  return [line, json].map((text) => repacked({ ...files, [path]: bytesOf(text) }, path));
};

const HOSTILE_JSON: [string, () => string][] = [
  [`lists ${DEEP} deep`, () => DEEP_LIST],
  [`objects ${DEEP} deep`, () => DEEP_OBJECT],
  ['one line of 50 MB', () => `"${LONG}"`],
  ['lone surrogates', () => '"\\ud800\\udfff\\udc00 \\ud83d"'],
  [
    '__proto__',
    () => '{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}',
  ],
];

describe.each(HOSTILE_JSON)('%s', (_name, json) => {
  it.each(readers)(
    'as %s',
    async (name, around, read) => {
      const bytes = bytesOf(around(json()));
      const result = await readDamaged(name, () => read(bytes));
      const notes = (result as ParsedDemonstrations | null)?.rejected ?? [];
      for (const { reason } of notes) expect(reason.length).toBeLessThan(500);
      expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
    },
    TIMEOUT_MS,
  );

  it(
    'in a project file',
    async () => {
      for (const bytes of await projectFiles(json())) {
        // lone surrogates are text like any other; what is refused is heldOut: 7
        expect(await readDamaged('project file', () => readProjectFile(bytes))).toBeNull();
      }
      expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
    },
    TIMEOUT_MS,
  );
});

describe('a zip that lies', () => {
  const zeros = (bytes: number): Uint8Array => new Uint8Array(bytes);
  /** An archive of one deflated file that declares what it is told to. */
  function zipOf(path: string, packed: Uint8Array, declared: number): Uint8Array {
    const name = bytesOf(path);
    const local = new Uint8Array(30 + name.length + packed.length);
    const directory = new Uint8Array(46 + name.length);
    const end = new DataView(new ArrayBuffer(22));
    const [l, d] = [new DataView(local.buffer), new DataView(directory.buffer)];
    l.setUint32(0, 0x04034b50, true);
    l.setUint16(26, name.length, true);
    local.set(name, 30);
    local.set(packed, 30 + name.length);
    d.setUint32(0, 0x02014b50, true);
    d.setUint16(10, 8, true);
    d.setUint32(20, packed.length, true);
    d.setUint32(24, declared, true);
    d.setUint16(28, name.length, true);
    directory.set(name, 46);
    end.setUint32(0, 0x06054b50, true);
    end.setUint16(10, 1, true);
    end.setUint32(12, directory.length, true);
    end.setUint32(16, local.length, true);
    return Buffer.concat([local, directory, new Uint8Array(end.buffer)]);
  }
  /** 256 MB of zeros in 256 KB: deflate's best. */
  const BOMB_BYTES = 2 ** 28;
  const bomb = deflateRawSync(zeros(BOMB_BYTES), { level: 9 });

  const refusal = async (zip: Uint8Array): Promise<string> => {
    let message = '';
    const result = await readDamaged('zip', async () => {
      try {
        return await readProjectFile(zip);
      } catch (error) {
        message = (error as Error).message;
        throw error;
      }
    });
    expect(result).toBeNull();
    return message;
  };

  it('a bomb that declares what it holds is refused before it is inflated', async () => {
    expect(bomb.length).toBeLessThan(BOMB_BYTES / 1000);
    expect(await refusal(zipOf('manifest.json', bomb, BOMB_BYTES))).toMatch(/claims to hold/);
  });

  it('a bomb that declares less is inflated no further than that', async () => {
    const message = await refusal(zipOf('manifest.json', bomb, 1000));
    expect(message).toMatch(/holds more than the 1000 bytes it declares/);
  });

  it('a file that declares more than it holds', async () => {
    const zip = zipOf('manifest.json', deflateRawSync(bytesOf('{}')), 100_000);
    expect(await refusal(zip)).toMatch(/holds 2 bytes and declares 100000/);
  });

  it('two entries that share bytes', async () => {
    const zip = zipSync({ 'manifest.json': bytesOf('{}'), 'runs.jsonl': bytesOf('') });
    new DataView(zip.buffer).setUint32(zip.length - 22 - 46 - 'runs.jsonl'.length + 42, 0, true);
    expect(await refusal(zip)).toMatch(/shares bytes/);
  });

  it(
    'thousands of files cost no more than their number',
    async () => {
      const claims = zipOf('manifest.json', bomb, 1000);
      new DataView(claims.buffer, claims.byteOffset).setUint16(claims.length - 12, 20_001, true);
      expect(await refusal(claims)).toMatch(/over 20000 files/);
      const files = Object.fromEntries(
        Array.from({ length: 5000 }, (_, i) => [`checkpoints/c${i}.safetensors`, zeros(0)]),
      );
      expect(await refusal(repacked(files, ''))).toMatch(/project\.json|checkpoints/);
    },
    TIMEOUT_MS,
  );

  it('a path of 60 000 characters, or with a null byte', async () => {
    for (const path of [
      'x'.repeat(60_000),
      '../../etc/passwd',
      'project.json\0.jsonl',
      '__proto__',
    ]) {
      expect(await refusal(zipOf(path, bomb, 1000))).toMatch(/no such path/);
    }
  });

  it('an archive inside its own comment, and none at all', async () => {
    expect(await refusal(bomb)).toMatch(/not a zip file/);
    const zip = zipSync({ 'manifest.json': zeros(3) });
    expect(await refusal(Uint8Array.of(...zip, 1, 2, 3))).toMatch(/not a zip file/);
  });
});
