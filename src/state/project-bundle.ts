/** A whole project as plain records: for export, import and duplicate. */
import { originOf } from '../core/class-file';
import type {
  CandidateSet,
  CheckpointManifest,
  Demonstration,
  Project,
  Prompt,
  Ranking,
  Run,
} from '../core/domain';
import { PlaygroundError } from '../core/errors';
import type { Source, StageData } from '../core/run-data';
import type { ProjectBundle } from '../formats/project-file';
import {
  incompleteManifests,
  keptRemoving,
  loadCheckpoint,
  runCheckpoints,
} from '../storage/checkpoints';
import { chunkTensors, putChunks } from '../storage/chunks';
import { demonstrations } from '../storage/demonstrations';
import { metricRows, runSamples } from '../storage/metrics';
import { getProject, nextProjectSeq } from '../storage/projects';
import { prompts } from '../storage/prompts';
import { rankings } from '../storage/rankings';
import { runSnapshot } from '../storage/run-snapshot';
import { projectInputs, runs } from '../storage/runs';
import type { Database, TableName } from '../storage/schema';
import { newId } from './ids';
import { sets } from '../storage/sets';
import { requireRoom } from '../storage/room';
import { read, write } from '../storage/transaction';
import { chunkSizes } from '../storage/usage';

/**
 * Everything that is stored of a project. The tensors of a checkpoint are read when they are asked
 * for; only those of a run under way are read at once, for the run itself replaces them.
 */
export async function readProject(db: Database, id: string): Promise<ProjectBundle> {
  const bundle: ProjectBundle = {
    project: await getProject(db, id),
    demonstrations: await demonstrations.list(db, id),
    prompts: await prompts.list(db, id),
    sets: await sets.list(db, id),
    rankings: await rankings.list(db, id),
    runs: [],
    inputs: await projectInputs(db, id),
    metrics: [],
    samples: [],
    checkpoints: [],
  };
  for (const listed of await runs.list(db, id)) {
    const { run, checkpoints } = await runWithCheckpoints(db, listed);
    bundle.runs.push(run);
    bundle.checkpoints.push(...checkpoints);
    bundle.metrics.push({ runId: run.id, rows: await metricRows(db, run.id) });
    bundle.samples.push({ runId: run.id, steps: await runSamples(db, run.id) });
  }
  return bundle;
}

async function runWithCheckpoints(
  db: Database,
  run: Run,
): Promise<{ run: Run; checkpoints: ProjectBundle['checkpoints'] }> {
  if (isUnderWay(run)) {
    const snapshot = await runSnapshot(db, run.id);
    const checkpoints = snapshot.checkpoints.map(({ manifest, tensors }) => ({
      manifest,
      load: () => Promise.resolve(tensors),
    }));
    return { run: atRest(snapshot.run), checkpoints };
  }
  const manifests = await runCheckpoints(db, run.id);
  const checkpoints = manifests.map((manifest) => ({
    manifest,
    load: async () => (await loadCheckpoint(db, manifest.id)).tensors,
  }));
  return { run, checkpoints };
}

/** A copy is not under way: it can be resumed. */
const atRest = (run: Run): Run => (isUnderWay(run) ? { ...run, status: 'interrupted' } : run);

const isUnderWay = ({ status }: Run): boolean => status === 'running' || status === 'paused';

/** A sweep comes once for each tab that is opened. */
const STORE_ATTEMPTS = 5;

/**
 * Stores a bundle as another project and returns it: under its own ids where they are free, so that a
 * project that comes back is the one that went away, and under new ones beside the original. Runs
 * that were under way arrive as interrupted. All or nothing: the chunks of the tensors come first, one checkpoint after the
 * other, and mean nothing until the one transaction that stores everything else.
 */
