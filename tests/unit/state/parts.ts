/** What state tests stand on: a database in memory and a worker that does as it is told. */
import type { Project, Run, Stage } from '../../../src/core/domain';
import type { ErrorDetails } from '../../../src/core/errors';
import { inputHash } from '../../../src/core/run-inputs';
import { NO_MODELS } from '../../../src/core/stage-models';
import type { ProjectRecords, ProjectStore, WorkerLink } from '../../../src/state/ports';
import { Preferences } from '../../../src/state/preferences.svelte';
import { ProjectState } from '../../../src/state/project.svelte';
import type { WorkerEvent } from '../../../src/worker/protocol';

export const aProject = (change: Partial<Project> = {}): Project => ({
  id: 'p1',
  name: 'Test',
  base: 'nano',
  seed: 7,
  page: 'base',
  settings: {},
  runs: { ...NO_MODELS },
  seq: 0,
  createdAt: 0,
  updatedAt: 0,
  ...change,
});

/** A store that remembers its commits; `failing` makes the next ones fail. */
export function memoryStore() {
  const commits: Parameters<ProjectStore['commit']>[0][] = [];
  const state = { failing: false };
  const refuse = (): never => {
    throw new Error('not part of this test');
  };
  const store: ProjectStore = {
    listProjects: async () => [],
    lock: async () => ({
      claim: 'this tab',
      takeOver: async () => {},
      lost: () => {},
      tell: () => {},
      close: async () => {},
    }),
    alone: (_id, work) => work(),
    loadProject: async (id) => ({
      project:
        commits.map(({ projects }) => projects?.get(id)).findLast((project) => project != null) ??
        aProject({ id }),
      revision: commits.length,
      demonstrations: [],
      prompts: [],
      sets: [],
      rankings: [],
      runs: [],
    }),
    commit: async (changes) => {
      if (state.failing) throw new Error('disk full');
      return commits.push(changes);
    },
    commitAtOnce: (changes) => void commits.push(changes),
    setBase: async () => {
      if (state.failing) throw new Error('disk full');
    },
    hasBase: async () => false,
    copyBase: async () => refuse(),
    deleteProject: async () => {},
    usage: async () => [],
    deleteOldCheckpoints: async () => 0,
    loadRows: async () => [],
    loadSamples: async () => [],
    loadBundle: async () => refuse(),
    saveBundle: async () => refuse(),
  };
  return { store, commits, state };
}

export interface Call {
  name: string;
  request: unknown;
}

/** Answers each command with what `answers` holds for it. */
export function scriptedLink(answers: Record<string, unknown> = {}) {
  const calls: Call[] = [];
  const listeners = new Set<(event: WorkerEvent) => void>();
  const link = {
    call: async (name: string, request: unknown): Promise<unknown> => {
      calls.push({ name, request });
      return answers[name] ?? null;
    },
    onEvent: (listener: (event: WorkerEvent) => void) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  } as unknown as WorkerLink;
  const emit = (event: WorkerEvent): void => listeners.forEach((listener) => listener(event));
  return { link, calls, emit };
}

export function aState(
  answers: Record<string, unknown> = {},
  record: Project = aProject(),
  records: Partial<ProjectRecords> = {},
  { following = false } = {},
) {
  const { store, commits, state } = memoryStore();
  const { link, calls } = scriptedLink(answers);
  const said: string[] = [];
  const project = new ProjectState(
    {
      store,
      revision: 0,
      claim: following ? null : 'this tab',
      onStored: () => {},
      onWork: () => {},
      onRefused: () => {},
      link,
      preferences: new Preferences(null),
      bases: () => [{ id: 'nano' }, { id: 'tiny' }],
      engineReady: async () => {},
      notify: (_kind, text) => said.push(text),
      onRecord: () => {},
    },
    record,
    { demonstrations: [], prompts: [], sets: [], rankings: [], runs: [], ...records },
  );
  return { project, commits, calls, said, storeState: state };
}

/** The run of a stage as the worker would announce it, made from what the project holds now. */
export function aRun(
  project: ProjectState,
  stage: Stage,
  seq: number,
  change: Partial<Run> = {},
): Run {
  const { record, demonstrations, prompts, rankings, runs } = project;
  const inputs = { project: record, demonstrations, prompts, rankings, runs };
  return {
    id: `${stage}-${seq}`,
    projectId: record.id,
    stage,
    config: {},
    seed: 1,
    status: 'done',
    step: 3,
    totalSteps: 3,
    inputHash: inputHash(stage, inputs),
    parentId: null,
    checkpointId: `c-${seq}`,
    finalRow: { step: 3, loss: 1 },
    error: null,
    rewardShift: 0,
    rewardScale: 1,
    seq,
    startedAt: 0,
    ...change,
  };
}

/** What the worker says of a run; it is the model unless it is under way or failed. */
export const announce = (
  project: ProjectState,
  run: Run,
  {
    isModel = run.status === 'done' || run.status === 'stopped',
    failure = null,
  }: { isModel?: boolean; failure?: ErrorDetails | null } = {},
): void => project.transport.handle({ type: 'event', seq: 1, kind: 'run', run, isModel, failure });
