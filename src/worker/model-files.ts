/** Models from and for the rest of the world: Hugging Face folders in and out. */
import type { ModelConfig, PolicyName, Project, Ranking, Run, WeightMap } from '../core/domain';
import { preferenceCard, type PreferenceCard } from '../core/preference-card';
import { inSlices } from '../core/slices';
import { importedName } from '../core/stage-models';
import { huggingFaceZip } from '../formats/hugging-face/export';
import type { ModelCardFacts, TrainedStage } from '../formats/hugging-face/export-card';
import { importHuggingFace } from '../formats/hugging-face/import';
import type { ImportLimits } from '../formats/hugging-face/import-memory';
import { normalizedRewardWeights } from '../rlhf/reward';
import { demonstrations } from '../storage/demonstrations';
import { saveImportedBase } from '../storage/imported-base';
import { getProject } from '../storage/projects';
import { rankings } from '../storage/rankings';
import { requireRoom } from '../storage/room';
import { runInput, runs } from '../storage/runs';
import type { Database } from '../storage/schema';
import { toTokenizerJson } from '../tokenizer/tokenizer-json';
import type { ModelShelf } from './models';
import type { Commands } from './protocol';
import type { EventBody } from './run-loop';

interface ModelFileParts {
  db: Database;
  shelf: ModelShelf;
  emit: (event: EventBody) => void;
  /** What this machine has for weights. */
  limits: ImportLimits;
}

/** @throws PlaygroundError as `importHuggingFace` and `saveImportedBase`; nothing is stored then */
export async function importBase(
  { db, shelf, emit, limits }: ModelFileParts,
  { projectId, name, files }: Commands['importBase']['request'],
): Promise<Commands['importBase']['result']> {
  const { seed } = await getProject(db, projectId);
  const model = await importHuggingFace(files, limits);
  const total = model.parameterCount;
  await requireRoom(total * Float32Array.BYTES_PER_ELEMENT, 'the base model');
  const run = await saveImportedBase(db, {
    projectId,
    seed,
    name,
    modelConfig: model.modelConfig,
    tokenizer: toTokenizerJson(model.tokenizer),
    tensors: async function* () {
      let done = 0;
      for await (const [tensorName, tensor] of model.tensors()) {
        yield [tensorName, tensor] as [string, typeof tensor];
        done += tensor.data.length;
        emit({ kind: 'progress', what: 'import', done, total });
      }
    },
  });
  await shelf.forget(projectId);
  emit({ kind: 'run', run, isModel: true, failure: null });
  return { runId: run.id, parameterCount: total, facts: model.facts };
}

/**
 * The model of a stage as a zip of a Hugging Face folder.
 * @throws PlaygroundError `missing` when there is none yet
 */
export async function exportModel(
  { db, shelf }: Pick<ModelFileParts, 'db' | 'shelf'>,
  { projectId, model: name }: Commands['exportModel']['request'],
): Promise<Blob> {
  const project = await getProject(db, projectId);
  const source = await shelf.require(project, name);
  const { modelConfig, weights, tokenizer } = await shelf.weights(
    source,
    name === 'reward' ? 'model' : 'policy',
  );
  const run = await runs.get(db, source.runId);
  const stream = huggingFaceZip({
    kind: name === 'reward' ? 'reward' : 'policy',
    config: exportedConfig(name, modelConfig),
    weights: name === 'reward' ? normalized(weights, run) : weights,
    tokenizer,
    temperature: Number(run?.config['temperature'] ?? 1),
    card: await cardFacts(db, project, name, run),
    preferences: await preferencesOf(db, project, name),
  });
  return new Response(stream, { headers: { 'Content-Type': 'application/zip' } }).blob();
}

/** A reward model has no output matrix, whatever its base had. */
const exportedConfig = (name: PolicyName | 'reward', config: ModelConfig): ModelConfig =>
  name === 'reward' ? { ...config, tie_word_embeddings: true } : config;

