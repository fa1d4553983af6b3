/** Finds the files of a Hugging Face model among those that were chosen or dropped. */
import { PlaygroundError } from '../../core/errors';

export interface ImportFile {
  /** Path below what was chosen, e.g. `SmolLM2-135M/config.json`. */
  path: string;
  blob: Blob;
}

/** The files that lie beside one `config.json`, by name. */
export type ModelFolder = ReadonlyMap<string, Blob>;

/** Largest JSON files that are read at all, bytes. Llama 3's tokenizer.json has 9 MB. */
const MAX_JSON_BYTES: Record<string, number> = {
  'tokenizer.json': 64_000_000,
  'model.safetensors.index.json': 16_000_000,
};
const MAX_OTHER_JSON_BYTES = 4_000_000;

/** The error for a folder or one of its files. */
export function malformedModel(file: string, message: string, remedy: string): PlaygroundError {
  return new PlaygroundError({
    code: 'format',
    field: file,
    message: `${file}: ${message}.`,
    remedy,
  });
}

/**
 * The folder of the model: the one whose `config.json` lies highest.
 * @throws PlaygroundError `input` when there is none, or several at the same height
 */
export function findModelFolder(files: readonly ImportFile[]): ModelFolder {
  const folders = new Map<string, Map<string, Blob>>();
  for (const { path, blob } of files) {
    const parts = path.split('/').filter((part) => part !== '' && part !== '.');
    const name = parts.pop() ?? '';
    const folder = parts.join('/');
    const known = folders.get(folder) ?? new Map<string, Blob>();
    folders.set(folder, known.set(name, blob));
  }
  const depth = (folder: string): number => (folder === '' ? 0 : folder.split('/').length);
  const models = [...folders]
    .filter(([, names]) => names.has('config.json'))
    .sort(([a], [b]) => depth(a) - depth(b));
  const [highest, next] = models;
  if (highest === undefined) {
    throw notAModel('There is no config.json among the chosen files.');
  }
  if (next !== undefined && depth(next[0]) === depth(highest[0])) {
    throw notAModel(
      `There are several models: a config.json lies in ${highest[0]} and in ${next[0]}.`,
    );
  }
  return highest[1];
}

function notAModel(message: string): PlaygroundError {
  return new PlaygroundError({
    code: 'input',
    field: 'config.json',
    message,
    remedy:
      'Choose the folder of one model, with config.json, tokenizer.json and model.safetensors in it.',
  });
}

/**
 * A JSON file of the folder, parsed; null when it is not there.
 * @throws PlaygroundError `format` when it is too large or not JSON
 */
export async function readJson(folder: ModelFolder, name: string): Promise<unknown> {
  const blob = folder.get(name);
  if (blob === undefined) return null;
  const limit = MAX_JSON_BYTES[name] ?? MAX_OTHER_JSON_BYTES;
  const remedy = 'Copy the file again from where the model was published.';
  if (blob.size > limit) {
    throw malformedModel(
      name,
      `it has ${blob.size} bytes, more than the ${limit} that are read`,
      remedy,
    );
  }
  try {
    const bytes = await blob.arrayBuffer();
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as unknown;
  } catch {
    throw malformedModel(name, 'it is not JSON', remedy);
  }
}
