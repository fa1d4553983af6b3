/** The model folders of tools/golden/hugging_face_import_fixture.py, and damaged copies of them. */
import { readdirSync, readFileSync } from 'node:fs';
import { PlaygroundError } from '../../../src/core/errors';
import type { ImportFile } from '../../../src/formats/hugging-face/import-files';
import type { ImportLimits } from '../../../src/formats/hugging-face/import-memory';

export const MODELS = ['gqa-untied-bf16-sharded', 'mqa-tied-f16', 'mha-untied-f32'] as const;
export type ModelName = (typeof MODELS)[number];

export interface ExpectedModel {
  vocab_size: number;
  own_tokens: number;
  rope_theta: number;
  config: Record<string, number | boolean>;
  end: string;
  tensors: Record<string, { shape: number[]; sha256: string }>;
}

const root = new URL('../../golden/hugging-face-import/', import.meta.url);

export const expected = (
  JSON.parse(readFileSync(new URL('expected.json', root), 'utf8')) as {
    models: Record<ModelName, ExpectedModel>;
  }
).models;

/** Contents by file name. */
export type Folder = Map<string, Uint8Array<ArrayBuffer>>;

export function readFolder(name: ModelName): Folder {
  const folder = new URL(`${name}/`, root);
  return new Map(
    readdirSync(folder).map((file) => [file, new Uint8Array(readFileSync(new URL(file, folder)))]),
  );
}

export function asFiles(folder: Folder, path = 'SmolLM/'): ImportFile[] {
  return [...folder].map(([name, bytes]) => ({ path: path + name, blob: new Blob([bytes]) }));
}

/** A copy with one JSON file changed. */
export function withJson(
  folder: Folder,
  file: string,
  change: (json: Record<string, unknown>) => unknown,
): Folder {
  const json = JSON.parse(new TextDecoder().decode(folder.get(file))) as Record<string, unknown>;
  return withFile(folder, file, JSON.stringify(change(json) ?? json));
}

export function withFile(
  folder: Folder,
  file: string,
  contents: string | Uint8Array<ArrayBuffer>,
): Folder {
  const bytes = typeof contents === 'string' ? new TextEncoder().encode(contents) : contents;
  return new Map([...folder, [file, bytes]]);
}

export const ROOMY: ImportLimits = { maxBufferBytes: 2 ** 31, maxTotalBytes: 2 ** 33 };

export async function refusal(action: () => Promise<unknown>): Promise<PlaygroundError> {
  try {
    await action();
  } catch (error) {
    if (error instanceof PlaygroundError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}
