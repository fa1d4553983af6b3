/**
 * safetensors as a sequence of small pieces, so that a model is written without a second copy of it
 * in memory. The bytes are those of `writeSafetensors` in F32.
 */
import type { WeightMap } from '../../core/domain';
import { PlaygroundError } from '../../core/errors';

/** Copied out of the weights at a time, bytes. */
export const PIECE_BYTES = 2 ** 20;

const LENGTH_BYTES = 8;
const F32_BYTES = 4;

/**
 * Checks that `weights` are exactly the tensors of `shapes`, with finite values.
 * @throws PlaygroundError `format` naming the tensor that is missing, unknown, of another shape, or
 *   holds NaN or infinity
 */
export function checkTensors(shapes: ReadonlyMap<string, number[]>, weights: WeightMap): void {
  for (const [name, shape] of shapes) {
    const tensor = weights.get(name);
    if (tensor === undefined) throw bad(name, 'is missing');
    const size = shape.reduce((product, length) => product * length, 1);
    if (tensor.shape.join() !== shape.join() || tensor.data.length !== size) {
      throw bad(
        name,
        `has shape [${tensor.shape.join(', ')}] (${tensor.data.length} numbers); the config asks for [${shape.join(', ')}]`,
      );
    }
    const at = firstNonFinite(tensor.data);
    if (at >= 0) throw bad(name, `holds ${tensor.data[at]} at ${at}; weights must be finite`);
  }
  for (const name of weights.keys()) {
    if (!shapes.has(name)) throw bad(name, 'does not belong to this model');
  }
}

/** A plain loop: over 10⁸ weights, `findIndex` with its callbacks takes ten times as long. */
function firstNonFinite(values: Float32Array): number {
  for (let i = 0; i < values.length; i++) if (!Number.isFinite(values[i])) return i;
  return -1;
}

function bad(name: string, problem: string): PlaygroundError {
  return new PlaygroundError({
    code: 'format',
    field: name,
    message: `model.safetensors, tensor ${name}: it ${problem}.`,
    remedy: 'Train the stage again, or export one of its earlier checkpoints.',
  });
}

/**
 * A safetensors file of the named tensors in F32, in the order of their names. Making the contents
 * takes the tensors over: each leaves `weights` once it is written, so that what is written and what is
 * not yet written add up to one model.
 */
export function f32Safetensors(
  names: Iterable<string>,
  weights: WeightMap,
): {
  bytes: number;
  /** The file from its start, in fresh arrays of at most `PIECE_BYTES` (the header may be larger). */
  pieces: () => Generator<Uint8Array<ArrayBuffer>, void>;
} {
  const ordered = [...names].sort((a, b) => (a < b ? -1 : 1));
  const header: Record<string, unknown> = { __metadata__: { format: 'pt' } };
  let end = 0;
  for (const name of ordered) {
    const { shape, data } = weights.get(name)!;
    const begin = end;
    end += data.length * F32_BYTES;
    header[name] = { dtype: 'F32', shape, data_offsets: [begin, end] };
  }
  const json = new TextEncoder().encode(JSON.stringify(header));
  // Padded with spaces, so that the data begin at a multiple of 8 and can be mapped in place.
  const headerBytes = Math.ceil(json.length / 8) * 8;

  function* pieces(): Generator<Uint8Array<ArrayBuffer>, void> {
    const start = new Uint8Array(LENGTH_BYTES + headerBytes).fill(0x20);
    new DataView(start.buffer).setBigUint64(0, BigInt(headerBytes), true);
    start.set(json, LENGTH_BYTES);
    yield start;
    for (const name of ordered) {
      const { data } = weights.get(name)!;
      const raw = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
      for (let from = 0; from < raw.length; from += PIECE_BYTES) {
        // A copy: whoever reads the stream may transfer the piece, and with it the rest of the tensor.
        yield Uint8Array.from(raw.subarray(from, from + PIECE_BYTES));
      }
      weights.delete(name);
    }
  }
  return { bytes: LENGTH_BYTES + headerBytes + end, pieces };
}
