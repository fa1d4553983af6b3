import { describe, expect, it } from 'vitest';
import { experimentHash, type ExperimentInputs } from '../../../src/core/experiment-inputs';
import { changedInputs, inputHash } from '../../../src/core/run-inputs';
import { NO_MODELS } from '../../../src/core/stage-models';
import { aRanking } from './rankings';

const inputs = (
  project: Partial<ExperimentInputs['project']> = {},
  change: Partial<ExperimentInputs> = {},
): ExperimentInputs => ({
  project: { base: 'nano', runs: { ...NO_MODELS }, ...project },
  demonstrations: [],
  prompts: [],
  rankings: [aRanking({ seq: 1 }), aRanking({ seq: 2, labeler: 'ben', prompt: 'Good morning!' })],
  runs: [],
  ...change,
});

describe('the electorate in the input hash', () => {
  const before = inputHash('reward', inputs());

  it('is not there where everyone counts alike: hashes of earlier releases still hold', () => {
    expect(before).not.toContain('electorate');
    expect(inputHash('reward', inputs({ electorate: {} }))).toBe(before);
    expect(inputHash('reward', inputs({ electorate: { nobody: 0, ann: 1 } }))).toBe(before);
    expect(inputHash('reward', inputs({ electorate: { ann: 2, ben: 2 } }))).toBe(before);
  });

  it.each(['reward', 'dpo'] as const)('marks %s as out of date, there and back', (stage) => {
    const even = inputHash(stage, inputs());
    const swapped = inputHash(stage, inputs({ electorate: { ben: 0 } }));
    expect(changedInputs(even, swapped)).toEqual(['electorate']);
    expect(changedInputs(swapped, even)).toEqual(['electorate']);
    expect(changedInputs(swapped, inputHash(stage, inputs({ electorate: { ann: 0 } })))).toEqual([
      'electorate',
    ]);
    expect(changedInputs(swapped, inputHash(stage, inputs({ electorate: { ben: 0 } })))).toEqual(
      [],
    );
  });

  it('changes nothing of PPO, which reads no rankings', () => {
    expect(inputHash('ppo', inputs({ electorate: { ben: 0 } }))).toBe(inputHash('ppo', inputs()));
  });
});

describe('the hash of an experiment', () => {
  const profile = (code: string, group: string) => ({
    code,
    groups: [group],
    consentedAt: null,
    simulated: null,
    dailyHarmLimit: null,
  });
  const grouped = (group: string) =>
    inputs({ labelers: [profile('ann', 'day'), profile('ben', group)] });

  it('of the electorate follows who is in which group', () => {
    const before = experimentHash('electorate', grouped('day'));
    const now = experimentHash('electorate', grouped('night'));
    expect(changedInputs(before, now)).toEqual(['groups']);
    expect(experimentHash('electorate', grouped('day'))).toBe(before);
  });

  it('of the others follows prompts and the SFT model alone', () => {
    const before = experimentHash('harm-dial', inputs());
    expect(experimentHash('harm-dial', inputs({}, { rankings: [] }))).toBe(before);
    const prompts = [{ id: 'a', projectId: 'p', text: 'Good morning!', seq: 1 }];
    expect(changedInputs(before, experimentHash('harm-dial', inputs({}, { prompts })))).toEqual([
      'prompts',
    ]);
  });
});
