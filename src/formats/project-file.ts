/**
 * The project file, `.rlhf.zip`: a whole project that can be carried to another browser. A zip of
 * JSON Lines and safetensors, so that other tools can read it too:
 *
 *     manifest.json                 format, version, and path, size and SHA-256 of every file
 *     project.json
 *     demonstrations.jsonl  prompts.jsonl  sets.jsonl  rankings.jsonl  runs.jsonl
 *     PREFERENCES.md  preferences.json   whose preferences it holds; for people, an import passes over it
 *     inputs.jsonl                  what each run was started on, so that it can be resumed
 *     metrics/<runId>.jsonl         one metric row per line
 *     samples/<runId>.jsonl         what the model wrote during training, one step per line
 *     checkpoints/<id>.json         manifest: step, configuration, optimizer and schedule state
 *     checkpoints/<id>.safetensors  weights and optimizer moments, f32, bit for bit
 */
import type {
  CandidateSet,
  CheckpointManifest,
  Demonstration,
  MetricRow,
  Project,
  Prompt,
  Ranking,
  Run,
  WeightMap,
} from '../core/domain';
import { preferenceCard } from '../core/preference-card';
import { preferenceFiles } from '../core/preference-markdown';
import { inSlices } from '../core/slices';
import {
  badFile,
  decodeLines,
  decodeRecord,
  encodeLines,
  encodeRecord,
  type RecordSchema,
} from './project-json';
import {
  candidateSetSchema,
  checkpointSchema,
  demonstrationSchema,
  encodeCandidateSet,
  encodeMetricRow,
  encodeRun,
  encodeStepSamples,
  metricRowSchema,
  projectSchema,
  promptSchema,
  rankingSchema,
  runInputSchema,
  runSchema,
  stepSamplesSchema,
  type RunInputRecord,
  type StepSamples,
} from './project-schemas';
import { openArchive, ProjectPacker, type Archive } from './project-zip';
import { readSafetensors, writeSafetensors } from './safetensors';

export interface ProjectBundle {
  project: Project;
  demonstrations: Demonstration[];
  prompts: Prompt[];
  sets: CandidateSet[];
  rankings: Ranking[];
  runs: Run[];
  inputs: RunInputRecord[];
  metrics: { runId: string; rows: MetricRow[] }[];
  samples: { runId: string; steps: StepSamples[] }[];
  /** The tensors of a checkpoint are read when they are asked for: together they are large. */
  checkpoints: { manifest: CheckpointManifest; load: () => Promise<WeightMap> }[];
}

const PROJECT = 'project.json';
const DEMONSTRATIONS = 'demonstrations.jsonl';
const PROMPTS = 'prompts.jsonl';
const SETS = 'sets.jsonl';
const RANKINGS = 'rankings.jsonl';
const RUNS = 'runs.jsonl';
const INPUTS = 'inputs.jsonl';
const METRICS = 'metrics/';
const SAMPLES = 'samples/';
const CHECKPOINTS = 'checkpoints/';
const metricsPath = (runId: string): string => `${METRICS}${runId}.jsonl`;
const samplesPath = (runId: string): string => `${SAMPLES}${runId}.jsonl`;
const checkpointPath = (id: string): string => `${CHECKPOINTS}${id}.json`;
const tensorsPath = (id: string): string => `${CHECKPOINTS}${id}.safetensors`;

/**
 * The bundle as a project file. Every file in it is read back before it is handed out, so a file that
 * `readProjectFile` would refuse is never given to anybody. One checkpoint is in memory at a time.
 * @throws PlaygroundError `format` naming the file and the field that cannot be written
 */
