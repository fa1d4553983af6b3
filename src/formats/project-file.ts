/**
 * The project file, `.rlhf.zip`: a whole project that can be carried to another browser. A zip of
 * JSON Lines and safetensors, so that other tools can read it too:
 *
 *     manifest.json                 format, version, and path, size and SHA-256 of every file
 *     project.json
 *     demonstrations.jsonl  prompts.jsonl  sets.jsonl  rankings.jsonl  runs.jsonl
 *     metrics/<runId>.jsonl         one metric row per line
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
  encodeMetricRow,
  metricRowSchema,
  projectSchema,
  promptSchema,
  rankingSchema,
  runSchema,
} from './project-schemas';
import { packFiles, unpackFiles } from './project-zip';
import { readSafetensors, writeSafetensors } from './safetensors';

export interface ProjectBundle {
  project: Project;
  demonstrations: Demonstration[];
  prompts: Prompt[];
  sets: CandidateSet[];
  rankings: Ranking[];
  runs: Run[];
  metrics: { runId: string; rows: MetricRow[] }[];
  checkpoints: { manifest: CheckpointManifest; tensors: WeightMap }[];
}

const PROJECT = 'project.json';
const DEMONSTRATIONS = 'demonstrations.jsonl';
const PROMPTS = 'prompts.jsonl';
const SETS = 'sets.jsonl';
const RANKINGS = 'rankings.jsonl';
const RUNS = 'runs.jsonl';
const metricsPath = (runId: string): string => `metrics/${runId}.jsonl`;
const checkpointPath = (id: string): string => `checkpoints/${id}.json`;
const tensorsPath = (id: string): string => `checkpoints/${id}.safetensors`;

/**
 * The bundle as the bytes of a project file. Everything is read back before it is handed out, so
 * a file that `readProjectFile` would refuse is never given to anybody.
 * @throws PlaygroundError `format` naming the file and the field that cannot be written
 */
export async function writeProjectFile(bundle: ProjectBundle): Promise<Uint8Array<ArrayBuffer>> {
  const files = new Map<string, Uint8Array>();
  const put = (path: string, bytes: Uint8Array): void => {
    if (files.has(path)) throw badFile(path, 'two records have this id');
    files.set(path, bytes);
  };
  put(PROJECT, encodeRecord(bundle.project, PROJECT));
  put(DEMONSTRATIONS, encodeLines(bundle.demonstrations, DEMONSTRATIONS));
  put(PROMPTS, encodeLines(bundle.prompts, PROMPTS));
  put(SETS, encodeLines(bundle.sets, SETS));
  put(RANKINGS, encodeLines(bundle.rankings, RANKINGS));
  put(RUNS, encodeLines(bundle.runs.map(encodeRun), RUNS));
  for (const { runId, rows } of bundle.metrics) {
    const path = metricsPath(runId);
    put(path, encodeLines(rows.map(encodeMetricRow), path));
  }
  for (const { manifest, tensors } of bundle.checkpoints) {
    const path = tensorsPath(manifest.id);
    put(checkpointPath(manifest.id), encodeRecord(manifest, checkpointPath(manifest.id)));
    put(path, writeSafetensors(tensors, { file: path }));
  }
  readFiles(files);
  return packFiles(files);
}

/** NaN and infinities of a failed run's last row by name: JSON cannot hold them. */
function encodeRun(run: Run): unknown {
  return { ...run, finalRow: run.finalRow === null ? null : encodeMetricRow(run.finalRow) };
}

/**
 * Reads a project file: all of it, or nothing. Paths, sizes, checksums, every field of every record
 * and every tensor are checked first.
 * @throws PlaygroundError `format` naming the file, line and field
 */
export async function readProjectFile(bytes: Uint8Array): Promise<ProjectBundle> {
  return readFiles(await unpackFiles(bytes));
}

function readFiles(files: ReadonlyMap<string, Uint8Array>): ProjectBundle {
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

  return {
    project,
    demonstrations: table(DEMONSTRATIONS, demonstrationSchema),
    prompts: table(PROMPTS, promptSchema),
    sets: table(SETS, candidateSetSchema),
    rankings: table(RANKINGS, rankingSchema),
    runs,
    metrics: idsIn(files, 'metrics/', '.jsonl').map((runId) => {
      const path = metricsPath(runId);
      if (!runIds.has(runId)) throw badFile(path, `there is no run ${runId} in ${RUNS}`);
      return { runId, rows: decodeLines(get(path), path, metricRowSchema) };
    }),
    checkpoints: readCheckpoints(files, get, project.id, runIds),
  };
}

function readCheckpoints(
  files: ReadonlyMap<string, Uint8Array>,
  get: (path: string) => Uint8Array,
  projectId: string,
  runIds: ReadonlySet<string>,
): ProjectBundle['checkpoints'] {
  const ids = idsIn(files, 'checkpoints/', '.json');
  for (const id of idsIn(files, 'checkpoints/', '.safetensors')) get(checkpointPath(id));
  return ids.map((id) => {
    const path = checkpointPath(id);
    const manifest = decodeRecord(get(path), path, checkpointSchema);
    if (manifest.id !== id) throw badFile(path, `field id: it is ${manifest.id}`);
    if (!runIds.has(manifest.runId)) {
      throw badFile(path, `field runId: there is no run ${manifest.runId} in ${RUNS}`);
    }
    checkOwner([manifest], projectId, path);
    const tensors = readSafetensors(get(tensorsPath(id)), tensorsPath(id));
    checkTensors(manifest, tensors, path);
    return { manifest, tensors };
  });
}

function idsIn(
  files: ReadonlyMap<string, Uint8Array>,
  folder: string,
  extension: string,
): string[] {
  return [...files.keys()]
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

/** The manifest and the safetensors file must list the same tensors in the same shapes. */
function checkTensors(manifest: CheckpointManifest, tensors: WeightMap, path: string): void {
  const listed = new Set<string>();
  for (const { name, shape } of manifest.tensors) {
    const found = tensors.get(name)?.shape;
    if (found?.join() !== shape.join()) {
      const has = found === undefined ? 'missing' : `[${found.join(', ')}]`;
      throw badFile(path, `tensor ${name} should be [${shape.join(', ')}] and is ${has}`);
    }
    listed.add(name);
  }
  if (listed.size !== manifest.tensors.length) throw badFile(path, 'a tensor is listed twice');
  for (const name of tensors.keys()) {
    if (!listed.has(name)) throw badFile(path, `the tensor ${name} is not listed`);
  }
}
