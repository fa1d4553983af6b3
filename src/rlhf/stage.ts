/**
 * What every training stage has in common. A stage is an async generator
 * `(input, config, ctx) => AsyncGenerator<StageEvent, Output>`: one event for each optimisation step.
 * Pausing is not pulling the next event; stepping is pulling one. All randomness is a function of
 * (seed, step), so `resume` needs nothing but tensors and a few numbers.
 */
import type { MetricRow, Sample, WeightMap } from '../core/domain';
import { permutation, STREAM } from '../core/rng';
import type { Tokenizer } from '../tokenizer/tokenizer';

export interface StageSnapshot {
  /** Steps taken so far; the resumed run continues with this one. */
  step: number;
  /** `policy/<name>` or `model/<name>`, `optimizer/m/<name>`, … */
  tensors: WeightMap;
  state: Record<string, unknown>;
}

export interface StageEvent {
  /** Steps taken, this one included. */
  step: number;
  totalSteps: number;
  row: MetricRow;
  /** Tokens processed in this step. */
  tokens: number;
  samples?: Sample[];
  /** Everything that a resume needs. Valid until the next event is pulled. */
  snapshot(): Promise<StageSnapshot>;
}

export interface StageContext {
  tokenizer: Tokenizer;
  resume?: StageSnapshot;
}

/** Tensors of `source` under `prefix/`. */
export function withPrefix(prefix: string, source: WeightMap): WeightMap {
  return new Map([...source].map(([name, tensor]) => [`${prefix}/${name}`, tensor]));
}

/** The tensors below `prefix/`, without it. */
export function underPrefix(prefix: string, source: WeightMap): WeightMap {
  const start = `${prefix}/`;
  return new Map(
    [...source]
      .filter(([name]) => name.startsWith(start))
      .map(([name, tensor]) => [name.slice(start.length), tensor]),
  );
}

/** The rows of one batch: `size` consecutive entries of `order`, the last batch may be smaller. */
export function batchOf(order: readonly number[], size: number, index: number): number[] {
  return order.slice(index * size, (index + 1) * size);
}

/** Batches over epochs, each epoch in a fresh order that is a function of (seed, epoch). */
export function epochBatches(count: number, size: number, seed: number) {
  const stepsPerEpoch = Math.ceil(count / size);
  let drawn = { epoch: -1, order: [] as number[] };
  return {
    stepsPerEpoch,
    /** The rows of step `step`, counted from 0 over all epochs. */
    rowsAt(step: number): number[] {
      const epoch = Math.floor(step / stepsPerEpoch);
      if (epoch !== drawn.epoch) {
        drawn = { epoch, order: permutation(count, seed, STREAM.order, epoch) };
      }
      return batchOf(drawn.order, size, step % stepsPerEpoch);
    },
  };
}

/** Everything in a random order, in a fresh one each time round: n ↦ index, for n = 0, 1, 2, … */
export function endlessOrder(count: number, seed: number, stream: number): (n: number) => number {
  let drawn = { round: -1, order: [] as number[] };
  return (n) => {
    const round = Math.floor(n / count);
    if (round !== drawn.round) drawn = { round, order: permutation(count, seed, stream, round) };
    return drawn.order[n % count]!;
  };
}
