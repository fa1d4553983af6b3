/** What `bench/node.ts` runs, bundled: kernels are imported as text, which Node alone cannot do. */
import type { PresetName } from '../src/core/presets';
import { ppoRows } from './contenders/ppo';
import { openOurs } from './contenders/ours';
import { openStock } from './contenders/stock';
import { reason } from './measure';
import { joined, type Part } from './parts/compare';
import { decodingRows } from './parts/decoding';
import { rooflineRows } from './parts/roofline';
import { scalingRows, STEP, stepRows } from './parts/steps';
import { openJax } from './peers/jax';
import type { Jax } from './peers/jax-types';
import type { Contender, Row } from './work';

export interface NodeOptions {
  parts: readonly string[];
  /** Besides ours. */
  stock: boolean;
  presets: PresetName[];
  rounds: number;
  /** The module @jax-js/jax, or null. */
  jax: unknown;
  tokenizer: unknown;
  prompts: string[];
  onPart: (part: string, seconds: number) => void;
}

/** Opens the sides on the WebGPU of this process and measures; stock ops run on our device. */
export async function measureInNode(
  options: NodeOptions,
): Promise<{ adapter: string; rows: Row[]; problems: string[] }> {
  const { presets, rounds, tokenizer, prompts } = options;
  const ours = await openOurs('webgpu');
  const sides: Contender[] = [ours];
  if (options.stock) sides.push(await openStock('webgpu'));
  const problems: string[] = [];
  try {
    if (options.jax !== null) sides.push(await openJax(options.jax as Jax, 'webgpu'));
  } catch (thrown) {
    problems.push(`jax: ${reason(thrown)}`);
  }
  const run: Record<string, () => Promise<Part>> = {
    step: async () =>
      joined([
        await stepRows(sides, rounds),
        // Sizes at which PyTorch is measured too.
        ...(await inTurn(presets, (size) => stepRows(sides, rounds, { ...STEP, size }))),
      ]),
    decode: () => decodingRows(sides, rounds),
    ppo: async () => {
      const ppo = (size: 'nano' | 'main') => ppoRows({ size, rounds, tokenizer, prompts });
      return { rows: [...(await ppo('nano')), ...(await ppo('main'))], problems: [] };
    },
    scaling: () => scalingRows(ours, presets, rounds),
    roofline: () => rooflineRows(sides, rounds),
  };
  const rows: Row[] = [];
  for (const part of options.parts) {
    const start = performance.now();
    const result = await run[part]!();
    rows.push(...result.rows);
    problems.push(...result.problems);
    options.onPart(part, (performance.now() - start) / 1000);
  }
  return { adapter: ours.adapter, rows, problems };
}

async function inTurn<A, B>(items: readonly A[], run: (item: A) => Promise<B>): Promise<B[]> {
  const results: B[] = [];
  for (const item of items) results.push(await run(item));
  return results;
}
