/** What is exported comes back, and what came in goes out as it was. */
import { expect, it } from 'vitest';
import type { WeightMap } from '../../../src/core/domain';
import { importHuggingFace, type ImportedModel } from '../../../src/formats/hugging-face/import';
import { huggingFaceFiles, type ExportedModel } from '../../../src/formats/hugging-face/export';
import { readSafetensors } from '../../../src/formats/safetensors';
import { toTokenizerJson } from '../../../src/tokenizer/tokenizer-json';
import { asFiles, MODELS, readFolder, refusal, ROOMY, type Folder } from './hugging-face-folder';

const PLAIN = {
  temperature: 1,
  card: {
    projectName: 'Round trip',
    base: 'imported',
    seed: 1,
    stages: [],
    demonstrations: 0,
    rankings: { people: 0, simulated: 0 },
    normalization: null,
  },
};

async function read(folder: Folder): Promise<{ model: ImportedModel; weights: WeightMap }> {
  const model = await importHuggingFace(asFiles(folder), ROOMY);
  const weights: WeightMap = new Map();
  for await (const [name, tensor] of model.tensors()) weights.set(name, tensor);
  return { model, weights };
}

/** Export uses up the map it is given. */
function write(kind: ExportedModel['kind'], model: ImportedModel, weights: WeightMap): Folder {
  const { modelConfig: config, tokenizer } = model;
  const files = huggingFaceFiles({ ...PLAIN, kind, config, weights: new Map(weights), tokenizer });
  return new Map(
    files.map(({ path, pieces }) => [path, Uint8Array.from([...pieces()].flatMap((p) => [...p]))]),
  );
}

it.each(MODELS)('%s: import, export, import, export', async (name) => {
  const first = await read(readFolder(name));
  const exported = write('policy', first.model, first.weights);
  const second = await read(exported);
  expect(second.model.modelConfig).toEqual(first.model.modelConfig);
  expect(toTokenizerJson(second.model.tokenizer)).toEqual(toTokenizerJson(first.model.tokenizer));
  expect([...second.weights.keys()]).toEqual([...first.weights.keys()]);
  for (const [key, { shape, data }] of second.weights) {
    expect(shape).toEqual(first.weights.get(key)!.shape);
    expect(data).toEqual(first.weights.get(key)!.data);
  }
  expect(write('policy', second.model, second.weights)).toEqual(exported);
  // Nothing was missing the second time.
  expect(second.model.facts.join(' ')).not.toContain('added at its end');
});

it('refuses an exported reward model: it writes nothing', async () => {
  const { model, weights } = await read(readFolder('mqa-tied-f16'));
  const C = model.modelConfig.hidden_size;
  weights.set('score.weight', { shape: [1, C], data: new Float32Array(C) });
  weights.set('score.bias', { shape: [1], data: new Float32Array(1) });
  const exported = write('reward', model, weights);
  const { message } = await refusal(() => importHuggingFace(asFiles(exported), ROOMY));
  expect(message).toContain('"LlamaForSequenceClassification"; LlamaForCausalLM is supported');
});

it('leaves the bytes of an f32 file as they were', async () => {
  const folder = readFolder('mha-untied-f32');
  const original = readSafetensors(folder.get('model.safetensors')!, 'x');
  const { weights } = await read(folder);
  for (const [key, { data }] of original) {
    expect(weights.get(key)!.data.slice(0, data.length)).toEqual(data);
  }
});
