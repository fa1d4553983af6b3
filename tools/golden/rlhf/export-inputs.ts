/**
 * Writes the inputs of the fixtures for Python: `tsx tools/golden/rlhf/export-inputs.ts FILE`.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { WeightMap } from '../../../src/core/domain';
import { DPO_SETTINGS, fingerprint, ONE_SHOT } from './inputs';
import { trainingInputs, trajectories } from './trajectory-inputs';

const path = process.argv[2];
if (path === undefined) throw new Error('Give the file to write.');

const training = trainingInputs(trajectories());

mkdirSync(dirname(path), { recursive: true });
writeFileSync(
  path,
  JSON.stringify(
    {
      fingerprints: {
        oneShot: fingerprint(ONE_SHOT),
        dpo: fingerprint([ONE_SHOT, DPO_SETTINGS]),
        training: fingerprint(training),
      },
      oneShot: ONE_SHOT,
      dpoSettings: DPO_SETTINGS,
      training,
    },
    (_, value: unknown) => {
      if (value instanceof Map) {
        return Object.fromEntries(value as WeightMap);
      }
      return value instanceof Float32Array ? [...value] : value;
    },
  ),
);
