/** PPO iterations of ours, taken apart by phase. Built with `timedPhases`, see bench/phases. */
import * as tf from '@tensorflow/tfjs-core';
import { stageConfig } from '../../src/core/config';
import { ScalarModel } from '../../src/engine/heads';
import { initialWeights, readWeights } from '../../src/engine/weights';
import { trainPpo } from '../../src/rlhf/ppo';
import { fromTokenizerJson } from '../../src/tokenizer/tokenizer-json';
import { BETWEEN, currentPhase, takeCosts, type Cost, type Phase } from '../phases/clock';
import { watchGpu, type GpuCost } from '../phases/gpu-watch';
import { median } from '../statistics';
import { describe, SIZES, WEIGHT_SEED, type Row, type SizeName } from '../work';

const SETTINGS = { rollout_batch_size: 32, response_length: 64, num_ppo_epochs: 2 };
const PHASES: Phase[] = [
  'rollout',
  'policy forward',
  'reference forward',
  'value forward',
  'reward scoring',
  'policy update',
  'value update',
];

interface Iteration {
  ms: number;
  phases: Map<Phase, Cost>;
  gpu: Map<string, GpuCost>;
}

export interface PpoWork {
  size: SizeName;
  /** Iterations measured, after one that warms up. */
  rounds: number;
  /** Of a tokenizer.json with the size's vocabulary. */
  tokenizer: unknown;
  prompts: string[];
}

/**
 * Rows of one PPO iteration on an engine that is open: one for each phase, one for the host's work
 * between them, one for all. `share` of a phase: its part of the iteration. `share` of the whole: time
 * in which no compute pass ran.
 */
export async function ppoRows({ size, rounds, tokenizer, prompts }: PpoWork): Promise<Row[]> {
  const modelConfig = SIZES[size];
  const policyWeights = initialWeights(modelConfig, WEIGHT_SEED);
  const fresh = ScalarModel.load(modelConfig, policyWeights, WEIGHT_SEED);
  const rewardWeights = await readWeights(fresh.parameters);
  fresh.dispose();
  const input = {
    modelConfig,
    policyWeights,
    reward: { kind: 'model' as const, weights: rewardWeights, shift: 0, scale: 1 },
    prompts,
    seed: 1,
  };
  const config = stageConfig('ppo', { ...SETTINGS, num_iterations: rounds + 1 });
  const stage = trainPpo(input, config, { tokenizer: fromTokenizerJson(tokenizer) });
  const { device } = tf.backend() as unknown as { device: GPUDevice };
  await stage.next();
  takeCosts();

  const iterations: Iteration[] = [];
  let tokens = 0;
  for (let i = 0; i < rounds; i++) {
    const watch = watchGpu(device, currentPhase);
    const start = performance.now();
    const { value, done } = await stage.next();
    const ms = performance.now() - start;
    iterations.push({ ms, gpu: await watch.stop(), phases: takeCosts() });
    if (!done) tokens = value.tokens;
  }
  await stage.return({ weights: new Map() }); // frees the models
  return rowsOf(iterations, size, tokens);
}

function rowsOf(iterations: readonly Iteration[], size: SizeName, tokens: number): Row[] {
  const config = { ...describe(size), B: SETTINGS.rollout_batch_size, T: SETTINGS.response_length };
  const of = (number: (iteration: Iteration) => number) => median(iterations.map(number));
  const whole = of(({ ms }) => ms);
  const row = (impl: string, ms: number, gpu: (costs: Iteration['gpu']) => GpuCost[]): Row => {
    const total = (key: keyof GpuCost) =>
      of((iteration) => gpu(iteration.gpu).reduce((sum, cost) => sum + cost[key], 0));
    return {
      name: 'ppo iteration',
      impl,
      config,
      ms,
      tokens_per_s: null,
      ratio: ms / whole,
      share: ms / whole,
      rounds: iterations.length,
      kernel_ms: total('kernel_ms'),
      passes: total('passes'),
      readbacks: total('readbacks'),
    };
  };
  const of1 = (label: string) => (gpu: Iteration['gpu']) => {
    const cost = gpu.get(label);
    return cost === undefined ? [] : [cost];
  };
  const rows = PHASES.map((phase) => {
    const runs = of(({ phases }) => phases.get(phase)?.runs ?? 0);
    if (runs === 0) throw new Error(`No ${phase} was seen: bench/phases no longer fits src/rlhf`);
    const phaseRow = row(
      phase,
      of(({ phases }) => phases.get(phase)!.ms),
      of1(phase),
    );
    return { ...phaseRow, note: `runs: ${runs}` };
  });
  const between = of(({ ms, phases }) => {
    let inside = 0;
    for (const cost of phases.values()) inside += cost.ms;
    return ms - inside;
  });
  const all = row('whole iteration', whole, (gpu) => [...gpu.values()]);
  return [
    ...rows,
    row(BETWEEN, between, of1(BETWEEN)),
    {
      ...all,
      tokens_per_s: (tokens * 1000) / whole,
      share: 1 - all.kernel_ms! / whole,
      note: 'share: time outside compute passes',
    },
  ];
}