export async function addProject(
  db: Database,
  bundle: ProjectBundle,
  name: string,
): Promise<Project> {
  const source = (await isStored(db, bundle)) ? withNewIds(bundle) : bundle;
  const loaders = new Map(source.checkpoints.map(({ manifest, load }) => [manifest.id, load]));
  const putTensors = async (manifest: CheckpointManifest): Promise<CheckpointManifest> => {
    const { chunks, ...parts } = await chunkTensors(await loaders.get(manifest.id)!());
    await putChunks(db, chunks);
    return { ...manifest, ...parts };
  };
  await requireRoom(await missingBytes(db, source), 'the project');
  const manifests: CheckpointManifest[] = [];
  for (const { manifest } of source.checkpoints) manifests.push(await putTensors(manifest));
  for (let attempt = 0; attempt < STORE_ATTEMPTS; attempt++) {
    const outcome = await storeRecords(db, source, manifests, name);
    if ('project' in outcome) return outcome.project;
    // Another tab has removed chunks that no manifest named yet.
    for (const manifest of outcome.incomplete) await putTensors(manifest);
  }
  throw keptRemoving();
}

/** What is stored of a project, with the changes of an open one that could not be. */
export function withChanges(
  stored: ProjectBundle,
  opened: {
    record: Project;
    demonstrations: readonly Demonstration[];
    prompts: readonly Prompt[];
    sets: readonly CandidateSet[];
    rankings: readonly Ranking[];
  },
): ProjectBundle {
  const { record, demonstrations, prompts } = opened;
  return {
    ...stored,
    project: { ...record, runs: stored.project.runs },
    demonstrations: [...demonstrations],
    prompts: [...prompts],
    sets: [...opened.sets],
    rankings: [...opened.rankings],
  };
}

/** Bytes of tensors that are not stored yet. */
async function missingBytes(db: Database, { checkpoints }: ProjectBundle): Promise<number> {
  let bytes = 0;
  for (const [hash, size] of chunkSizes(checkpoints.map(({ manifest }) => manifest))) {
    if ((await db.getKey('chunks', hash)) === undefined) bytes += size;
  }
  return bytes;
}

/** Whether any id of the bundle is taken here. */
async function isStored(db: Database, bundle: ProjectBundle): Promise<boolean> {
  const ids = {
    projects: [bundle.project],
    demonstrations: bundle.demonstrations,
    prompts: bundle.prompts,
    sets: bundle.sets,
    rankings: bundle.rankings,
    runs: bundle.runs,
    checkpoints: bundle.checkpoints.map(({ manifest }) => manifest),
  };
  return read('the projects', async () => {
    for (const table of Object.keys(ids) as (keyof typeof ids)[]) {
      const tx = db.transaction(table);
      const found = await Promise.all(ids[table].map(({ id }) => tx.store.getKey(id)));
      if (found.some((key) => key !== undefined)) return true;
    }
    return false;
  });
}

/** Everything in one transaction; nothing when chunks are missing. */
function storeRecords(
  db: Database,
  source: ProjectBundle,
  manifests: readonly CheckpointManifest[],
  name: string,
): Promise<{ project: Project } | { incomplete: CheckpointManifest[] }> {
  const tables: TableName[] = [
    'projects',
    'demonstrations',
    'prompts',
    'sets',
    'rankings',
    'runs',
    'inputs',
    'metrics',
    'samples',
    'checkpoints',
    'chunks',
  ];
  return write(db, tables, 'the project', async (tx) => {
    const incomplete = await incompleteManifests(tx, manifests);
    if (incomplete.length > 0) return { incomplete };
    const projectId = source.project.id;
    const project: Project = { ...source.project, name, seq: await nextProjectSeq(tx) };
    // Fails if another tab has stored the same project since.
    await tx.objectStore('projects').add(project);
    for (const table of ['demonstrations', 'prompts', 'sets', 'rankings', 'inputs'] as const) {
      await Promise.all(source[table].map((record) => tx.objectStore(table).put(record)));
    }
    for (const run of source.runs) {
      await tx.objectStore('runs').put(atRest(run));
    }
    for (const { runId, rows } of source.metrics) {
      await Promise.all(
        rows.map((row) => {
          const step = row['step'];
          if (step === undefined) throw noStep(runId);
          return tx.objectStore('metrics').put({ runId, projectId, step, row });
        }),
      );
    }
    for (const { runId, steps } of source.samples) {
      await Promise.all(
        steps.map((entry) => tx.objectStore('samples').put({ runId, projectId, ...entry })),
      );
    }
    for (const manifest of manifests) await tx.objectStore('checkpoints').put(manifest);
    return { project };
  });
}

