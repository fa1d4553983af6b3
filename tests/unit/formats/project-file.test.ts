import { unzipSync, zipSync, type Zippable } from 'fflate';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { HostTensor } from '../../../src/core/domain';
import { PlaygroundError } from '../../../src/core/errors';
import { rolloutSettings } from '../../../src/core/run-data';
import { readProjectFile, type ProjectBundle } from '../../../src/formats/project-file';
import { bundle, bytesOfFile, errorOf } from './project-bundle';

const bits = ({ data }: HostTensor): number[] => [
  ...new Uint32Array(data.buffer, data.byteOffset, data.length),
];
const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const bytesOf = (content: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(content);

/** A good file with its entries changed; the manifest is made to fit unless told otherwise. */
async function tampered(
  change: (files: Record<string, Uint8Array>) => void,
  fixManifest = true,
): Promise<Uint8Array> {
  const files = unzipSync(await bytesOfFile(bundle()));
  change(files);
  if (fixManifest) {
    const listed = [];
    for (const [path, content] of Object.entries(files)) {
      if (path === 'manifest.json') continue;
      const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', content));
      listed.push({
        path,
        bytes: content.length,
        sha256: [...digest].map((b) => b.toString(16).padStart(2, '0')).join(''),
      });
    }
    files['manifest.json'] = bytesOf(
      JSON.stringify({ format: 'rlhf-playground', version: 1, files: listed }),
    );
  }
  return zipSync(files);
}

const edit =
  (path: string, from: string | RegExp, to: string) =>
  (files: Record<string, Uint8Array>): void => {
    const before = text(files[path]!);
    const after = before.replace(from, to);
    expect(after).not.toBe(before);
    files[path] = bytesOf(after);
  };

describe('a project file', () => {
  it('of a release that knew neither DPO nor best-of-n is read; the project has none', async () => {
    const old = await tampered((files) => {
      edit('project.json', ',"dpo":null', '')(files);
      edit('project.json', /"bestOfN":\{.*?\]\S*?\},/, '')(files);
    });
    const { project } = await readProjectFile(old);
    expect(project.runs).toEqual({ base: null, sft: 'run_1', reward: null, ppo: null, dpo: null });
    expect(project).not.toHaveProperty('bestOfN');
  });

  it('holds what a DPO run was started on, with and without a reward model', async () => {
    const given = bundle();
    const start = { kind: 'checkpoint' as const, id: 'c1', runId: 'run_1' };
    for (const reward of [start, null]) {
      given.inputs[0]!.data = {
        stage: 'dpo',
        seed: 1,
        start,
        reward,
        rankings: given.rankings,
        prompts: ['Hi'],
        rollouts: rolloutSettings({ temperature: 0.7 }),
      };
      expect((await readProjectFile(await bytesOfFile(given))).inputs).toEqual(given.inputs);
    }
  });

  it('comes back equal, every record and every bit of every tensor', async () => {
    const given = bundle();
    const back = await readProjectFile(await bytesOfFile(given));
    const { checkpoints, ...records } = back;
    const { checkpoints: givenCheckpoints, ...givenRecords } = given;
    expect(records).toEqual(givenRecords);
    expect(checkpoints.map(({ manifest }) => manifest)).toEqual(
      givenCheckpoints.map(({ manifest }) => manifest),
    );
    const tensors = await checkpoints[0]!.load();
    for (const [name, expected] of givenCheckpoints[0]!.tensors) {
      const found = tensors.get(name)!;
      expect(found.shape).toEqual(expected.shape);
      expect(bits(found)).toEqual(bits(expected));
    }
    expect(tensors.size).toBe(2);
  });

  it('holds the preference card, for people; a reader passes over it', async () => {
    const files = unzipSync(await bytesOfFile(bundle()));
    expect(text(files['PREFERENCES.md']!)).toContain('- Rankings by people: 1: 1 with an order');
    expect(JSON.parse(text(files['preferences.json']!))).toMatchObject({
      format: 'rlhf-playground-preferences',
      people: { labelers: 1, rankings: 1 },
      harm: { byPeople: 1 },
    });
    const other = await tampered((all) => (all['preferences.json'] = bytesOf('not even JSON')));
    expect((await readProjectFile(other)).project).toEqual(bundle().project);
  });

  it('is the same bytes each time', async () => {
    expect(await bytesOfFile(bundle())).toEqual(await bytesOfFile(bundle()));
  });

  it('may be empty but for the project', async () => {
    const empty: ProjectBundle = {
      project: bundle().project,
      demonstrations: [],
      prompts: [],
      sets: [],
      rankings: [],
      runs: [],
      inputs: [],
      metrics: [],
      samples: [],
      checkpoints: [],
    };
    expect(await readProjectFile(await bytesOfFile(empty))).toEqual(empty);
  });

  it('can be packed again by a program that adds folders', async () => {
    const files: Zippable = unzipSync(await bytesOfFile(bundle()));
    const again = await readProjectFile(zipSync({ 'metrics/': new Uint8Array(0), ...files }));
    expect(again.metrics).toEqual(bundle().metrics);
  });

  it('keeps any text', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary' }), async (prompt) => {
        const given = bundle();
        given.demonstrations[0]!.prompt = prompt;
        expect((await readProjectFile(await bytesOfFile(given))).demonstrations[0]!.prompt).toBe(
          prompt,
        );
      }),
      { numRuns: 30 },
    );
  });
});

