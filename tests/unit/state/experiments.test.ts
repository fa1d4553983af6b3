import { describe, expect, it } from 'vitest';
import type { ElectorateRecord, HarmDialRecord } from '../../../src/core/experiments';
import { experimentHash } from '../../../src/core/experiment-inputs';
import { aProject, announce, aRun, aState } from './parts';

const inputsOf = ({ project }: ReturnType<typeof aState>) => {
  const { record, demonstrations, prompts, rankings, runs } = project;
  return { project: record, demonstrations, prompts, rankings, runs };
};

const rank = ({ project }: ReturnType<typeof aState>, labeler: string) =>
  project.addRanking({
    prompt: 'Who is Sam?',
    completions: [`Gladly, says ${labeler}.`, 'No.'],
    ranks: [1, 2],
    labeler,
    flags: [],
  });

const ELECTORATE: ElectorateRecord = {
  inputHash: '',
  ppoIterations: 0,
  models: [],
  judges: [],
  heldOutPrompts: 1,
  sets: 1,
  changedSets: 0,
  changed: [],
  warnings: [],
  policies: null,
  shownPrompts: [],
  answers: 0,
};
const VALUES = { attribute: 'polite', noise: 0, harm_aversion: 1, length_bias: 0 } as const;
const DIAL: HarmDialRecord = {
  inputHash: '',
  values: VALUES,
  comparisons: 100,
  ppoIterations: 1,
  seeds: 1,
  runs: [],
  baseline: [0.2],
  harmPairs: 1,
  harmlessPairs: 1,
  answers: 1,
  written: 1,
  surrogates: 0,
};

describe('whose rankings count', () => {
  it('keeps weights that are not 1 in the project and marks the reward model out of date', () => {
    const state = aState();
    const { project } = state;
    rank(state, 'ann');
    rank(state, 'ben');
    announce(project, aRun(project, 'reward', 1));
    expect(project.staleReason('reward')).toBeNull();
    project.experiments.weigh({ ann: 0, ben: 1 });
    expect(project.record.electorate).toEqual({ ann: 0 });
    expect(project.staleReason('reward')).toBe(
      'Out of date: whose rankings count has changed since this run.',
    );
    project.experiments.weigh({ ann: 1 });
    expect(project.staleReason('reward')).toBeNull();
  });

  it('refuses a weight that is none, and changes nothing then', () => {
    const { project } = aState();
    for (const weight of [-1, NaN, 11, Infinity]) {
      expect(() => project.experiments.weigh({ ben: 2, ann: weight })).toThrow(/from 0 to 10/);
    }
    expect(project.experiments.electorate).toEqual({});
  });

  it('leaves the reward model without anything to learn from when everyone is held out', () => {
    const state = aState();
    rank(state, 'ann');
    announce(state.project, aRun(state.project, 'sft', 1));
    expect(state.project.missing('reward')).toBeNull();
    state.project.experiments.weigh({ ann: 0 });
    expect(state.project.missing('reward')).toMatchObject({ page: 'people' });
  });
});

describe('experiments', () => {
  it('send the settings of the project, and keep what came beside what was there', async () => {
    const state = aState(
      { experiment: DIAL },
      aProject({ experiments: { electorate: ELECTORATE } }),
    );
    const { project, calls } = state;
    project.setSetting('reward', 'learning_rate', 0.002);
    const request = { values: VALUES, comparisons: 100, ppoIterations: 1, seeds: 1 };
    await project.experiments.dialHarm(request);
    expect(calls).toMatchObject([
      {
        name: 'experiment',
        request: {
          projectId: 'p1',
          experiment: { name: 'harm-dial', ...request },
          settings: { reward: { learning_rate: 0.002 }, ppo: { num_iterations: 40 } },
        },
      },
    ]);
    expect(project.record.experiments).toEqual({ electorate: ELECTORATE, harmDial: DIAL });
    expect(project.experiments.progress).toBeNull();
  });

  it('that were stopped leave what was there', async () => {
    const { project } = aState({}, aProject({ experiments: { harmDial: DIAL } }));
    const request = { values: VALUES, comparisons: 100, ppoIterations: 1, seeds: 1 };
    expect(await project.experiments.dialHarm(request)).toBeNull();
    expect(project.experiments.harmDialRecord).toEqual(DIAL);
  });

  it('tell how far they are, and nothing else starts meanwhile', async () => {
    const { project } = aState({ experiment: ELECTORATE });
    const running = project.experiments.swapElectorate({ ppoIterations: 0 });
    const event = { type: 'event', seq: 1, kind: 'experiment' } as const;
    project.experiments.handle({
      ...event,
      name: 'electorate',
      done: 2,
      total: 8,
      doing: 'reward model of ann',
      msLeft: 600,
    });
    expect(project.experiments.progress).toMatchObject({ done: 2, total: 8, msLeft: 600 });
    expect(() => project.requireIdle()).toThrow(/experiment/);
    await expect(project.experiments.askFirst()).rejects.toMatchObject({ code: 'missing' });
    await running;
    expect(() => project.requireIdle()).not.toThrow();
  });

  it('are out of date when what they stand on has changed', () => {
    const state = aState();
    rank(state, 'ann');
    rank(state, 'ben');
    const inputHash = experimentHash('electorate', inputsOf(state));
    const dialled = experimentHash('harm-dial', inputsOf(state));
    const record = {
      ...state.project.record,
      experiments: {
        electorate: { ...ELECTORATE, inputHash },
        harmDial: { ...DIAL, inputHash: dialled },
      },
    };
    const later = aState({}, record);
    rank(later, 'ann');
    rank(later, 'ben');
    const { experiments, people } = later.project;
    expect(experiments.stale('electorate')).toBeNull();
    people.update('ben', { groups: ['night'] });
    expect(experiments.stale('electorate')).toBe(
      'Out of date: the groups of labelers have changed since this experiment.',
    );
    expect(experiments.stale('harm-dial')).toBeNull();
    later.project.addPrompts('Good morning!');
    expect(experiments.stale('harm-dial')).toContain('the prompts have changed');
    expect(experiments.stale('right-pair')).toBeNull();
  });
});

describe('ask these first', () => {
  const set = (id: string, seq: number) => ({
    id,
    seq,
    projectId: 'p1',
    promptId: 'x',
    prompt: id,
    completions: ['a', 'b'].map((text) => ({
      text,
      tokens: [],
      logprobs: [],
      finish: 'eos' as const,
    })),
    order: [0, 1],
    sourceRunId: 'sft-1',
    temperature: 1,
    seed: 1,
  });

  it('puts the waiting sets in that order, new ones behind, until it is forgotten', async () => {
    const order = ['s3', 's1'].map((setId) => ({ setId, disagreement: 0.1 }));
    const { project } = aState({
      generateCandidates: ['s1', 's2', 's3'].map(set),
      experiment: order,
    });
    announce(project, aRun(project, 'sft', 1));
    project.addPrompts('one');
    await project.generateCandidates();
    const [first, second, third] = project.pendingSets.map(({ id }) => id);
    order[0]!.setId = third!;
    order[1]!.setId = first!;
    await project.experiments.askFirst();
    expect(project.record.askFirst).toEqual([third, first]);
    expect(project.pendingSets.map(({ id }) => id)).toEqual([third, first, second]);
    project.experiments.forgetOrder();
    expect(project.pendingSets.map(({ id }) => id)).toEqual([first, second, third]);
  });
});
