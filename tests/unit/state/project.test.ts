import { describe, expect, it } from 'vitest';
import { PPO_FIELDS } from '../../../src/core/config-ppo';
import { SFT_FIELDS } from '../../../src/core/config';
import type { Project, Run } from '../../../src/core/domain';
import { blankContent } from '../../../src/core/ranking-task';
import { NO_MODELS } from '../../../src/core/stage-models';
import { announce, aProject, aRun, aState } from './parts';

const BLOCKS = 'Prompt: a\nResponse: A\n\nPrompt: b\nResponse: B\n\nPrompt: c\nResponse: C\n';
const RANKING = {
  prompt: 'a',
  completions: ['x', 'y', 'z'],
  ranks: [1, 2, 2],
  labeler: 'me',
  flags: [],
};

describe('settings', () => {
  it('refuses what is out of range with the range, and keeps the stored value', () => {
    const { project } = aState();
    expect(project.setSetting('sft', 'learning_rate', 0.01)).toBeNull();
    expect(project.setSetting('sft', 'learning_rate', 7)).toBe(
      'must be from 0.000001 to 0.1, not 7',
    );
    expect(project.setSetting('sft', 'num_train_epochs', 1.5)).toMatch(
      /^must be a whole number from 1 to 100/,
    );
    expect(project.setSetting('sft', 'nonsense', 1)).toMatch(/not a setting/);
    expect(project.settings('sft').learning_rate).toBe(0.01);
    expect(project.settings('sft').num_train_epochs).toBe(SFT_FIELDS.num_train_epochs.default);
  });

  it('falls back to the default where a stored value is no longer allowed', () => {
    const settings = { ppo: { kl_coef: -4, num_iterations: 9, gone: 1 } };
    const { project } = aState({}, aProject({ settings }));
    expect(project.settings('ppo')).toMatchObject({
      kl_coef: PPO_FIELDS.kl_coef.default,
      num_iterations: 9,
    });
    expect(project.settings('ppo')).not.toHaveProperty('gone');
  });

  it('takes a smaller PPO learning rate for a wider or deeper base, unless one was chosen', () => {
    const rateOf = (record: Partial<Project>, baseRuns: Run[] = []): number =>
      aState({}, aProject(record), { runs: baseRuns }).project.settings('ppo').learning_rate;
    const { default: narrow } = PPO_FIELDS.learning_rate;
    expect(rateOf({ base: 'nano' })).toBe(narrow);
    expect(rateOf({ base: 'tiny' })).toBe(narrow / 4);
    expect(rateOf({ base: 'small' })).toBe(4.17e-5);
    expect(rateOf({ base: 'tiny', settings: { ppo: { learning_rate: 0.01 } } })).toBe(0.01);
    // nothing pretrained yet: the size that would be
    expect(rateOf({ base: 'scratch' })).toBe(narrow);
    const settings = { pretrain: { preset: 'small' } };
    expect(rateOf({ base: 'scratch', settings })).toBe(4.17e-5);
    // pretrained in the page or imported: the shape of that model, whatever is chosen for the next
    const runs = { ...NO_MODELS, base: 'run' };
    const { project } = aState();
    const made = (config: Run['config']) => [aRun(project, 'pretrain', 1, { id: 'run', config })];
    expect(rateOf({ base: 'nano', runs, settings }, made({ preset: 'tiny' }))).toBe(narrow / 4);
    const imported = { imported: 'model.safetensors', hidden_size: 96, num_hidden_layers: 2 };
    expect(rateOf({ base: 'nano', runs, settings }, made(imported))).toBe(0.000333);
    expect(rateOf({ base: 'nano', runs }, made({ imported: 'of an older page' }))).toBe(narrow);
    const { min, max } = PPO_FIELDS.learning_rate;
    const absurd = (hidden_size: number) => made({ ...imported, hidden_size });
    expect(rateOf({ base: 'nano', runs }, absurd(0))).toBe(max);
    expect(rateOf({ base: 'nano', runs }, absurd(-8))).toBe(min);
    expect(rateOf({ base: 'nano', runs }, absurd(1e12))).toBe(min);
  });

  it('sends nothing to the worker when a run is asked for with a bad setting', async () => {
    const { project, calls } = aState();
    project.addDemonstrations(BLOCKS);
    const start = project.startRun('sft', { learning_rate: 99 });
    await expect(start).rejects.toMatchObject({ code: 'config', field: 'learning_rate' });
    expect(calls).toEqual([]);
  });
});

