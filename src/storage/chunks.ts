/**
 * Tensors as immutable, content-hashed chunks. Equal bytes are stored once, in whatever checkpoint,
 * run or project they occur. Small enough for browsers that fail on blobs near 200 MB.
 */
import type { CheckpointManifest, HostTensor, WeightMap } from '../core/domain';
import { PlaygroundError } from '../core/errors';
import { requireRoom } from './room';
import type { ChunkRecord, Database } from './schema';
import { read, write } from './transaction';

export const CHUNK_BYTES = 2 * 1024 * 1024;
/** Chunks written in one transaction: bounds what the browser must hold uncommitted. */
const BATCH_BYTES = 16 * 1024 * 1024;

export interface Chunked {
  tensors: CheckpointManifest['tensors'];
  chunks: Map<string, ArrayBuffer>;
  bytes: number;
}

/** SHA-256, hex. */
export async function sha256(bytes: ArrayBuffer): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/**
 * Cuts tensors into hashed chunks.
 * @throws PlaygroundError `non-finite` naming the tensor: NaN and infinity are never stored
 */
export async function chunkTensors(weights: WeightMap): Promise<Chunked> {
  const result: Chunked = { tensors: [], chunks: new Map(), bytes: 0 };
  for (const [name, tensor] of weights) {
    requireFinite(name, tensor);
    const { data } = tensor;
    const hashes: string[] = [];
    for (let start = 0; start < data.byteLength; start += CHUNK_BYTES) {
      const end = Math.min(start + CHUNK_BYTES, data.byteLength);
      // A copy: storing a view would store its whole buffer, and the buffer may go on changing.
      const bytes = new Float32Array(
        data.subarray(start / Float32Array.BYTES_PER_ELEMENT, end / Float32Array.BYTES_PER_ELEMENT),
      ).buffer;
      const hash = await sha256(bytes);
      hashes.push(hash);
      result.chunks.set(hash, bytes);
    }
    result.tensors.push({ name, shape: [...tensor.shape], chunks: hashes });
    result.bytes += data.byteLength;
  }
  return result;
}

function requireFinite(name: string, { data }: HostTensor): void {
  for (let i = 0; i < data.length; i++) {
    if (Number.isFinite(data[i])) continue;
    throw new PlaygroundError({
      code: 'non-finite',
      field: name,
      message: `${name} holds ${data[i]} at position ${i}, so this checkpoint is not stored.`,
      remedy: 'The last good checkpoint is kept; lower the learning rate and train again.',
    });
  }
}

/**
 * Stores those chunks that are not there yet, a few at a time.
 * @throws PlaygroundError `storage`, before anything is written where there is no room for all
 */
export async function putChunks(db: Database, chunks: Map<string, ArrayBuffer>): Promise<void> {
  const missing: ChunkRecord[] = [];
  for (const [hash, bytes] of chunks) {
    const key = await read('the checkpoint', () => db.getKey('chunks', hash));
    if (key === undefined) missing.push({ hash, bytes });
  }
  await requireRoom(
    missing.reduce((sum, { bytes }) => sum + bytes.byteLength, 0),
    'the checkpoint',
  );
  for (let i = 0; i < missing.length;) {
    const batch: ChunkRecord[] = [];
    for (let size = 0; i < missing.length && size < BATCH_BYTES; i++) {
      const chunk = missing[i]!;
      batch.push(chunk);
      size += chunk.bytes.byteLength;
    }
    await write(db, ['chunks'], 'the checkpoint', async (tx) => {
      await Promise.all(batch.map((chunk) => tx.objectStore('chunks').put(chunk)));
    });
  }
}

/**
 * The tensors of a manifest, each chunk checked against its hash.
 * @throws PlaygroundError `storage` naming a tensor whose bytes are missing or have changed
 */
export async function readTensors(
  chunkOf: (hash: string) => Promise<ChunkRecord | undefined>,
  tensors: CheckpointManifest['tensors'],
  wanted: (name: string) => boolean,
): Promise<WeightMap> {
  const weights: WeightMap = new Map();
  for (const { name, shape, chunks } of tensors) {
    if (!wanted(name)) continue;
    const size = shape.reduce((a, b) => a * b, 1);
    const data = new Float32Array(size);
    let filled = 0;
    for (const hash of chunks) {
      const chunk = await read(`the tensor ${name}`, () => chunkOf(hash));
      if (chunk === undefined) throw damaged(name, 'a part of it is missing');
      if ((await sha256(chunk.bytes)) !== hash) throw damaged(name, 'its bytes have changed');
      const part = new Float32Array(chunk.bytes);
      if (filled + part.length > size) throw damaged(name, 'it is longer than its shape');
      data.set(part, filled);
      filled += part.length;
    }
    if (filled !== size) throw damaged(name, 'it is shorter than its shape');
    weights.set(name, { shape: [...shape], data });
  }
  return weights;
}

const damaged = (name: string, how: string): PlaygroundError =>
  new PlaygroundError({
    code: 'storage',
    field: name,
    message: `The stored tensor ${name} cannot be read: ${how}.`,
    remedy: 'Train this stage again, or import the project from a file.',
  });
