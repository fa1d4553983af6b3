/** The weights of a Hugging Face folder: one safetensors file, or shards with an index. */
import type { HostTensor, ModelConfig } from '../../core/domain';
import { parameterShapes } from '../../core/presets';
import { checkTensor, openSafetensors, readTensor, type OpenSafetensors } from '../safetensors';
import type { TensorEntry } from '../safetensors-header';
import { showJson } from '../show-json';
import { malformedModel, readJson, type ModelFolder } from './import-files';

const SINGLE = 'model.safetensors';
const INDEX = 'model.safetensors.index.json';
const MAX_SHARDS = 1000;

const EMBEDDING = 'model.embed_tokens.weight';
const LM_HEAD = 'lm_head.weight';
/** Rotary frequencies, which old exports store and every reader computes. */
const FREQUENCIES = /^model\.layers\.\d+\.self_attn\.rotary_emb\.inv_freq$/;

/** A tensor that belongs to the model, still in its file. */
interface Located {
  open: OpenSafetensors;
  entry: TensorEntry;
}

export interface OpenWeights {
  /** Each parameter of the config, in the config's order. */
  parameters: ReadonlyMap<string, Located>;
  /** Tensors in the files that the model does not need. */
  ignored: string[];
}

const REMEDY = 'Copy the whole folder again from where the model was published.';

/**
 * Opens all weight files and checks names, shapes and number formats against the config. Reads the
 * headers only.
 * @throws PlaygroundError `format` naming file and tensor
 */
export async function openWeights(folder: ModelFolder, config: ModelConfig): Promise<OpenWeights> {
  const located = await locateTensors(folder);
  const parameters = new Map<string, Located>();
  for (const [name, shape] of parameterShapes(config)) {
    const found = located.get(name);
    if (found === undefined) {
      throw malformedModel(
        name,
        'the weight files have no such tensor, and config.json needs it',
        REMEDY,
      );
    }
    checkShape(found, shape);
    parameters.set(name, found);
  }
  const ignored: string[] = [];
  for (const [name, found] of located) {
    if (parameters.has(name)) continue;
    if (name === LM_HEAD) checkShape(found, [config.vocab_size, config.hidden_size]);
    else if (!FREQUENCIES.test(name)) {
      const where = `${found.open.file}, tensor ${showJson(name)}`;
      throw malformedModel(where, 'it belongs to no model that config.json describes', REMEDY);
    }
    ignored.push(name);
  }
  return { parameters, ignored };
}

function checkShape({ open, entry }: Located, expected: readonly number[]): void {
  if (entry.shape.join() === expected.join()) return;
  throw malformedModel(
    `${open.file}, tensor ${showJson(entry.name)}`,
    `its shape is [${entry.shape.join(', ')}], config.json asks for [${expected.join(', ')}]`,
    REMEDY,
  );
}

/** Every tensor of every weight file by name. As in transformers, a single file goes before shards. */
async function locateTensors(folder: ModelFolder): Promise<Map<string, Located>> {
  const single = folder.get(SINGLE);
  const located = new Map<string, Located>();
  if (single !== undefined) {
    const open = await openSafetensors(single, SINGLE);
    for (const entry of open.tensors.values()) located.set(entry.name, { open, entry });
    return located;
  }
  if (!folder.has(INDEX)) throw noWeights(folder);
  const fileOf = readShardIndex(await readJson(folder, INDEX));
  for (const file of new Set(fileOf.values())) {
    const blob = folder.get(file);
    if (blob === undefined)
      throw malformedModel(file, `${INDEX} names it, but it is missing`, REMEDY);
    const open = await openSafetensors(blob, file);
    for (const entry of open.tensors.values()) {
      const owner = fileOf.get(entry.name);
      if (owner !== file) {
        const where = `${file}, tensor ${showJson(entry.name)}`;
        const says = owner === undefined ? 'does not name it' : `says that it lies in ${owner}`;
        throw malformedModel(where, `${INDEX} ${says}`, REMEDY);
      }
      located.set(entry.name, { open, entry });
    }
  }
  for (const [name, file] of fileOf) {
    if (!located.has(name)) {
      const where = `${file}, tensor ${showJson(name)}`;
      throw malformedModel(where, `${INDEX} names it, but it is missing`, REMEDY);
    }
  }
  return located;
}

function noWeights(folder: ModelFolder): Error {
  const other = [...folder.keys()].find((name) => /\.(?:bin|pth?|gguf|safetensors)$/.test(name));
  const found = other === undefined ? '' : `; the weights in ${other} are not read`;
  return malformedModel(
    SINGLE,
    `it is missing, and ${INDEX} too${found}`,
    'Choose the whole folder; weights in another format can be saved as safetensors with transformers.',
  );
}

/**
 * The file of each tensor, from a parsed `model.safetensors.index.json`.
 * @throws PlaygroundError `format`
 */
export function readShardIndex(json: unknown): Map<string, string> {
  const map: unknown =
    typeof json === 'object' && json !== null
      ? (json as Record<string, unknown>)['weight_map']
      : null;
  if (typeof map !== 'object' || map === null || Array.isArray(map)) {
    throw malformedModel(INDEX, 'it has no weight_map', REMEDY);
  }
  const fileOf = new Map<string, string>();
  for (const [name, file] of Object.entries(map)) {
    if (typeof file !== 'string' || !/^[\w][\w.-]{0,200}\.safetensors$/.test(file)) {
      throw malformedModel(INDEX, `the file of tensor ${showJson(name)} has a bad name`, REMEDY);
    }
    fileOf.set(name, file);
  }
  if (new Set(fileOf.values()).size > MAX_SHARDS) {
    throw malformedModel(INDEX, `it names more than ${MAX_SHARDS} files`, REMEDY);
  }
  return fileOf;
}

/**
 * Looks at every value of every parameter, a few megabytes at a time.
 * @throws PlaygroundError `format` naming file and tensor: NaN or infinity
 */
export async function checkValues({ parameters }: OpenWeights): Promise<void> {
  for (const { open, entry } of parameters.values()) await checkTensor(open, entry);
}

/**
 * The parameters as f32, one at a time. Embedding and output matrix get `vocabSize` rows: rows
 * beyond the tokenizer's own are left out, rows of appended tokens are the mean of the own ones, as
 * `resize_token_embeddings(…, mean_resizing=True)` of transformers does but for its small noise.
 * @param ownTokens ids that the file's tokenizer has
 * @throws PlaygroundError `input` when a file can no longer be read
 */
export async function* readParameters(
  { parameters }: OpenWeights,
  ownTokens: number,
  vocabSize: number,
): AsyncGenerator<[name: string, tensor: HostTensor]> {
  for (const [name, { open, entry }] of parameters) {
    const tensor = await readTensor(open, entry);
    const hasRows = name === EMBEDDING || name === LM_HEAD;
    yield [name, hasRows ? resizeRows(tensor, ownTokens, vocabSize) : tensor];
  }
}

/** Keeps the first `kept` rows of [V, C] and adds means up to `rows`. */
function resizeRows({ shape, data }: HostTensor, kept: number, rows: number): HostTensor {
  const [V, C] = shape as [number, number];
  if (kept === V && rows === V) return { shape, data };
  const resized = new Float32Array(rows * C);
  resized.set(data.subarray(0, kept * C));
  const mean = new Float64Array(C);
  for (let i = 0; i < kept * C; i++) mean[i % C]! += data[i]!;
  for (let c = 0; c < C; c++) mean[c]! /= kept;
  for (let row = kept; row < rows; row++) resized.set(mean, row * C);
  return { shape: [rows, C], data: resized };
}
