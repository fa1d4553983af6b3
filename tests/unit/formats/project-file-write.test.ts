import { describe, expect, it, vi } from 'vitest';
import { readProjectFile, writeProjectFile } from '../../../src/formats/project-file';
import { ProjectPacker } from '../../../src/formats/project-zip';
import { bundle, bytesOfFile, errorOf, type TestBundle } from './project-bundle';

describe('memory', () => {
  it('holds the tensors of one checkpoint at a time, on the way out and on the way in', async () => {
    const add = vi.spyOn(ProjectPacker.prototype, 'add');
    const given = bundle();
    const [{ manifest, tensors }] = given.checkpoints as [TestBundle['checkpoints'][0]];
    const packed = (): number =>
      add.mock.calls.filter(([path]) => path.endsWith('.safetensors')).length;
    const packedBefore: number[] = [];
    given.checkpoints = ['c1', 'c2', 'c3'].map((id) => ({
      manifest: { ...manifest, id },
      tensors,
      load: () => {
        packedBefore.push(packed());
        return Promise.resolve(structuredClone(tensors));
      },
    }));
    try {
      const bytes = await bytesOfFile(given);
      expect(packedBefore).toEqual([0, 1, 2]);
      const back = await readProjectFile(bytes);
      // Loaded anew each time: nobody keeps them.
      const [first] = back.checkpoints;
      expect(await first!.load()).toEqual(tensors);
      expect(await first!.load()).not.toBe(await first!.load());
    } finally {
      add.mockRestore();
    }
  });
});

describe('what cannot be written', () => {
  it.each<[string, (b: TestBundle) => void, RegExp]>([
    [
      'a NaN setting',
      (b) => (b.project.settings.sft!['learning_rate'] = NaN),
      /project\.json: learning_rate is NaN/,
    ],
    ['a NaN in the state', (b) => (b.checkpoints[0]!.manifest.state['x'] = [NaN]), /c1\.json/],
    [
      'a NaN weight',
      (b) => (b.checkpoints[0]!.tensors.get('model.norm.weight')!.data[0] = NaN),
      /value 0 is NaN/,
    ],
    [
      'an id that is a path',
      (b) => (b.metrics[0]!.runId = '../x'),
      /metrics\/\.\.\/x\.jsonl: there is no run/,
    ],
    [
      'two checkpoints of one id',
      (b) => b.checkpoints.push(b.checkpoints[0]!),
      /two records have this id/,
    ],
    [
      'tensors that are not listed',
      (b) => b.checkpoints[0]!.tensors.delete('model.norm.weight'),
      /is missing/,
    ],
  ])('%s is named', async (_name, change, message) => {
    const given = bundle();
    change(given);
    expect((await errorOf(writeProjectFile(given))).message).toMatch(message);
  });
});