export async function writeProjectFile(bundle: ProjectBundle): Promise<Blob> {
  const manifests = bundle.checkpoints.map(({ manifest }) => manifest);
  const tensorPaths = new Set(manifests.map(({ id }) => tensorsPath(id)));
  const written = encodeRecords({ ...bundle, manifests });
  // Fields in the order of the schemas: what was imported is exported again byte for byte.
  const files = encodeRecords(readRecords({ files: written, tensorPaths }));
  for (const [path, text] of await cardOf(bundle)) files.set(path, new TextEncoder().encode(text));

  const packer = new ProjectPacker();
  for (const [path, bytes] of files) await packer.add(path, bytes);
  for (const { manifest, load } of bundle.checkpoints) {
    const path = tensorsPath(manifest.id);
    const bytes = writeSafetensors(await load(), { file: path });
    checkedTensors(manifest, readSafetensors(bytes, path), checkpointPath(manifest.id));
    await packer.add(path, bytes);
  }
  return packer.finish();
}

/** Every file but the tensors. */
function encodeRecords(bundle: Records): Map<string, Uint8Array> {
  const files = new Map<string, Uint8Array>();
  const put = (path: string, bytes: Uint8Array): void => {
    if (files.has(path)) throw badFile(path, 'two records have this id');
    files.set(path, bytes);
  };
  // Its place among other projects is no part of it.
  put(PROJECT, encodeRecord({ ...bundle.project, seq: 1 }, PROJECT));
  put(DEMONSTRATIONS, encodeLines(bundle.demonstrations, DEMONSTRATIONS));
  put(PROMPTS, encodeLines(bundle.prompts, PROMPTS));
  put(SETS, encodeLines(bundle.sets.map(encodeCandidateSet), SETS));
  put(RANKINGS, encodeLines(bundle.rankings, RANKINGS));
  put(RUNS, encodeLines(bundle.runs.map(encodeRun), RUNS));
  put(INPUTS, encodeLines(bundle.inputs, INPUTS));
  for (const { runId, rows } of bundle.metrics) {
    const path = metricsPath(runId);
    put(path, encodeLines(rows.map(encodeMetricRow), path));
  }
  for (const { runId, steps } of bundle.samples) {
    const path = samplesPath(runId);
    put(path, encodeLines(steps.map(encodeStepSamples), path));
  }
  for (const manifest of bundle.manifests) {
    put(checkpointPath(manifest.id), encodeRecord(manifest, checkpointPath(manifest.id)));
  }
  return files;
}

/** The preference card of a project, by path. */
async function cardOf({ project, rankings, demonstrations, runs }: ProjectBundle) {
  const reward = runs.find(({ id }) => id === project.runs.reward) ?? null;
  return preferenceFiles(
    await inSlices(preferenceCard({ project, rankings, demonstrations, reward })),
  );
}

/**
 * Reads a project file: all of it, or nothing. Paths, sizes, checksums, every field of every record
 * and every tensor are checked first; the tensors are then read again, one checkpoint at a time.
 * @throws PlaygroundError `format` naming the file, line and field
 */
export async function readProjectFile(bytes: Uint8Array): Promise<ProjectBundle> {
  const archive = await openArchive(bytes);
  const { manifests, ...records } = readRecords(archive);
  const checkpoints = manifests.map((manifest) => {
    const path = tensorsPath(manifest.id);
    const load = async (): Promise<WeightMap> => {
      const tensors = readSafetensors(await archive.tensors(path), path);
      return checkedTensors(manifest, tensors, checkpointPath(manifest.id));
    };
    return { manifest, load };
  });
  for (const { load } of checkpoints) await load();
  return { ...records, checkpoints };
}

type Records = Omit<ProjectBundle, 'checkpoints'> & { manifests: CheckpointManifest[] };

