/**
 * safetensors: u64-LE header length, JSON header `{name: {dtype, shape, data_offsets}}`, bytes.
 * Format: https://github.com/huggingface/safetensors#format. The reader takes nothing on trust:
 * a file that lies about its contents is refused before a tensor is made from it.
 */
import type { HostTensor, WeightMap } from '../core/domain';
import { PlaygroundError } from '../core/errors';
import { bfloatToNumber, halfToNumber, numberToHalf } from './half';
import { findDuplicateKey } from './json-keys';

/** Number formats that are read. */
type ReadDtype = 'F32' | 'F16' | 'BF16';
/** Number formats that are written. */
export type SafetensorsDtype = 'F32' | 'F16';

const BYTES_PER_VALUE: Record<ReadDtype, number> = { F32: 4, F16: 2, BF16: 2 };
const LENGTH_BYTES = 8;
/** Our largest model has a header of 20 KB. */
const MAX_HEADER_BYTES = 1_000_000;
const METADATA_KEY = '__metadata__';

interface Entry {
  name: string;
  dtype: ReadDtype;
  shape: number[];
  begin: number;
  end: number;
}

function bad(file: string, message: string, tensor?: string): PlaygroundError {
  const where = tensor === undefined ? file : `${file}, tensor ${JSON.stringify(tensor)}`;
  return new PlaygroundError({
    code: 'format',
    field: tensor ?? file,
    message: `${where}: ${message}.`,
    remedy: 'Export the weights again as safetensors with F32, F16 or BF16 values.',
  });
}

/**
 * Reads all tensors as f32 (F16 and BF16 widen exactly).
 * @param file name for error messages
 * @throws PlaygroundError `format` naming the file and the tensor: bad header, unknown dtype,
 *   duplicate names, overlap, hole, out of bounds, size ≠ shape, NaN or infinity
 */
export function readSafetensors(bytes: Uint8Array, file: string): WeightMap {
  const { header, dataStart } = readHeader(bytes, file);
  const entries = Object.entries(header)
    .filter(([name]) => name !== METADATA_KEY)
    .map(([name, value]) => readEntry(name, value, file));
  const data = bytes.subarray(dataStart);
  checkLayout(entries, data.length, file);

  const weights: WeightMap = new Map();
  for (const entry of entries) {
    weights.set(entry.name, { shape: entry.shape, data: readValues(data, entry, file) });
  }
  return weights;
}

function readHeader(
  bytes: Uint8Array,
  file: string,
): { header: Record<string, unknown>; dataStart: number } {
  if (bytes.length < LENGTH_BYTES) throw bad(file, 'it is too short to be a safetensors file');
  // As BigInt: read as a double, a huge length would be rounded and could seem to fit.
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const declared = view.getBigUint64(0, true);
  if (declared > BigInt(MAX_HEADER_BYTES)) {
    throw bad(file, `the header claims ${declared} bytes, more than ${MAX_HEADER_BYTES}`);
  }
  const dataStart = LENGTH_BYTES + Number(declared);
  if (dataStart > bytes.length) throw bad(file, 'the header reaches past the end of the file');

  let text: string;
  let header: unknown;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(
      bytes.subarray(LENGTH_BYTES, dataStart),
    );
    header = JSON.parse(text);
  } catch {
    throw bad(file, 'the header is not JSON');
  }
  if (!text.startsWith('{') || typeof header !== 'object' || header === null) {
    throw bad(file, 'the header is not a JSON object');
  }
  const duplicate = findDuplicateKey(text);
  if (duplicate !== null) throw bad(file, 'the name occurs twice in the header', duplicate);
  return { header: header as Record<string, unknown>, dataStart };
}

function isSize(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function readEntry(name: string, value: unknown, file: string): Entry {
  if (typeof value !== 'object' || value === null) throw bad(file, 'it has no description', name);
  const { dtype, shape, data_offsets: offsets } = value as Record<string, unknown>;
  if (dtype !== 'F32' && dtype !== 'F16' && dtype !== 'BF16') {
    throw bad(file, `dtype ${JSON.stringify(dtype)} is not one of F32, F16, BF16`, name);
  }
  if (!Array.isArray(shape) || !shape.every(isSize)) {
    throw bad(file, `shape ${JSON.stringify(shape)} is not a list of sizes`, name);
  }
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isSize)) {
    throw bad(file, `data_offsets ${JSON.stringify(offsets)} are not [begin, end]`, name);
  }
  const [begin, end] = offsets as [number, number];
  const expected = elementCount(shape) * BYTES_PER_VALUE[dtype];
  if (end - begin !== expected) {
    const needs = `shape [${shape.join(', ')}] in ${dtype} needs ${expected} bytes`;
    throw bad(file, `${needs}, data_offsets give ${end - begin}`, name);
  }
  return { name, dtype, shape, begin, end };
}

