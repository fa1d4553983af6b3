/**
 * The header of a safetensors file: u64-LE header length, JSON `{name: {dtype, shape, data_offsets}}`.
 * Format: https://github.com/huggingface/safetensors#format. Nothing is taken on trust: a file that
 * lies about its contents is refused before a tensor is made from it.
 */
import { PlaygroundError } from '../core/errors';
import { findDuplicateKey } from './json-keys';
import { showJson } from './show-json';

/** Number formats that are read. */
export type ReadDtype = 'F32' | 'F16' | 'BF16';

export const BYTES_PER_VALUE: Record<ReadDtype, number> = { F32: 4, F16: 2, BF16: 2 };
/** Bytes before the header: its length. */
export const LENGTH_BYTES = 8;
export const METADATA_KEY = '__metadata__';
/** SmolLM2-135M has a header of 30 KB, a 70-billion-parameter Llama one of 80 KB. */
const MAX_HEADER_BYTES = 1_000_000;

/** Dimensions of a tensor; a Llama has at most two. */
const MAX_RANK = 8;

/** Where a tensor lies: bytes `begin` … `end` − 1 of the data. */
export interface TensorEntry {
  name: string;
  dtype: ReadDtype;
  shape: number[];
  begin: number;
  end: number;
}

export function malformedTensors(file: string, message: string, tensor?: string): PlaygroundError {
  const where = tensor === undefined ? file : `${file}, tensor ${showJson(tensor)}`;
  return new PlaygroundError({
    code: 'format',
    field: tensor ?? file,
    message: `${where}: ${message}.`,
    remedy: 'Export the weights again as safetensors with F32, F16 or BF16 values.',
  });
}

/**
 * Where the data begin, from the first 8 bytes of a file.
 * @param fileBytes size of the whole file
 * @throws PlaygroundError `format`
 */
export function readDataStart(head: Uint8Array, fileBytes: number, file: string): number {
  if (head.length < LENGTH_BYTES)
    throw malformedTensors(file, 'it is too short to be a safetensors file');
  // As BigInt: read as a double, a huge length would be rounded and could seem to fit.
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  const declared = view.getBigUint64(0, true);
  if (declared > BigInt(MAX_HEADER_BYTES)) {
    throw malformedTensors(
      file,
      `the header claims ${declared} bytes, more than ${MAX_HEADER_BYTES}`,
    );
  }
  const dataStart = LENGTH_BYTES + Number(declared);
  if (dataStart > fileBytes)
    throw malformedTensors(file, 'the header reaches past the end of the file');
  return dataStart;
}

/**
 * The tensors of a header, which must cover the data exactly: no overlap, no hole, nothing left over.
 * @param json the bytes of the header after its length
 * @param dataBytes bytes of the file after the header
 * @throws PlaygroundError `format` naming the file and the tensor
 */
export function readEntries(json: Uint8Array, dataBytes: number, file: string): TensorEntry[] {
  const entries = Object.entries(parseHeader(json, file))
    .filter(([name]) => name !== METADATA_KEY)
    .map(([name, value]) => readEntry(name, value, file));
  checkLayout(entries, dataBytes, file);
  return entries;
}

function parseHeader(json: Uint8Array, file: string): Record<string, unknown> {
  let text: string;
  let header: unknown;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(json);
    header = JSON.parse(text);
  } catch {
    throw malformedTensors(file, 'the header is not JSON');
  }
  if (!text.startsWith('{') || typeof header !== 'object' || header === null) {
    throw malformedTensors(file, 'the header is not a JSON object');
  }
  const duplicate = findDuplicateKey(text);
  if (duplicate !== null)
    throw malformedTensors(file, 'the name occurs twice in the header', duplicate);
  return header as Record<string, unknown>;
}

function isSize(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function readEntry(name: string, value: unknown, file: string): TensorEntry {
  if (typeof value !== 'object' || value === null)
    throw malformedTensors(file, 'it has no description', name);
  const { dtype, shape, data_offsets: offsets } = value as Record<string, unknown>;
  if (dtype !== 'F32' && dtype !== 'F16' && dtype !== 'BF16') {
    throw malformedTensors(file, `dtype ${showJson(dtype)} is not one of F32, F16, BF16`, name);
  }
  if (!Array.isArray(shape) || shape.length > MAX_RANK || !shape.every(isSize)) {
    throw malformedTensors(file, `shape ${showJson(shape)} is not a list of sizes`, name);
  }
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isSize)) {
    throw malformedTensors(file, `data_offsets ${showJson(offsets)} are not [begin, end]`, name);
  }
  const [begin, end] = offsets as [number, number];
  const expected = elementCount(shape) * BYTES_PER_VALUE[dtype];
  if (end - begin !== expected) {
    const needs = `shape [${shape.join(', ')}] in ${dtype} needs ${expected} bytes`;
    throw malformedTensors(file, `${needs}, data_offsets give ${end - begin}`, name);
  }
  return { name, dtype, shape, begin, end };
}

export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** The tensors must cover the data exactly: no overlap, no hole, nothing left over. */
function checkLayout(entries: readonly TensorEntry[], dataLength: number, file: string): void {
  const ordered = [...entries].sort((a, b) => a.begin - b.begin || a.end - b.end);
  let covered = 0;
  for (const { name, begin, end } of ordered) {
    if (end > dataLength) {
      throw malformedTensors(
        file,
        `it ends at byte ${end} of ${dataLength}: the file is cut off`,
        name,
      );
    }
    if (begin < covered) throw malformedTensors(file, 'it overlaps another tensor', name);
    if (begin > covered)
      throw malformedTensors(file, `${begin - covered} unused bytes lie before it`, name);
    covered = end;
  }
  if (covered !== dataLength) {
    throw malformedTensors(
      file,
      `${dataLength - covered} bytes after the last tensor belong to nothing`,
    );
  }
}