const normalized = (weights: WeightMap, run: Run | undefined): WeightMap =>
  run === undefined ? weights : normalizedRewardWeights(weights, run.rewardShift, run.rewardScale);

const STAGES: Record<PolicyName | 'reward', readonly (keyof Project['runs'])[]> = {
  base: ['base'],
  sft: ['base', 'sft'],
  reward: ['base', 'sft', 'reward'],
  ppo: ['base', 'sft', 'reward', 'ppo'],
  dpo: ['base', 'sft', 'dpo'],
};

async function cardFacts(
  db: Database,
  project: Project,
  name: PolicyName | 'reward',
  run: Run | undefined,
): Promise<ModelCardFacts> {
  const stages: TrainedStage[] = [];
  let base = project.base;
  for (const stage of STAGES[name]) {
    const id = project.runs[stage];
    const made = id === null ? undefined : await runs.get(db, id);
    if (made === undefined) continue;
    const imported = importedName(made);
    if (imported !== null) base = imported;
    else stages.push(trained(made));
  }
  return {
    projectName: project.name,
    base,
    seed: project.seed,
    stages,
    demonstrations: (await demonstrations.list(db, project.id)).length,
    rankings: await learntRankings(db, project, name),
    normalization:
      name === 'reward' && run !== undefined
        ? { shift: run.rewardShift, scale: run.rewardScale }
        : null,
  };
}

const trained = ({ stage, step, totalSteps, config, finalRow }: Run): TrainedStage => ({
  stage,
  step,
  totalSteps,
  config,
  finalRow,
});

/** Counts of those that went in. */
async function learntRankings(
  db: Database,
  project: Project,
  name: PolicyName | 'reward',
): Promise<ModelCardFacts['rankings']> {
  const used = await rankingsOf(db, project, name);
  const simulated = used.filter((ranking) => ranking.simulated).length;
  return { people: used.length - simulated, simulated };
}

/** Those that the reward model or DPO was started on, not those that the project has by now. */
async function rankingsOf(
  db: Database,
  project: Project,
  name: PolicyName | 'reward',
): Promise<Ranking[]> {
  const learner = STAGES[name].find((stage) => stage === 'reward' || stage === 'dpo');
  const id = learner === undefined ? null : project.runs[learner];
  if (id === null) return [];
  const { data } = await runInput(db, id);
  return 'rankings' in data ? data.rankings : rankings.list(db, project.id);
}

/** Whose preferences went into the model: nobody's into one that learnt from no ranking. */
async function preferencesOf(
  db: Database,
  project: Project,
  name: PolicyName | 'reward',
): Promise<PreferenceCard> {
  const rewardId = STAGES[name].includes('reward') ? project.runs.reward : null;
  return inSlices(
    preferenceCard({
      project,
      rankings: await rankingsOf(db, project, name),
      demonstrations: await demonstrations.list(db, project.id),
      reward: rewardId === null ? null : ((await runs.get(db, rewardId)) ?? null),
    }),
  );
}

/** Bytes of GPU memory for weights where a browser does not say how much there is. */
const ASSUMED_BYTES = 2 * 2 ** 30;

/**
 * What weights may take here. Browsers do not tell how much GPU memory there is; half of the main
 * memory (`navigator.deviceMemory`, GiB, coarse) is what integrated GPUs may share.
 */
export function importLimits(engine: {
  maxStorageBufferBindingSize: number;
  maxBufferSize: number;
}): ImportLimits {
  const { deviceMemory } = navigator as { deviceMemory?: number };
  const { maxStorageBufferBindingSize, maxBufferSize } = engine;
  const buffer = Math.min(maxStorageBufferBindingSize, maxBufferSize);
  return {
    // wasm and cpu have no buffers to bind: 0 there
    maxBufferBytes: buffer === 0 ? ASSUMED_BYTES : buffer,
    maxTotalBytes: deviceMemory === undefined ? ASSUMED_BYTES : (deviceMemory / 2) * 2 ** 30,
  };
}
