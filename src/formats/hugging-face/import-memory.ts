/** Whether a model fits, before anything of it is read. */
import type { ModelConfig } from '../../core/domain';
import { PlaygroundError } from '../../core/errors';
import { parameterShapes } from '../../core/presets';

export interface ImportLimits {
  /** Largest single GPU buffer that a kernel can see, bytes. */
  maxBufferBytes: number;
  /** What all weights together may take, bytes. */
  maxTotalBytes: number;
}

export interface MemoryNeeded {
  /** All weights as f32 and the table of rotary angles, bytes. */
  totalBytes: number;
  /** The largest single tensor, bytes. */
  largestBytes: number;
  largestTensor: string;
}

const BYTES_PER_F32 = 4;

/** What a model takes on the GPU, to write text with; training takes several times as much. */
export function memoryNeeded(config: ModelConfig): MemoryNeeded {
  const { max_position_embeddings: P, hidden_size, num_attention_heads } = config;
  // cos and sin, [P, hd/2] each
  const angles = (P * (hidden_size / num_attention_heads) * BYTES_PER_F32) / 2;
  const needed = { totalBytes: 2 * angles, largestBytes: angles, largestTensor: 'rotary angles' };
  for (const [name, shape] of parameterShapes(config)) {
    const bytes = shape.reduce((product, n) => product * n, BYTES_PER_F32);
    needed.totalBytes += bytes;
    if (bytes > needed.largestBytes)
      Object.assign(needed, { largestBytes: bytes, largestTensor: name });
  }
  return needed;
}

/** @throws PlaygroundError `engine` with the numbers, when the model is too large for the limits */
export function requireMemory(config: ModelConfig, limits: ImportLimits): MemoryNeeded {
  const needed = memoryNeeded(config);
  const { totalBytes, largestBytes, largestTensor } = needed;
  if (largestBytes > limits.maxBufferBytes) {
    throw tooLarge(
      'maxBufferBytes',
      `Its largest tensor, ${largestTensor}, needs one buffer of ${megabytes(largestBytes)}; this GPU gives at most ${megabytes(limits.maxBufferBytes)}.`,
    );
  }
  if (totalBytes > limits.maxTotalBytes) {
    throw tooLarge(
      'maxTotalBytes',
      `Its weights need ${megabytes(totalBytes)} on the GPU; ${megabytes(limits.maxTotalBytes)} are there to use.`,
    );
  }
  return needed;
}

function tooLarge(field: string, message: string): PlaygroundError {
  return new PlaygroundError({
    code: 'engine',
    field,
    message: `This model is too large for this machine. ${message}`,
    remedy: 'Choose a smaller model, or open this page on a machine with more GPU memory.',
  });
}

/** Rounded up, so that what is needed never looks equal to a smaller limit. */
function megabytes(bytes: number): string {
  return `${(Math.ceil(bytes / 1e5) / 10).toFixed(1)} MB`;
}