function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** The tensors must cover the data exactly: no overlap, no hole, nothing left over. */
function checkLayout(entries: readonly Entry[], dataLength: number, file: string): void {
  const ordered = [...entries].sort((a, b) => a.begin - b.begin || a.end - b.end);
  let covered = 0;
  for (const { name, begin, end } of ordered) {
    if (end > dataLength) {
      throw bad(file, `it ends at byte ${end} of ${dataLength}: the file is cut off`, name);
    }
    if (begin < covered) throw bad(file, 'it overlaps another tensor', name);
    if (begin > covered) throw bad(file, `${begin - covered} unused bytes lie before it`, name);
    covered = end;
  }
  if (covered !== dataLength) {
    throw bad(file, `${dataLength - covered} bytes after the last tensor belong to nothing`);
  }
}

function readValues(data: Uint8Array, entry: Entry, file: string): Float32Array {
  // A copy: `begin` need not be aligned, and the tensor must not keep the whole file alive.
  const raw = data.slice(entry.begin, entry.end);
  let values: Float32Array;
  if (entry.dtype === 'F32') {
    values = new Float32Array(raw.buffer, raw.byteOffset, raw.byteLength / 4);
  } else {
    const widen = entry.dtype === 'F16' ? halfToNumber : bfloatToNumber;
    values = Float32Array.from(new Uint16Array(raw.buffer, raw.byteOffset, raw.length / 2), widen);
  }
  checkFinite(values, file, entry.name);
  return values;
}

function checkFinite(values: Float32Array, file: string, tensor: string): void {
  const at = values.findIndex((value) => !Number.isFinite(value));
  if (at >= 0) throw bad(file, `value ${at} is ${values[at]}, weights must be finite`, tensor);
}

/**
 * Writes tensors in the order of their names, so that equal weights give equal bytes.
 * @param options.dtype 'F32' (exact, default) or 'F16' (rounded to nearest even)
 * @param options.file name for error messages
 * @throws PlaygroundError `format` naming the tensor: size ≠ shape, NaN or infinity, beyond ±65504
 *   in F16, a reserved name
 */
export function writeSafetensors(
  weights: WeightMap,
  options: { dtype?: SafetensorsDtype; file?: string } = {},
): Uint8Array<ArrayBuffer> {
  const { dtype = 'F32', file = 'model.safetensors' } = options;
  const tensors = [...weights].sort(([a], [b]) => (a < b ? -1 : 1));
  const header: [string, unknown][] = [[METADATA_KEY, { format: 'pt' }]];
  let dataBytes = 0;
  for (const [name, { shape, data }] of tensors) {
    if (name === METADATA_KEY) throw bad(file, 'the name is reserved', name);
    if (elementCount(shape) !== data.length) {
      throw bad(file, `shape [${shape.join(', ')}] does not fit ${data.length} values`, name);
    }
    checkFinite(data, file, name);
    const begin = dataBytes;
    dataBytes += data.length * BYTES_PER_VALUE[dtype];
    header.push([name, { dtype, shape, data_offsets: [begin, dataBytes] }]);
  }

  const json = new TextEncoder().encode(JSON.stringify(Object.fromEntries(header)));
  // Padded with spaces, so that the data begin at a multiple of 8 and can be mapped in place.
  const headerBytes = Math.ceil(json.length / 8) * 8;
  const out = new Uint8Array(LENGTH_BYTES + headerBytes + dataBytes);
  new DataView(out.buffer).setBigUint64(0, BigInt(headerBytes), true);
  out.fill(0x20, LENGTH_BYTES, LENGTH_BYTES + headerBytes);
  out.set(json, LENGTH_BYTES);

  let at = LENGTH_BYTES + headerBytes;
  for (const [name, tensor] of tensors) {
    const raw = dtype === 'F32' ? asBytes(tensor) : asHalfBytes(tensor, file, name);
    out.set(raw, at);
    at += raw.length;
  }
  return out;
}

function asBytes({ data }: HostTensor): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

function asHalfBytes({ data }: HostTensor, file: string, name: string): Uint8Array {
  const halves = Uint16Array.from(data, numberToHalf);
  const at = halves.findIndex((bits) => (bits & 0x7c00) === 0x7c00);
  if (at >= 0) throw bad(file, `value ${at} (${data[at]}) is beyond the range of F16`, name);
  return new Uint8Array(halves.buffer);
}