describe('a bad project file is refused as a whole', () => {
  type Change = (files: Record<string, Uint8Array>) => void;
  const evil: [string, Change, RegExp][] = [
    [
      'a path that climbs',
      (f) => (f['../x.jsonl'] = bytesOf('')),
      /\.\.\/x\.jsonl: a project file has no such path/,
    ],
    [
      'a path that climbs from inside',
      (f) => (f['metrics/../../x.jsonl'] = bytesOf('')),
      /no such path/,
    ],
    ['an absolute path', (f) => (f['/project.json'] = bytesOf('')), /no such path/],
    ['a backslash path', (f) => (f['metrics\\x.jsonl'] = bytesOf('')), /no such path/],
    ['a prototype', (f) => (f['metrics/__proto__.jsonl'] = bytesOf('')), /no run __proto__/],
    ['an unknown file', (f) => (f['x.exe'] = bytesOf('')), /no such path/],
    ['no project', (f) => delete f['project.json'], /project\.json: the file is missing/],
    ['no runs', (f) => delete f['runs.jsonl'], /runs\.jsonl: the file is missing/],
    [
      'no weights',
      (f) => delete f['checkpoints/c1.safetensors'],
      /c1\.safetensors: the file is missing/,
    ],
    ['weights alone', (f) => delete f['checkpoints/c1.json'], /c1\.json: the file is missing/],
    ['no JSON', edit('project.json', '{', ''), /project\.json: it is not JSON/],
    [
      'no UTF-8',
      (f) => (f['prompts.jsonl'] = Uint8Array.of(0xff)),
      /prompts\.jsonl: it is not UTF-8/,
    ],
    [
      'a wrong type',
      edit('demonstrations.jsonl', '"seq":1', '"seq":"1"'),
      /demonstrations\.jsonl line 2: field seq/,
    ],
    ['a field too many', edit('prompts.jsonl', '{', '{"x":1,'), /prompts\.jsonl line 1: field x/],
    ['a missing field', edit('project.json', '"seed":7,', ''), /project\.json: field seed/],
    ['an unknown page', edit('project.json', '"page":"ppo"', '"page":"x"'), /field page/],
    [
      'an infinite number',
      edit('sets.jsonl', '0.7', '1e999'),
      /sets\.jsonl line 1: field temperature/,
    ],
    [
      'a fractional token',
      edit('sets.jsonl', '[5,1]', '[5.5,1]'),
      /field completions\.0\.tokens\.0/,
    ],
    [
      'ranks that do not fit',
      edit('rankings.jsonl', '[1,1]', '[1]'),
      /rankings\.jsonl line 1: ranks must/,
    ],
    ['rank 0', edit('rankings.jsonl', '[1,1]', '[0,1]'), /field ranks\.0/],
    [
      'a name for a number',
      edit('runs.jsonl', '"step":2', '"step":"NaN"'),
      /runs\.jsonl line 1: field step/,
    ],
    ['another project', edit('prompts.jsonl', 'p-1', 'p-2'), /belongs to another project/],
    [
      'an id twice',
      (f) => (f['prompts.jsonl'] = bytesOf(text(f['prompts.jsonl']!).repeat(2))),
      /id q1 occurs twice/,
    ],
    ['an id that is a path', edit('demonstrations.jsonl', '"d1"', '"../d1"'), /field id/],
    ['samples of no run', (f) => (f['samples/x.jsonl'] = bytesOf('')), /there is no run x/],
    [
      'inputs of no run',
      edit('inputs.jsonl', '"run_1"', '"run_2"'),
      /inputs\.jsonl: there is no run run_2/,
    ],
    [
      'inputs twice',
      (f) => (f['inputs.jsonl'] = bytesOf(text(f['inputs.jsonl']!).repeat(2))),
      /id run_1 occurs twice/,
    ],
    [
      'inputs of an unknown stage',
      edit('inputs.jsonl', '"stage":"sft"', '"stage":"rlaif"'),
      /inputs\.jsonl line 1: field data\.stage/,
    ],
    [
      'a sample without its text',
      edit('samples/run_1.jsonl', '"tokens"', '"token"'),
      /samples\/run_1\.jsonl line 1: field samples\.0\.tokens?/,
    ],
    [
      'a run whose checkpoint is not there',
      edit('runs.jsonl', '"c1"', '"c9"'),
      /checkpoint c9 of run run_1 is missing/,
    ],
    ['metrics of no run', (f) => (f['metrics/x.jsonl'] = bytesOf('')), /there is no run x/],
    [
      'bad metrics',
      edit('metrics/run_1.jsonl', '"step":1', '"step":null'),
      /metrics\/run_1\.jsonl line 1: field step/,
    ],
    [
      'a checkpoint under another name',
      edit('checkpoints/c1.json', '"c1"', '"c2"'),
      /field id: it is c2/,
    ],
    ['a checkpoint of no run', edit('checkpoints/c1.json', '"run_1"', '"run_2"'), /no run run_2/],
    [
      'another shape',
      edit('checkpoints/c1.json', '[1,3]', '[3,1]'),
      /should be \[3, 1\] and is \[1, 3\]/,
    ],
    [
      'a tensor that is not there',
      edit('checkpoints/c1.json', 'adam.v', 'adam.m'),
      /adam\.m.* is missing/,
    ],
    [
      'a tensor that is not listed',
      edit('checkpoints/c1.json', /,\{"name":"adam[^}]*\}/, ''),
      /adam.* is not listed/,
    ],
    [
      'a tensor listed twice',
      edit('checkpoints/c1.json', /(\{"name":"adam[^}]*\})/, '$1,$1'),
      /listed twice/,
    ],
    [
      'broken weights',
      (f) => (f['checkpoints/c1.safetensors'] = f['checkpoints/c1.safetensors']!.slice(0, -1)),
      /cut off/,
    ],
  ];
  it.each(evil)('%s', async (_name, change, message) => {
    const error = await errorOf(readProjectFile(await tampered(change)));
    expect(error.code).toBe('format');
    expect(error.message).toMatch(message);
    expect(error.remedy).toMatch(/Nothing was imported|Export/);
  });

  const archive: [string, Change, RegExp][] = [
    ['no manifest', (f) => delete f['manifest.json'], /not a project file/],
    ['another format', edit('manifest.json', 'rlhf-playground', 'zip'), /field format/],
    [
      'a newer version',
      edit('manifest.json', '"version": 1', '"version": 2'),
      /newer page \(version 2/,
    ],
    ['version 0', edit('manifest.json', '"version": 1', '"version": 0'), /field version/],
    [
      'a file changed after packing',
      edit('prompts.jsonl', 'Hi', 'Ho'),
      /prompts\.jsonl: its checksum/,
    ],
    [
      'a file of another size',
      edit('prompts.jsonl', 'Hi', 'Hii'),
      /prompts\.jsonl: it has \d+ bytes, the manifest says/,
    ],
    [
      'a listed file that is missing',
      (f) => delete f['metrics/run_1.jsonl'],
      /metrics\/run_1\.jsonl: the file is missing/,
    ],
    ['a file that is not listed', (f) => (f['metrics/x.jsonl'] = bytesOf('')), /does not list it/],
    [
      'a file listed twice',
      edit('manifest.json', /(\{[^{}]*prompts[^{}]*\})/, '$1,$1'),
      /lists it twice/,
    ],
    [
      'a manifest that lists itself',
      edit('manifest.json', 'prompts.jsonl', 'manifest.json'),
      /manifest\.json: the file is missing/,
    ],
  ];
  it.each(archive)('%s', async (_name, change, message) => {
    const error = await errorOf(readProjectFile(await tampered(change, false)));
    expect(error.code).toBe('format');
    expect(error.message).toMatch(message);
  });

  it('not a zip, or cut off', async () => {
    const good = await bytesOfFile(bundle());
    for (const bytes of [
      new Uint8Array(0),
      bytesOf('hello'),
      good.slice(0, good.length / 2),
      good.slice(0, -5),
    ]) {
      expect((await errorOf(readProjectFile(bytes))).message).toMatch(/not a zip file/);
    }
  });

  /** Overwrites a 32-bit field of the central directory entry of `path`. */
  function patchCentral(zip: Uint8Array, path: string, offset: number, value: number): Uint8Array {
    const bytes = zip.slice();
    const view = new DataView(bytes.buffer);
    for (let at = bytes.length - 4; at >= 0; at--) {
      if (view.getUint32(at, true) !== 0x02014b50) continue;
      const name = text(bytes.slice(at + 46, at + 46 + view.getUint16(at + 28, true)));
      if (name === path) {
        view.setUint32(at + offset, value, true);
        return bytes;
      }
    }
    throw new Error(`no central entry for ${path}`);
  }

  it('a bomb: it is refused by its declared size, before anything is inflated', async () => {
    const bomb = patchCentral(await bytesOfFile(bundle()), 'prompts.jsonl', 24, 0x70000000);
    const started = performance.now();
    expect((await errorOf(readProjectFile(bomb))).message).toMatch(
      /prompts\.jsonl: it claims to hold 1879048192/,
    );
    expect(performance.now() - started).toBeLessThan(200);
  });

  it('a size that is declared too small', async () => {
    const cut = patchCentral(await bytesOfFile(bundle()), 'prompts.jsonl', 24, 3);
    expect((await errorOf(readProjectFile(cut))).field).toBe('prompts.jsonl');
  });

  it('entries that share bytes', async () => {
    const zip = await bytesOfFile(bundle());
    const shared = patchCentral(zip, 'checkpoints/c1.safetensors', 20, zip.length + 1);
    expect((await errorOf(readProjectFile(shared))).message).toMatch(/claims to hold/);
  });

  it('the same path twice', async () => {
    const files = unzipSync(await bytesOfFile(bundle()));
    files['metrics/run_2.jsonl'] = files['metrics/run_1.jsonl']!;
    const zip = zipSync(files);
    const name = bytesOf('metrics/run_2.jsonl');
    for (let at = 0; at + name.length <= zip.length; at++) {
      if (name.every((byte, i) => zip[at + i] === byte)) zip[at + 12] = '1'.charCodeAt(0);
    }
    expect((await errorOf(readProjectFile(zip))).message).toMatch(
      /run_1\.jsonl: the archive holds it twice/,
    );
  });

  it('any damaged byte: a typed error or the same project', async () => {
    const good = await bytesOfFile(bundle());
    const { project } = await readProjectFile(good);
    await fc.assert(
      fc.asyncProperty(
        fc.nat(good.length - 1),
        fc.integer({ min: 1, max: 255 }),
        async (at, flip) => {
          const damaged = good.slice();
          damaged[at] = damaged[at]! ^ flip;
          try {
            expect((await readProjectFile(damaged)).project).toEqual(project);
          } catch (error) {
            expect(error).toBeInstanceOf(PlaygroundError);
          }
        },
      ),
      { numRuns: 400 },
    );
  });
});