describe('what a stage needs, and what is out of date', () => {
  it('names what is missing and the page where it is made', async () => {
    const { project, calls } = aState({ startRun: { runId: 'sft-1' } });
    expect(project.missing('sft')?.page).toBe('sft');
    await expect(project.startRun('sft')).rejects.toMatchObject({ code: 'missing' });
    project.addDemonstrations(BLOCKS);
    expect(project.missing('sft')).toBeNull();
    expect(project.missing('reward')?.page).toBe('sft');
    expect(await project.startRun('sft')).toBe('sft-1');
    expect(calls.at(-1)).toMatchObject({ name: 'startRun', request: { stage: 'sft' } });
  });

  it('marks a model as out of date when its inputs change, and again when they change back', () => {
    const { project } = aState();
    project.addDemonstrations(BLOCKS);
    announce(project, aRun(project, 'sft', 1));
    expect(project.record.runs.sft).toBe('sft-1');
    expect(project.staleReason('sft')).toBeNull();

    project.updateDemonstration(project.demonstrations[0]!.id, { completion: 'other' });
    expect(project.staleReason('sft')).toMatch(/demonstrations have changed/);
    project.demonstrationEdits.undo();
    expect(project.staleReason('sft')).toBeNull();
    project.updateDemonstration(project.demonstrations[0]!.id, { heldOut: true });
    expect(project.staleReason('sft')).toMatch(/demonstrations have changed/);
  });

  it('follows through the pipeline: new rankings, and an SFT model trained again', () => {
    const { project } = aState();
    project.addDemonstrations(BLOCKS);
    announce(project, aRun(project, 'sft', 1));
    project.addRanking(RANKING);
    announce(project, aRun(project, 'reward', 2));
    announce(project, aRun(project, 'ppo', 3));
    expect(project.staleReason('ppo')).toBeNull();

    project.addRanking({ ...RANKING, prompt: 'b' });
    expect(project.staleReason('reward')).toMatch(/rankings have changed/);
    expect(project.staleReason('ppo')).toMatch(/reward model it stands on/);
    announce(project, aRun(project, 'reward', 4));
    expect(project.staleReason('reward')).toBeNull();
    expect(project.staleReason('ppo')).toMatch(/reward model has been trained again/);
    announce(project, aRun(project, 'sft', 5));
    expect(project.staleReason('reward')).toMatch(/SFT model has been trained again/);
  });

  it('DPO needs rankings and no reward model, and its numbers follow the reward model', () => {
    const { project } = aState();
    project.addDemonstrations(BLOCKS);
    expect(project.missing('dpo')?.page).toBe('sft');
    announce(project, aRun(project, 'sft', 1));
    expect(project.missing('dpo')?.page).toBe('rankings');
    project.addRanking(RANKING);
    expect(project.missing('dpo')).toBeNull();
    announce(project, aRun(project, 'dpo', 2));
    expect(project.record.runs.dpo).toBe('dpo-2');
    expect(project.staleReason('dpo')).toBeNull();
    announce(project, aRun(project, 'reward', 3));
    expect(project.staleReason('dpo')).toMatch(
      /reward model has been trained again since this run/,
    );
    announce(project, aRun(project, 'dpo', 4));
    project.addPrompts('Who is there?');
    expect(project.staleReason('dpo')).toMatch(/prompts have changed/);
    announce(project, aRun(project, 'dpo', 5));
    project.addRanking({ ...RANKING, prompt: 'b' });
    expect(project.staleReason('dpo')).toMatch(/rankings have changed/);
  });
});

describe('best-of-n', () => {
  const measured = {
    points: [{ n: 1, reward: 0.5, deviation: 0.1, kl: 0 }],
    prompts: 3,
    completions: 16,
  };

  it('is stored with the project, and out of date as a PPO run would be', async () => {
    const answers = { bestOfN: { ...measured, inputHash: '' } };
    const { project, commits } = aState(answers);
    project.addDemonstrations(BLOCKS);
    announce(project, aRun(project, 'sft', 1));
    announce(project, aRun(project, 'reward', 2));
    expect(project.staleBestOfN()).toBeNull();
    answers.bestOfN.inputHash = aRun(project, 'ppo', 3).inputHash;
    await project.bestOfN.measure();
    await project.flush();
    expect(commits.at(-1)!.projects!.get(project.record.id)!.bestOfN).toEqual(answers.bestOfN);
    expect(project.staleBestOfN()).toBeNull();
    announce(project, aRun(project, 'reward', 4));
    expect(project.staleBestOfN()).toMatch(
      /reward model has been trained again since this measurement/,
    );
  });

  it('has the project to itself, tells how far it is, and can fail', async () => {
    let end!: (record: unknown) => void;
    const waiting = new Promise((resolve) => (end = resolve));
    const { project, calls } = aState({ bestOfN: waiting });
    project.addDemonstrations(BLOCKS);
    const first = project.bestOfN.measure();
    expect(project.bestOfN.progress).toEqual({ done: 0, total: 0 });
    const progress = { type: 'event', seq: 1, kind: 'progress', done: 4, total: 24 } as const;
    project.bestOfN.handle({ ...progress, what: 'candidates' });
    expect(project.bestOfN.progress).toEqual({ done: 0, total: 0 });
    project.bestOfN.handle({ ...progress, what: 'best-of-n' });
    expect(project.bestOfN.progress).toEqual({ done: 4, total: 24 });
    const busy = { code: 'busy', message: expect.stringContaining('Best-of-n') as unknown };
    await expect(project.bestOfN.measure()).rejects.toMatchObject(busy);
    await expect(project.startRun('sft')).rejects.toMatchObject(busy);
    await expect(project.setBase('tiny')).rejects.toMatchObject(busy);
    expect(calls.filter(({ name }) => name !== 'bestOfN')).toEqual([]);
    end({ ...measured, inputHash: 'h' });
    await first;
    expect(project.bestOfN.progress).toBeNull();
    expect(project.record.bestOfN?.prompts).toBe(3);

    const failing = aState({ bestOfN: Promise.reject(new Error('no reward model')) });
    await expect(failing.project.bestOfN.measure()).rejects.toThrow('no reward model');
    expect(failing.project.bestOfN.progress).toBeNull();
    expect(failing.project.record.bestOfN).toBeUndefined();
  });
});

