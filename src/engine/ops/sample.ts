/** Drawing tokens: one counter-based draw per (row, token), on the GPU where there is one. */
import * as tf from '@tensorflow/tfjs-core';
import { STREAM, uniform } from '../../core/rng';
import { dispatch, emptyTensor, f32Bits, markWritten, useKernels } from '../dispatch';
import kernel from '../kernels/sample.wgsl?raw';

export interface SamplerOptions {
  /** [B], tokens of each prompt. */
  promptLengths: Int32Array;
  /** One stream id (u32) per row; a row's draws depend on it and on nothing else of the batch. */
  streams: number[];
  max_new_tokens: number;
  temperature: number;
  seed: number;
}

/**
 * The state of a batch that is being written: the newest token of each row and its position, and
 * everything drawn so far. Token i of a row uses `uniform(seed, STREAM.sampling, stream, i)`.
 */
export class Sampler {
  /** int32 [B], the newest token of each row. */
  tokens: tf.Tensor1D;
  /** int32 [B], its position in the sequence. */
  positions: tf.Tensor1D;
  private readonly options: SamplerOptions;
  private readonly onGpu: GpuState | null;
  private readonly written: Int32Array;
  private readonly logprobs: Float32Array;
  private drawn = 0;

  constructor(options: SamplerOptions) {
    this.options = options;
    const { promptLengths, streams, max_new_tokens } = options;
    const B = promptLengths.length;
    this.tokens = keepInts(new Int32Array(B));
    this.positions = keepInts(promptLengths.map((length) => length - 1));
    this.written = new Int32Array(B * max_new_tokens);
    this.logprobs = new Float32Array(B * max_new_tokens);
    this.onGpu = useKernels()
      ? {
          written: tf.keep(emptyTensor<tf.Rank.R1>([B * max_new_tokens], 'int32')),
          logprobs: tf.keep(emptyTensor<tf.Rank.R1>([B * max_new_tokens])),
          promptLengths: keepInts(promptLengths.slice()),
          streams: keepInts(Int32Array.from(streams, (stream) => stream | 0)),
        }
      : null;
  }

  /** Draws the next token of every row from logits [B, V]. */
  sample(logits: tf.Tensor2D): void {
    if (this.onGpu !== null) this.sampleOnGpu(logits, this.onGpu);
    else this.sampleOnHost(logits);
    this.drawn++;
  }

  /** Tokens and log-probabilities (nats) [B, max_new_tokens]; only the first draws are set. */
  async read(): Promise<{ tokens: Int32Array; logprobs: Float32Array }> {
    if (this.onGpu === null) return { tokens: this.written, logprobs: this.logprobs };
    const [tokens, logprobs] = await Promise.all([
      this.onGpu.written.data<'int32'>(),
      this.onGpu.logprobs.data<'float32'>(),
    ]);
    return { tokens, logprobs };
  }

  dispose(): void {
    tf.dispose([this.tokens, this.positions]);
    if (this.onGpu !== null) tf.dispose(Object.values(this.onGpu) as tf.Tensor[]);
  }

  private sampleOnGpu(logits: tf.Tensor2D, state: GpuState): void {
    const [B, V] = logits.shape;
    const { max_new_tokens, seed, temperature } = this.options;
    const outputs = [this.tokens, this.positions, state.written, state.logprobs];
    dispatch({
      label: 'sample',
      code: kernel,
      buffers: [...outputs, logits, state.promptLengths, state.streams],
      uniforms: [B, V, max_new_tokens, seed >>> 0, STREAM.sampling, f32Bits(temperature)],
      groups: [Math.ceil(B / 32)],
    });
    for (const tensor of outputs) markWritten(tensor);
  }

  private sampleOnHost(logits: tf.Tensor2D): void {
    const [B, V] = logits.shape;
    const { max_new_tokens, seed, temperature, streams, promptLengths } = this.options;
    // On wasm and cpu the numbers are in this process anyway: reading does not wait for a device.
    const numbers = logits.dataSync();
    const newest = new Int32Array(B);
    for (let b = 0; b < B; b++) {
      const draw = uniform(seed, STREAM.sampling, streams[b]!, this.drawn);
      const row = numbers.subarray(b * V, (b + 1) * V);
      const { token, logprob } = drawToken(row as Float32Array, temperature, draw);
      newest[b] = token;
      this.written[b * max_new_tokens + this.drawn] = token;
      this.logprobs[b * max_new_tokens + this.drawn] = logprob;
    }
    tf.dispose([this.tokens, this.positions]);
    this.tokens = keepInts(newest);
    this.positions = keepInts(promptLengths.map((length) => length + this.drawn));
  }
}

interface GpuState {
  written: tf.Tensor1D;
  logprobs: tf.Tensor1D;
  promptLengths: tf.Tensor1D;
  streams: tf.Tensor1D;
}

function keepInts(values: Int32Array): tf.Tensor1D {
  return tf.keep(tf.tensor1d(values, 'int32'));
}

/** Inverse CDF of softmax(logits / temperature) at `draw` in [0, 1), summed as the kernel does. */
function drawToken(
  logits: Float32Array,
  temperature: number,
  draw: number,
): { token: number; logprob: number } {
  const { fround } = Math;
  let highest = -Infinity;
  for (const logit of logits) highest = Math.max(highest, logit);
  const weights = logits.map((logit) => Math.exp((logit - highest) / temperature));
  let total = 0;
  for (const weight of weights) total = fround(total + weight);
  const threshold = fround(draw * total);
  let token = 0;
  let sum = 0;
  for (let v = 0; v < weights.length && sum <= threshold; v++) {
    sum = fround(sum + weights[v]!);
    if (weights[v]! > 0) token = v;
  }
  return { token, logprob: (logits[token]! - highest) / temperature - Math.log(total) };
}
