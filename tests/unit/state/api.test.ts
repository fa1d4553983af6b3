import { describe, expect, it } from 'vitest';
import { createApi } from '../../../src/api';
import { App } from '../../../src/state/app.svelte';
import { Preferences } from '../../../src/state/preferences.svelte';
import { memoryStore, scriptedLink } from './parts';

async function started(answers: Record<string, unknown> = {}) {
  const { link, calls, emit } = scriptedLink({
    init: { backend: 'webgpu', adapter: 'test', fallbackReason: null },
    ...answers,
  });
  const app = new App({
    baseUrl: 'data:,',
    preferences: new Preferences(null),
    openStore: async () => memoryStore().store,
    files: null,
    startWorker: () => link,
  });
  await app.start();
  return { api: createApi(app), app, calls, emit };
}

describe('window.rlhf', () => {
  it('opens a first project and waits for the engine', async () => {
    const { api } = await started();
    expect(await api.ready()).toEqual({ backend: 'webgpu', adapter: 'test' });
    expect((await api.listProjects()).map(({ name }) => name)).toEqual(['My first project']);
  });

  it('has exactly the documented names', async () => {
    const { api } = await started();
    expect(Object.keys(api).sort()).toEqual(
      (
        'addDemonstrations addRanking agreement askFirst bestOfN complete deleteProject deviceReport diagnose ' +
        'electorate exportClassFile exportHuggingFace exportProject exportRankings harmDial importHuggingFace ' +
        'importProject importRankings listDemonstrations listProjects listRankings metrics newProject ' +
        'openClassFile openProject pause preferenceCard ready resume rightPair score setElectorate step stop ' +
        'stopExperiment takeOver trainDpo trainPpo trainReward trainSft'
      ).split(' '),
    );
  });

  it('refuses bad arguments with a typed error that names the field', async () => {
    const { api, calls } = await started();
    const before = calls.length;
    const bad = (value: unknown) => value as never;
    const ranking = { prompt: 'p', completions: ['a', 'b'], ranks: [1, 2] };
    const cases: [string, Promise<unknown>][] = [
      ['seed', api.newProject({ seed: -1 })],
      ['colour', api.newProject(bad({ colour: 'red' }))],
      ['base', api.newProject({ base: 'huge' })],
      ['id', api.openProject('')],
      ['text', api.addDemonstrations(bad(3))],
      ['config', api.trainSft(bad('fast'))],
      ['learning_rate', api.trainSft({ learning_rate: 9 })],
      ['num_iteration', api.trainPpo({ num_iteration: 3 })],
      ['model', api.complete(bad({ model: 'gpt', prompt: 'p' }))],
      ['prompt', api.complete(bad({ model: 'sft' }))],
      ['n', api.complete({ model: 'sft', prompt: 'p', n: 0 })],
      ['temperature', api.complete({ model: 'sft', prompt: 'p', temperature: Number.NaN })],
      ['ranks', api.addRanking({ ...ranking, ranks: [1] })],
      ['ranks.1', api.addRanking({ ...ranking, ranks: [1, 0] })],
      ['completions', api.addRanking({ ...ranking, completions: ['a'], ranks: [1] })],
      ['flags.0.0', api.addRanking(bad({ ...ranking, flags: [['rude'], []] }))],
      ['completion', api.score(bad({ prompt: 'p' }))],
      ['stage', api.metrics(bad('best-of-n'))],
      ['stage', api.diagnose(bad('base'))],
      ['beta', api.trainDpo({ beta: 0 })],
      ['stage', api.exportHuggingFace(bad('critic'))],
      ['blob', api.importProject(bad('zip'))],
      ['measure', api.deviceReport(bad({ measure: 'all' }))],
    ];
    for (const [field, call] of cases) {
      await expect(call, field).rejects.toMatchObject({
        name: 'PlaygroundError',
        code: 'argument',
        field,
      });
    }
    expect(calls.length).toBe(before);
    expect(await api.listRankings()).toEqual([]);
  });

  it('measures best-of-n in the open project, which cannot be left meanwhile', async () => {
    let end!: (record: unknown) => void;
    const answer = new Promise((resolve) => (end = resolve));
    const { api, app, emit } = await started({ bestOfN: answer });
    const measured = api.bestOfN();
    await expect.poll(() => app.project?.bestOfN.progress).toEqual({ done: 0, total: 0 });
    emit({ type: 'event', seq: 1, kind: 'progress', what: 'best-of-n', done: 1, total: 2 });
    expect(app.project?.bestOfN.progress).toEqual({ done: 1, total: 2 });
    await expect(api.newProject({ base: 'scratch' })).rejects.toMatchObject({ code: 'busy' });
    end({ points: [], prompts: 2, completions: 16, inputHash: 'h' });
    expect(await measured).toEqual({ points: [], prompts: 2, completions: 16 });
    expect(app.project?.record.bestOfN?.inputHash).toBe('h');
    await api.newProject({ base: 'scratch' });
  });

  it('names good and bad rows of a half-valid paste, and keeps the good ones', async () => {
    const { api } = await started();
    const report = await api.addDemonstrations(
      '{"prompt":"a","completion":"A"}\n{"prompt":"b"}\n{"prompt":"c","completion":"C"}',
    );
    expect(report).toMatchObject({ added: 2, rejected: [{ line: 2 }] });
    expect((await api.listDemonstrations()).map(({ prompt }) => prompt)).toEqual(['a', 'c']);
  });
});