describe('runs', () => {
  it('follows a run from start to its last row', async () => {
    const { project } = aState();
    project.addDemonstrations(BLOCKS);
    announce(project, aRun(project, 'sft', 1, { status: 'running', checkpointId: null }));
    expect(project.transport.status).toBe('running');
    await expect(project.startRun('sft')).rejects.toMatchObject({ code: 'busy' });
    const finished = project.transport.finished('sft-1');
    for (const step of [1, 2]) {
      project.transport.handle({
        type: 'event',
        seq: step,
        kind: 'step',
        runId: 'sft-1',
        stage: 'sft',
        step,
        totalSteps: 2,
        row: { step, loss: 3 - step },
        tokensPerSecond: 5,
        msLeft: 0,
      });
    }
    announce(project, aRun(project, 'sft', 1));
    await expect(finished).resolves.toMatchObject({ id: 'sft-1' });
    expect(project.transport.status).toBe('idle');
    expect((await project.loadedRows('sft')).map(({ loss }) => loss)).toEqual([2, 1]);
  });

  it('rejects whoever waits for a run that fails, and keeps the earlier model', async () => {
    const { project, said } = aState();
    announce(project, aRun(project, 'sft', 1));
    announce(project, aRun(project, 'sft', 2, { status: 'running', checkpointId: null }));
    const finished = project.transport.finished('sft-2');
    announce(
      project,
      aRun(project, 'sft', 2, { status: 'failed', error: 'loss is NaN at step 3' }),
    );
    await expect(finished).rejects.toThrow('NaN at step 3');
    expect(said).toEqual(['loss is NaN at step 3']);
    expect(project.currentRun('sft')?.id).toBe('sft-1');
  });
});

describe('a run whose numbers stopped being numbers', () => {
  const FAILURE = {
    code: 'non-finite',
    field: 'loss',
    message: 'Step 3: the loss is NaN. The run went back to its checkpoint of step 2.',
    remedy: 'Lower the learning rate, then train again.',
  } as const;
  const rowAt = (step: number) => ({ step, loss: 3 - step });

  it('is the model from its last good checkpoint on, and keeps no row after it', async () => {
    const { project, said } = aState();
    project.addDemonstrations(BLOCKS);
    announce(project, aRun(project, 'sft', 1));
    const started = aRun(project, 'sft', 2, { status: 'running', checkpointId: null });
    announce(project, started);
    const finished = project.transport.finished('sft-2');
    for (const step of [1, 2, 3]) {
      project.transport.handle({
        type: 'event',
        seq: step,
        kind: 'step',
        runId: 'sft-2',
        stage: 'sft',
        step,
        totalSteps: 9,
        row: rowAt(step),
        tokensPerSecond: 5,
        msLeft: 0,
      });
      const entry = { type: 'event', seq: step, stage: 'sft', step } as const;
      project.transport.handle({ ...entry, kind: 'samples', runId: 'sft-2', samples: [] });
    }
    const run = { ...started, status: 'failed', step: 2, checkpointId: 'c', error: 'x' } as const;
    announce(project, run, { isModel: true, failure: FAILURE });
    await expect(finished).rejects.toMatchObject(FAILURE);
    expect(said).toEqual([FAILURE.message]);
    expect(project.record.runs.sft).toBe('sft-2');
    expect(project.currentRun('sft')).toMatchObject({ id: 'sft-2', status: 'failed', step: 2 });
    expect(project.missing('reward')?.page).toBe('rankings');
    expect(project.staleReason('sft')).toBeNull();
    expect(project.transport.canResume).toBeNull();
    expect(await project.loadedRows('sft')).toEqual([rowAt(1), rowAt(2)]);
    expect(project.samples('sft').map(({ step }) => step)).toEqual([1, 2]);
    // Whoever asks later is told the same.
    await expect(project.transport.finished('sft-2')).rejects.toMatchObject(FAILURE);
  });

  it('leaves what was there when nothing had been stored', () => {
    const { project } = aState();
    announce(project, aRun(project, 'sft', 1));
    const started = aRun(project, 'sft', 2, { status: 'running', checkpointId: null });
    announce(project, started);
    announce(project, { ...started, status: 'failed', step: 0 }, { failure: FAILURE });
    expect(project.currentRun('sft')?.id).toBe('sft-1');
  });
});

