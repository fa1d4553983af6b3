import { describe, expect, it } from 'vitest';
import { createApi } from '../../../src/api';
import { blankContent } from '../../../src/core/ranking-task';
import { App } from '../../../src/state/app.svelte';
import { Preferences } from '../../../src/state/preferences.svelte';
import type { ProjectState } from '../../../src/state/project.svelte';
import { aSet } from '../core/ranking-parts';
import { announce, aProject, aRun, aState, memoryStore, scriptedLink } from './parts';

const READ_ONLY = { code: 'read-only' };
const RANKING = { prompt: 'a', completions: ['x', 'y'], ranks: [1, 2], labeler: 'me', flags: [] };
const ROW = { id: 'd', projectId: 'p1', prompt: 'a', completion: 'b', heldOut: false, seq: 0 };

const following = () =>
  aState({}, aProject(), { demonstrations: [ROW], sets: [aSet(0)] }, { following: true });

/** Everything that would change a project. */
const CHANGES: Record<string, (project: ProjectState) => unknown> = {
  rename: (p) => p.rename('x'),
  setSetting: (p) => p.setSetting('sft', 'num_train_epochs', 2),
  setBase: (p) => p.setBase('tiny'),
  addDemonstrations: (p) => p.addDemonstrations('Prompt: a\nResponse: b'),
  updateDemonstration: (p) => p.updateDemonstration('d', { completion: 'c' }),
  deleteDemonstration: (p) => p.deleteDemonstration('d'),
  undoDemonstrations: (p) => p.demonstrationEdits.undo(),
  redoDemonstrations: (p) => p.demonstrationEdits.redo(),
  addPrompts: (p) => p.addPrompts('Who?'),
  deletePrompt: (p) => p.deletePrompt('q'),
  generateCandidates: (p) => p.generateCandidates(),
  addRanking: (p) => p.addRanking(RANKING),
  deleteRanking: (p) => p.deleteRanking('r'),
  simulateRankings: (p) => p.simulateRankings({ attribute: 'polite' }),
  submit: (p) =>
    p.desk.submit(p.desk.task!, {
      outcome: 'skipped',
      ranks: [],
      content: blankContent(p.desk.task!.set.completions.length),
      ms: 0,
    }),
  undoRanking: (p) => p.desk.undo(),
  addLabeler: (p) => p.people.add({ code: 'Ada' }),
  saveGuideline: (p) => p.people.saveGuideline('Be kind.'),
  weigh: (p) => p.experiments.weigh({ me: 0 }),
  swapElectorate: (p) => p.experiments.swapElectorate({ ppoIterations: 0 }),
  acceptMerge: (p) => p.classMerge.accept(),
  bestOfN: (p) => p.bestOfN.measure(),
  startRun: (p) => p.startRun('sft'),
  pauseRun: (p) => p.pauseRun(),
  continueRun: (p) => p.continueRun(),
  stepRun: (p) => p.stepRun(),
  stopRun: (p) => p.stopRun(),
  resumeInterrupted: (p) => p.resumeInterrupted('r'),
  importBase: (p) => p.models.importBase('x', []),
};

describe('a project that another tab writes to', () => {
  it.each(Object.keys(CHANGES))('refuses %s and changes nothing', async (name) => {
    const { project, commits, calls } = following();
    const before = [project.record, project.demonstrations, project.prompts, project.rankings];
    const change = async () => CHANGES[name]!(project);
    await expect(change()).rejects.toMatchObject(READ_ONLY);
    await project.flush();
    expect([project.record, project.demonstrations, project.prompts, project.rankings]).toEqual(
      before,
    );
    expect([commits, calls]).toEqual([[], []]);
  });

  it('does all of it when this tab writes: none of these refusals is for another reason', async () => {
    for (const [name, change] of Object.entries(CHANGES)) {
      const { project } = aState({}, aProject(), { demonstrations: [ROW], sets: [aSet(0)] });
      const outcome = await (async () => change(project))().catch(
        ({ code }: { code: string }) => code,
      );
      expect(outcome, name).not.toBe('read-only');
    }
  });

  it('shows a run of the other tab as it is, and its steps as they come', () => {
    const { project } = following();
    announce(project, aRun(project, 'sft', 1, { status: 'running' }));
    expect(project.transport.status).toBe('running');
    project.revoke();
    expect(project.transport.status).toBe('idle');
  });

  it('window.rlhf rejects with the same error, and reads', async () => {
    const { store } = memoryStore();
    const app = new App({
      baseUrl: 'data:,',
      preferences: new Preferences(null),
      openStore: async () => ({
        ...store,
        lock: async (id, hooks) => ({ ...(await store.lock(id, hooks)), claim: null }),
      }),
      files: null,
      startWorker: () => scriptedLink({ init: { backend: 'wasm', adapter: '' } }).link,
    });
    await app.start();
    const api = createApi(app);
    await expect(api.addDemonstrations('Prompt: a\nResponse: b')).rejects.toMatchObject(READ_ONLY);
    await expect(api.addRanking(RANKING)).rejects.toMatchObject(READ_ONLY);
    await expect(api.trainSft()).rejects.toMatchObject(READ_ONLY);
    await expect(api.importHuggingFace([new File([], 'config.json')])).rejects.toMatchObject(
      READ_ONLY,
    );
    await expect(api.takeOver()).rejects.toMatchObject(READ_ONLY);
    expect(await api.listDemonstrations()).toEqual([]);
  });
});

it('what is in line is dropped when the project is lost, and counted', async () => {
  const { project, commits } = aState();
  project.addDemonstrations('Prompt: a\nResponse: b');
  expect(project.revoke()).toBe(1);
  await project.flush();
  expect(commits).toEqual([]);
});

it('a page that goes away hands over what is in line and what is under way, and keeps both', async () => {
  const { project, commits, storeState } = aState();
  storeState.failing = true;
  project.addDemonstrations('Prompt: a\nResponse: b');
  await project.flush().catch(() => {});
  expect(commits).toEqual([]);
  storeState.failing = false;
  project.addDemonstrations('Prompt: c\nResponse: d');
  project.leave();
  const handedOver = [...commits.at(-1)!.demonstrations!.values()].map((row) => row?.prompt);
  expect(handedOver).toEqual(['a', 'c']);
  await project.flush();
  expect([...commits.at(-1)!.demonstrations!.keys()]).toHaveLength(2);
  project.revoke();
  project.leave();
  expect(commits).toHaveLength(2);
});