type Rename = (id: string) => string;

/** The bundle under new ids, every reference following. Ids that name nothing in it stay. */
function withNewIds(bundle: ProjectBundle): ProjectBundle {
  const renamed = new Map<string, string>();
  const { project } = bundle;
  for (const { id } of [
    project,
    ...bundle.demonstrations,
    ...bundle.prompts,
    ...bundle.sets,
    ...bundle.rankings,
    ...bundle.runs,
    ...bundle.checkpoints.map(({ manifest }) => manifest),
  ]) {
    renamed.set(id, newId());
  }
  const now: Rename = (id) => renamed.get(id) ?? id;
  const maybe = (id: string | null): string | null => (id === null ? null : now(id));
  const projectId = now(project.id);
  return {
    project: {
      ...project,
      id: projectId,
      ...(project.askFirst && { askFirst: project.askFirst.map(now) }),
      origin: originOf(project),
      ...(project.drafts === undefined
        ? {}
        : { drafts: project.drafts.map((draft) => ({ ...draft, setId: now(draft.setId) })) }),
      runs: {
        base: maybe(project.runs.base),
        sft: maybe(project.runs.sft),
        reward: maybe(project.runs.reward),
        ppo: maybe(project.runs.ppo),
        dpo: maybe(project.runs.dpo),
      },
    },
    demonstrations: bundle.demonstrations.map((x) => ({ ...x, id: now(x.id), projectId })),
    prompts: bundle.prompts.map((x) => ({ ...x, id: now(x.id), projectId })),
    sets: bundle.sets.map((x) => ({
      ...x,
      id: now(x.id),
      projectId,
      promptId: now(x.promptId),
      sourceRunId: now(x.sourceRunId),
    })),
    rankings: bundle.rankings.map((x) => renamedRanking(x, projectId, now)),
    runs: bundle.runs.map((x) => ({
      ...x,
      id: now(x.id),
      projectId,
      parentId: maybe(x.parentId),
      checkpointId: maybe(x.checkpointId),
    })),
    inputs: bundle.inputs.map(({ runId, data }) => ({
      runId: now(runId),
      projectId,
      data: renamedData(data, projectId, now),
    })),
    metrics: bundle.metrics.map(({ runId, rows }) => ({ runId: now(runId), rows })),
    samples: bundle.samples.map(({ runId, steps }) => ({ runId: now(runId), steps })),
    checkpoints: bundle.checkpoints.map(({ manifest, load }) => ({
      manifest: { ...manifest, id: now(manifest.id), projectId, runId: now(manifest.runId) },
      load,
    })),
  };
}

const renamedRanking = (ranking: Ranking, projectId: string, now: Rename): Ranking => ({
  ...ranking,
  id: now(ranking.id),
  projectId,
  setId: ranking.setId === null ? null : now(ranking.setId),
  ...(ranking.repeatOf === undefined ? {} : { repeatOf: now(ranking.repeatOf) }),
});

/** What a run was started on: the records it copied, and the checkpoints that it names. */
function renamedData(data: StageData, projectId: string, now: Rename): StageData {
  const source = (x: Source): Source => ({ ...x, id: now(x.id), runId: now(x.runId) });
  const copies = (all: readonly Demonstration[]): Demonstration[] =>
    all.map((x) => ({ ...x, id: now(x.id), projectId }));
  switch (data.stage) {
    case 'pretrain':
      return data;
    case 'sft':
      return {
        ...data,
        start: source(data.start),
        demonstrations: copies(data.demonstrations),
      };
    case 'reward':
      return {
        ...data,
        start: source(data.start),
        demonstrations: copies(data.demonstrations),
        rankings: data.rankings.map((x) => renamedRanking(x, projectId, now)),
      };
    case 'ppo':
      return { ...data, start: source(data.start), reward: source(data.reward) };
    case 'dpo':
      return {
        ...data,
        start: source(data.start),
        reward: data.reward === null ? null : source(data.reward),
        rankings: data.rankings.map((x) => renamedRanking(x, projectId, now)),
      };
  }
}

const noStep = (runId: string): PlaygroundError =>
  new PlaygroundError({
    code: 'format',
    field: 'step',
    message: `A metric row of run ${runId} has no step.`,
  });
