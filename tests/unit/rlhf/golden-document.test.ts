/** docs/parity.md: how it is put together, and that it is about the fixtures that lie here. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { ParityRow } from '../../../tools/golden/rlhf/parity';
import { parityDocument, type FixtureFacts } from '../../../tools/golden/rlhf/parity-document';
import adamw from '../../golden/rlhf/adamw.json';
import dpo from '../../golden/rlhf/dpo.json';
import control from '../../golden/rlhf/control.json';
import reward from '../../golden/rlhf/reward.json';
import rollout from '../../golden/rlhf/rollout.json';
import trajectories from '../../golden/rlhf/trajectories.json';
import update from '../../golden/rlhf/update.json';

const page = readFileSync('docs/parity.md', 'utf8');

const FILES = [
  'tests/unit/rlhf/golden-advantage.test.ts',
  'tests/gpu/golden-ppo.test.ts',
  'tests/gpu/golden-reward.test.ts',
  'tests/gpu/golden-dpo.test.ts',
  'tests/gpu/golden-adamw.test.ts',
  'tests/unit/rlhf/golden-control.test.ts',
  'tests/gpu/golden-trajectories.test.ts',
];
const row = (changes: Partial<ParityRow>): ParityRow => ({
  quantity: 'q',
  on: 'webgpu',
  source: 'somebody',
  count: 3,
  ours: 1.5,
  reference: 1.25,
  difference: 2e-7,
  limit: 1e-5,
  absolute: false,
  ...changes,
});
const FACTS: FixtureFacts = {
  versions: rollout.versions,
  controllerVersion: '0',
  approxkl: [1, 2],
  ratio: [3, 4],
  entropy: [5, 6],
  placement: 7,
};

describe('the document', () => {
  const others = FILES.slice(1).map((file) => ({ file, rows: [row({ quantity: file })] }));

  test('puts both backends of a quantity into one line', () => {
    const rows = [row({}), row({ on: 'wasm', difference: 3e-7 })];
    const text = parityDocument([{ file: FILES[0]!, rows }, ...others], FACTS, 'a card');
    expect(text).toContain('| q | 3 | 1.5 | 1.25 | 2.0e−7 | 3.0e−7 | – | 1.0e−5 | somebody |');
    expect(text).toContain('WebGPU on a card');
  });

  test('is refused when a file of tests has told nothing', () => {
    expect(() => parityDocument(others, FACTS, '')).toThrow(/golden-advantage/);
  });
});

test('every fixture was made by the versions that docs/parity.md names', () => {
  const { torch, transformers, trl } = rollout.versions;
  for (const { versions } of [adamw, control, dpo, reward, trajectories, update]) {
    expect(versions).toEqual(rollout.versions);
  }
  expect(page).toContain(`torch ${torch}, transformers ${transformers}, trl ${trl}`);
  expect(page).toContain(`trl ${control.controllerVersion} for the KL controllers`);
});
