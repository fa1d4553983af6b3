/** What a benchmark run is asked for and what it gives. */
import type { PresetName } from '../../src/core/presets';

export interface BenchOptions {
  presets: PresetName[];
  /** Measured repetitions of each contender, after one that warms up. */
  rounds: number;
}

export interface Row {
  name: string;
  impl: string;
  config: { preset: PresetName; params: number; B: number; T: number };
  /** Median over the rounds. */
  ms: number;
  tokens_per_s: number;
  /** Time by the time of the first contender: above 1 is slower than the playground. */
  ratio: number;
}

export interface BenchResult {
  adapter: string;
  rows: Row[];
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return (sorted[Math.floor(middle - 0.25)]! + sorted[Math.floor(middle + 0.25)]!) / 2;
}