/** Everything but the tensors. */
function readRecords({ files, tensorPaths }: Pick<Archive, 'files' | 'tensorPaths'>): Records {
  const get = (path: string): Uint8Array => {
    const content = files.get(path);
    if (content === undefined) throw badFile(path, 'the file is missing');
    return content;
  };
  const project = decodeRecord(get(PROJECT), PROJECT, projectSchema);
  /** Records of this project, each id once. */
  const table = <T extends { id: string; projectId: string }>(
    path: string,
    schema: RecordSchema<T>,
  ): T[] => {
    const rows = decodeLines(get(path), path, schema);
    checkOwner(rows, project.id, path);
    return rows;
  };
  const runs = table(RUNS, runSchema);
  const runIds = new Set(runs.map(({ id }) => id));
  const requireRun = (runId: string, path: string): void => {
    if (!runIds.has(runId)) throw badFile(path, `there is no run ${runId} in ${RUNS}`);
  };
  /** One file for each run. */
  const byRun = <T>(folder: string, schema: RecordSchema<T>): { runId: string; lines: T[] }[] =>
    idsIn(files.keys(), folder, '.jsonl').map((runId) => {
      const path = `${folder}${runId}.jsonl`;
      requireRun(runId, path);
      return { runId, lines: decodeLines(get(path), path, schema) };
    });
  const inputs = decodeLines(get(INPUTS), INPUTS, runInputSchema);
  for (const { runId } of inputs) requireRun(runId, INPUTS);
  checkOwner(
    inputs.map(({ runId, projectId }) => ({ id: runId, projectId })),
    project.id,
    INPUTS,
  );

  for (const id of idsIn(tensorPaths, CHECKPOINTS, '.safetensors')) get(checkpointPath(id));
  const manifests = idsIn(files.keys(), CHECKPOINTS, '.json').map((id) => {
    const path = checkpointPath(id);
    const manifest = decodeRecord(get(path), path, checkpointSchema);
    if (manifest.id !== id) throw badFile(path, `field id: it is ${manifest.id}`);
    requireRun(manifest.runId, path);
    checkOwner([manifest], project.id, path);
    if (!tensorPaths.has(tensorsPath(id))) throw badFile(tensorsPath(id), 'the file is missing');
    return manifest;
  });
  for (const { id, checkpointId } of runs) {
    if (checkpointId === null || manifests.some((manifest) => manifest.id === checkpointId))
      continue;
    throw badFile(RUNS, `the checkpoint ${checkpointId} of run ${id} is missing`);
  }

  return {
    project,
    demonstrations: table(DEMONSTRATIONS, demonstrationSchema),
    prompts: table(PROMPTS, promptSchema),
    sets: table(SETS, candidateSetSchema),
    rankings: table(RANKINGS, rankingSchema),
    runs,
    inputs,
    metrics: byRun(METRICS, metricRowSchema).map(({ runId, lines }) => ({ runId, rows: lines })),
    samples: byRun(SAMPLES, stepSamplesSchema).map(({ runId, lines }) => ({ runId, steps: lines })),
    manifests,
  };
}

function idsIn(paths: Iterable<string>, folder: string, extension: string): string[] {
  return [...paths]
    .filter((path) => path.startsWith(folder) && path.endsWith(extension))
    .map((path) => path.slice(folder.length, -extension.length));
}

function checkOwner(
  records: readonly { id: string; projectId: string }[],
  projectId: string,
  path: string,
): void {
  const seen = new Set<string>();
  for (const record of records) {
    if (record.projectId !== projectId) {
      throw badFile(path, `record ${record.id} belongs to another project (${record.projectId})`);
    }
    if (seen.has(record.id)) throw badFile(path, `the id ${record.id} occurs twice`);
    seen.add(record.id);
  }
}

/**
 * The tensors in the order of the manifest (a safetensors file sorts them by name); both must list
 * the same ones in the same shapes.
 */
function checkedTensors(manifest: CheckpointManifest, tensors: WeightMap, path: string): WeightMap {
  const ordered: WeightMap = new Map();
  for (const { name, shape } of manifest.tensors) {
    const tensor = tensors.get(name);
    if (tensor?.shape.join() !== shape.join()) {
      const has = tensor === undefined ? 'missing' : `[${tensor.shape.join(', ')}]`;
      throw badFile(path, `tensor ${name} should be [${shape.join(', ')}] and is ${has}`);
    }
    ordered.set(name, tensor);
  }
  if (ordered.size !== manifest.tensors.length) throw badFile(path, 'a tensor is listed twice');
  for (const name of tensors.keys()) {
    if (!ordered.has(name)) throw badFile(path, `the tensor ${name} is not listed`);
  }
  return ordered;
}