describe('another base', () => {
  const withModels = () => {
    const state = aState({}, aProject({ base: 'nano' }));
    const { project } = state;
    project.addDemonstrations(BLOCKS);
    announce(project, aRun(project, 'pretrain', 1));
    announce(project, aRun(project, 'sft', 2));
    project.addRanking(RANKING);
    announce(project, aRun(project, 'reward', 3));
    return state;
  };

  it('makes what grew from the old one out of date, keeps the data, and can be taken back', async () => {
    const { project, calls } = withModels();
    expect(project.staleReason('sft')).toBeNull();
    await project.setBase('tiny');
    expect(project.record).toMatchObject({ base: 'tiny', runs: { base: null, sft: 'sft-2' } });
    expect(project.staleReason('sft')).toMatch(/the base model is another one/);
    expect(project.staleReason('reward')).toMatch(/SFT model it stands on/);
    expect(project.demonstrations).toHaveLength(3);
    expect(project.rankings).toHaveLength(1);
    expect(calls.at(-1)).toEqual({ name: 'forget', request: { projectId: 'p1' } });
    await project.setBase('pretrain-1');
    expect(project.record).toMatchObject({ base: 'tiny', runs: { base: 'pretrain-1' } });
    expect(project.staleReason('sft')).toBeNull();
    await project.setBase('scratch');
    expect(project.record).toMatchObject({ base: 'scratch', runs: { base: null } });
    expect(project.missing('sft')?.page).toBe('base');
  });

  it('is refused when it is unknown, while a run is under way, or when it cannot be stored', async () => {
    const { project, storeState } = withModels();
    for (const id of ['huge', 'sft-2']) {
      await expect(project.setBase(id)).rejects.toMatchObject({ code: 'argument', field: 'base' });
    }
    await project.flush();
    storeState.failing = true;
    await expect(project.setBase('tiny')).rejects.toThrow('disk full');
    expect(project.record).toMatchObject({ base: 'nano', runs: { base: 'pretrain-1' } });
    announce(project, aRun(project, 'sft', 9, { status: 'running', checkpointId: null }));
    await expect(project.setBase('tiny')).rejects.toMatchObject({ code: 'busy' });
  });
});

describe('rankings', () => {
  it('stores ties as competition ranks and brings a set back on undo', async () => {
    const completion = (text: string) => ({ text, tokens: [], logprobs: [], finish: 'eos' });
    const set = {
      projectId: 'p1',
      promptId: 'x',
      prompt: 'Hello?',
      completions: ['a', 'b', 'c', 'd'].map(completion),
      order: [3, 1, 0, 2],
      sourceRunId: 'sft-1',
      temperature: 1,
      seed: 1,
    };
    const { project } = aState({ generateCandidates: [set] });
    announce(project, aRun(project, 'sft', 1));
    expect(project.addPrompts('Hello?\n\nHello?\n')).toBe(1);
    expect(await project.generateCandidates()).toBe(1);
    const { id } = project.pendingSets[0]!;
    const answer = { outcome: 'ranked' as const, content: blankContent(4), ms: 1 };
    project.desk.submit(project.desk.task!, { ...answer, ranks: [1, 2, 2, 3] });
    expect(project.rankings[0]).toMatchObject({ ranks: [1, 2, 2, 4], simulated: false });
    expect(project.pendingSets).toEqual([]);
    project.desk.undo();
    expect(project.pendingSets.map((pending) => pending.id)).toEqual([id]);
    const { task } = project.desk;
    expect(() => project.desk.submit(task!, { ...answer, ranks: [1] })).toThrow(/ranks/);

    expect(project.simulateRankings({ attribute: 'polite' })).toBe(1);
    expect(project.rankings[0]).toMatchObject({ simulated: true, labeler: 'simulated:polite' });
    expect(project.simulateRankings({ attribute: 'polite' })).toBe(0);
  });
});
