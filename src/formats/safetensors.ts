/**
 * safetensors files, read and written whole, or read tensor by tensor from a Blob: a header, then the
 * values of all tensors, row-major, little-endian. Source: https://github.com/huggingface/safetensors
 */
import type { HostTensor, WeightMap } from '../core/domain';
import { PlaygroundError } from '../core/errors';
import { numberToHalf, widenBfloats, widenHalves } from './half';
import {
  BYTES_PER_VALUE,
  elementCount,
  LENGTH_BYTES,
  malformedTensors,
  METADATA_KEY,
  readDataStart,
  readEntries,
  type TensorEntry,
} from './safetensors-header';

/** Number formats that are written. */
export type SafetensorsDtype = 'F32' | 'F16';

/** A file whose header is read and checked; its tensors still lie in the Blob. */
export interface OpenSafetensors {
  /** Name for error messages. */
  file: string;
  blob: Blob;
  /** By name, in the order of the file. */
  tensors: ReadonlyMap<string, TensorEntry>;
  dataStart: number;
}

/** Bytes looked at in one piece while a file is checked; a multiple of every value's size. */
const CHECKED_AT_ONCE = 4 * 2 ** 20;

/**
 * Reads all tensors as f32 (F16 and BF16 widen exactly).
 * @param file name for error messages
 * @throws PlaygroundError `format` naming the file and the tensor: bad header, unknown dtype,
 *   duplicate names, overlap, hole, out of bounds, size ≠ shape, NaN or infinity
 */
export function readSafetensors(bytes: Uint8Array, file: string): WeightMap {
  const dataStart = readDataStart(bytes, bytes.length, file);
  const data = bytes.subarray(dataStart);
  const weights: WeightMap = new Map();
  for (const entry of readEntries(bytes.subarray(LENGTH_BYTES, dataStart), data.length, file)) {
    // A copy: `begin` need not be aligned, and the tensor must not keep the whole file alive.
    weights.set(entry.name, toTensor(data.slice(entry.begin, entry.end), entry, file));
  }
  return weights;
}

/**
 * Reads the header of a file and nothing else.
 * @throws PlaygroundError `format` naming the file and the tensor
 */
export async function openSafetensors(blob: Blob, file: string): Promise<OpenSafetensors> {
  const head = await readBytes(blob, 0, Math.min(LENGTH_BYTES, blob.size), file);
  const dataStart = readDataStart(head, blob.size, file);
  const json = await readBytes(blob, LENGTH_BYTES, dataStart, file);
  const entries = readEntries(json, blob.size - dataStart, file);
  return { file, blob, tensors: new Map(entries.map((entry) => [entry.name, entry])), dataStart };
}

/**
 * Reads one tensor as f32; memory: its bytes in the file and 4 bytes for each value.
 * @throws PlaygroundError `format` naming the file and the tensor: NaN or infinity
 */
export async function readTensor(open: OpenSafetensors, entry: TensorEntry): Promise<HostTensor> {
  const { blob, dataStart, file } = open;
  const raw = await readBytes(blob, dataStart + entry.begin, dataStart + entry.end, file);
  return toTensor(raw, entry, file);
}

/**
 * Looks at every value of a tensor, a few megabytes at a time.
 * @throws PlaygroundError `format` naming the file and the tensor: NaN or infinity
 */
export async function checkTensor(open: OpenSafetensors, entry: TensorEntry): Promise<void> {
  const { blob, dataStart, file } = open;
  for (let from = entry.begin; from < entry.end; from += CHECKED_AT_ONCE) {
    const to = Math.min(entry.end, from + CHECKED_AT_ONCE);
    const raw = await readBytes(blob, dataStart + from, dataStart + to, file);
    checkRaw(raw, entry, (from - entry.begin) / BYTES_PER_VALUE[entry.dtype], file);
  }
}

async function readBytes(
  blob: Blob,
  from: number,
  to: number,
  file: string,
): Promise<Uint8Array<ArrayBuffer>> {
  let bytes: Uint8Array<ArrayBuffer>;
  try {
    bytes = new Uint8Array(await blob.slice(from, to).arrayBuffer());
  } catch (thrown) {
    const why = thrown instanceof Error ? thrown.message : String(thrown);
    throw new PlaygroundError({
      code: 'input',
      field: file,
      message: `${file} could not be read: ${why}.`,
      remedy: 'Check that the file still lies where it was, and choose it again.',
    });
  }
  if (bytes.length !== to - from)
    throw malformedTensors(file, 'it became shorter while it was read');
  return bytes;
}

/** f32 values of raw bytes that begin at an aligned address. */
function toTensor(raw: Uint8Array<ArrayBuffer>, entry: TensorEntry, file: string): HostTensor {
  checkRaw(raw, entry, 0, file);
  return { shape: entry.shape, data: widen(raw, entry) };
}

function widen(raw: Uint8Array<ArrayBuffer>, { dtype }: TensorEntry): Float32Array<ArrayBuffer> {
  if (dtype === 'F32') return new Float32Array(raw.buffer, raw.byteOffset, raw.length / 4);
  const bits = new Uint16Array(raw.buffer, raw.byteOffset, raw.length / 2);
  return dtype === 'F16' ? widenHalves(bits) : widenBfloats(bits);
}

/** Exponents of ones only: infinities and NaNs. */
const EXPONENT = { F32: 0x7f800000, F16: 0x7c00, BF16: 0x7f80 } as const;

/** @param first number of the first value of `raw` in the tensor */
function checkRaw(
  raw: Uint8Array<ArrayBuffer>,
  entry: TensorEntry,
  first: number,
  file: string,
): void {
  const exponent = EXPONENT[entry.dtype];
  const bits =
    entry.dtype === 'F32'
      ? new Uint32Array(raw.buffer, raw.byteOffset, raw.length / 4)
      : new Uint16Array(raw.buffer, raw.byteOffset, raw.length / 2);
  for (let i = 0; i < bits.length; i++) {
    if ((bits[i]! & exponent) !== exponent) continue;
    const bytes = BYTES_PER_VALUE[entry.dtype];
    const [value] = widen(raw.slice(i * bytes, (i + 1) * bytes), entry);
    throw notFinite(file, entry.name, first + i, value!);
  }
}

function notFinite(file: string, tensor: string, at: number, value: number): PlaygroundError {
  return malformedTensors(file, `value ${at} is ${value}, weights must be finite`, tensor);
}

function checkFinite(values: Float32Array, file: string, tensor: string): void {
  const at = values.findIndex((value) => !Number.isFinite(value));
  if (at >= 0) throw notFinite(file, tensor, at, values[at]!);
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
    if (name === METADATA_KEY) throw malformedTensors(file, 'the name is reserved', name);
    if (elementCount(shape) !== data.length) {
      throw malformedTensors(
        file,
        `shape [${shape.join(', ')}] does not fit ${data.length} values`,
        name,
      );
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
  if (at >= 0)
    throw malformedTensors(file, `value ${at} (${data[at]}) is beyond the range of F16`, name);
  return new Uint8Array(halves.buffer);
}
