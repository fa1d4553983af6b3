import { describe, expect, it } from 'vitest';
import type { Run } from '../../../src/core/domain';
import { mergeSteps, RunState } from '../../../src/state/run.svelte';
import { aRun, aState, memoryStore, scriptedLink } from './parts';

describe('rows of a resumed run', () => {
  it('replace those from the step at which it went on', () => {
    const earlier = [1, 2, 3].map((step) => ({ step, of: 'before' }));
    const later = [2, 3, 4].map((step) => ({ step, of: 'after' }));
    expect(mergeSteps(earlier, later)).toEqual([earlier[0], ...later]);
    expect(mergeSteps(earlier, [])).toEqual(earlier);
    expect(mergeSteps([], later)).toEqual(later);
  });
});

describe('runs as stored', () => {
  const { project } = aState();
  const stored = (...runs: Run[]) =>
    new RunState(
      {
        store: memoryStore().store,
        link: scriptedLink().link,
        projectId: 'p1',
        onModel: () => {},
        onProblem: () => {},
      },
      runs,
    );
  const sft = (seq: number, change: Partial<Run>) => aRun(project, 'sft', seq, change);

  it.each(['running', 'paused'] as const)(
    'a run that was %s when the page went away can be resumed',
    (status) => {
      const runs = stored(sft(1, {}), sft(2, { status }));
      expect(runs.active).toBeNull();
      expect(runs.status).toBe('idle');
      expect(runs.canResume?.id).toBe('sft-2');
      expect(runs.canResume?.status).toBe('interrupted');
    },
  );

  it('only the newest, and only from a checkpoint', () => {
    expect(stored(sft(1, { status: 'interrupted' }), sft(2, {})).canResume).toBeNull();
    expect(stored(sft(1, { status: 'running', checkpointId: null })).canResume).toBeNull();
    expect(stored(sft(1, {})).canResume).toBeNull();
  });
});
