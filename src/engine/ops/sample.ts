/** Drawing tokens: one counter-based draw per (row, token), on the GPU where there is one. */
import * as tf from '@tensorflow/tfjs-core';
import { STREAM, uniform } from '../../core/rng';
import { dispatch, emptyTensor, f32Bits, markWritten, useKernels } from '../dispatch';
import workgroupSource from '../kernels/sample-workgroup.wgsl?raw';
import source from '../kernels/sample.wgsl?raw';
import threefry from '../kernels/threefry.wgsl?raw';
import { RowKernel } from './row-kernel';

const KERNEL = new RowKernel('sample', threefry + source, 32, threefry + workgroupSource);

export interface SamplerOptions {
  /** [B], tokens of each prompt. */
  promptLengths: Int32Array;
  /** One stream id (u32) per row; a row's draws depend on it and on nothing else of the batch. */
  streams: number[];
  max_new_tokens: number;
  temperature: number;
  seed: number;
  /** Ends a row; −1: nothing does. */
  eos_token_id: number;
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
  private readonly ended: Uint8Array;
  private drawn = 0;

  constructor(options: SamplerOptions) {
    this.options = options;
    const { promptLengths, streams, max_new_tokens } = options;
    const B = promptLengths.length;
    this.tokens = keepInts(new Int32Array(B));
    this.positions = keepInts(promptLengths.map((length) => length - 1));
    this.written = new Int32Array(B * max_new_tokens);
    this.logprobs = new Float32Array(B * max_new_tokens);
    this.ended = new Uint8Array(B);
    this.onGpu = useKernels('sample')
      ? {
          written: tf.keep(emptyTensor<tf.Rank.R1>([2 * B * max_new_tokens], 'int32')),
          ended: keepInts(new Int32Array(B)),
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

  /**
   * Tokens and log-probabilities (nats) [B, max_new_tokens]; only the first draws are set. One
   * readback.
   */
  async read(): Promise<{ tokens: Int32Array; logprobs: Float32Array }> {
    if (this.onGpu === null) return { tokens: this.written, logprobs: this.logprobs };
    const { written } = this.onGpu;
    const numbers = (await written.data<'int32'>()).slice();
    markWritten(written); // what came may be older than the next draw
    const half = numbers.length / 2;
    return {
      tokens: numbers.subarray(0, half),
      logprobs: new Float32Array(numbers.buffer, 4 * half, half),
    };
  }

  /** Whether every row had drawn the end token when this was called. */
  async allEnded(): Promise<boolean> {
    if (this.onGpu === null) return this.ended.every((ended) => ended === 1);
    const { ended } = this.onGpu;
    const flags = await ended.data<'int32'>();
    const all = flags.every((flag) => flag === 1);
    if (!ended.isDisposed) markWritten(ended); // rows may have ended since
    return all;
  }

  dispose(): void {
    tf.dispose([this.tokens, this.positions]);
    if (this.onGpu !== null) tf.dispose(Object.values(this.onGpu) as tf.Tensor[]);
  }

  private sampleOnGpu(logits: tf.Tensor2D, state: GpuState): void {
    const [B, V] = logits.shape;
    const { max_new_tokens, seed, temperature, eos_token_id } = this.options;
    const outputs = [this.tokens, this.positions, state.written, state.ended];
    const random = [seed >>> 0, STREAM.sampling];
    dispatch({
      label: 'sample',
      ...KERNEL.forRows(B),
      buffers: [...outputs, logits, state.promptLengths, state.streams],
      uniforms: [B, V, max_new_tokens, eos_token_id >>> 0, ...random, f32Bits(temperature)],
    });
    for (const tensor of outputs) markWritten(tensor);
  }

  private sampleOnHost(logits: tf.Tensor2D): void {
    const [B, V] = logits.shape;
    const { max_new_tokens, seed, temperature, streams, promptLengths, eos_token_id } =
      this.options;
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
      if (token === eos_token_id) this.ended[b] = 1;
    }
    tf.dispose([this.tokens, this.positions]);
    this.tokens = keepInts(newest);
    this.positions = keepInts(promptLengths.map((length) => length + this.drawn));
  }
}

interface GpuState {
  /** int32 [2, B, max_new_tokens]: tokens, then the bits of their log-probabilities. */
  written: tf.Tensor1D;
  /** int32 [B], 1 for rows that drew the end token. */
  ended: tf.Tensor1D;
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
